import { describe, expect, it } from 'vitest'
import { cycleFindings } from './cycles.ts'
import { isNeutral, levelFindings } from './levels.ts'
import { mentions } from './source.ts'

function levels(path: string, text: string): string[] {
  return levelFindings([{ path, text }]).map(({ message }) => message)
}

describe('who may import whom', () => {
  it.each([
    ['src/protocol/smtp/a.ts', `import { b } from '../bytes/b.ts'`],
    ['src/protocol/smtp/a.ts', `import { b } from './sub/b.ts'`],
    ['src/message/a.ts', `import iconv from 'iconv-lite'`],
    ['src/inbound/checks/a.ts', `import type { B } from '../../contracts/b.ts'\nimport { c } from '../c.ts'`],
    ['src/adapters/node/a.ts', `import { connect } from 'node:net'\nimport type { B } from '../../contracts/b.ts'`],
    ['src/adapters/sqlite/a.ts', `const driver = await import('node:sqlite')\nconst other = await import('better-sqlite3')`],
    ['src/adapters/mailparser/a.ts', `type Parser = typeof import('mailparser')`],
    ['src/server/a.ts', `import { b } from '../adapters/node/b.ts'\nimport { c } from '../inbound/c.ts'`],
    ['src/cli/main.ts', `import { b } from '../server/b.ts'\nimport { Command } from 'commander'`],
    ['src/index.ts', `export { b } from './server/b.ts'\nexport { c } from './message/c.ts'`],
    ['src/testing/vitest.ts', `import { test } from 'vitest'\nimport { b } from '../server/b.ts'`],
  ])('%s may: %s', (path, text) => {
    expect(levels(path, text)).toEqual([])
  })

  it.each([
    ['upwards', 'src/message/a.ts', `import { b } from '../contracts/b.ts'`],
    ['upwards by type alone', 'src/message/a.ts', `import type { B } from '../contracts/b.ts'`],
    ['upwards by an inline type', 'src/message/a.ts', `export type A = import('../contracts/b.ts').B`],
    ['upwards by exporting on', 'src/message/a.ts', `export * from '../contracts/b.ts'`],
    ['upwards, late', 'src/message/a.ts', `const b = await import('../contracts/b.ts')`],
    ['sideways', 'src/message/a.ts', `import { b } from '../protocol/sasl/b.ts'`],
    ['a protocol the contracts', 'src/protocol/smtp/a.ts', `import type { B } from '../../contracts/b.ts'`],
    ['contracts a protocol', 'src/contracts/a.ts', `import type { B } from '../protocol/smtp/b.ts'`],
    ['an adapter another', 'src/adapters/sqlite/a.ts', `import { b } from '../memory/b.ts'`],
    ['an adapter a conversation', 'src/adapters/node/a.ts', `import { b } from '../../protocol/smtp/b.ts'`],
    ['testing', 'src/server/a.ts', `import { b } from '../testing/b.ts'`],
    ['testing, from the top', 'src/index.ts', `export * from './testing/index.ts'`],
    ['the command line', 'src/server/a.ts', `import { b } from '../cli/b.ts'`],
    ['node: outside adapters', 'src/server/a.ts', `import { connect } from 'node:net'`],
    ['node: outside adapters, late', 'src/protocol/bytes/a.ts', `const net = await import('node:net')`],
    ['a bare builtin', 'src/inbound/a.ts', `import { connect } from 'net'`],
    ['a package outside adapters', 'src/inbound/a.ts', `import ip from 'ipaddr.js'`],
    ['another package in message/', 'src/message/a.ts', `import parse from 'mailparser'`],
    ['an optional package at the top', 'src/adapters/sqlite/a.ts', `import Database from 'better-sqlite3'`],
    ['a builtin that Node 20 lacks', 'src/adapters/sqlite/a.ts', `import { DatabaseSync } from 'node:sqlite'`],
    ['itself by name', 'src/adapters/node/a.ts', `import { b } from 'posthorn/message'`],
    ['without the extension', 'src/message/a.ts', `import { b } from './b'`],
    ['with the extension of the output', 'src/message/a.ts', `import { b } from './b.js'`],
    ['from no room', 'src/plumbing/a.ts', ''],
    ['from beside the rooms', 'src/protocol/a.ts', ''],
  ])('refused: %s', (_, path, text) => {
    expect(levels(path, text)).toHaveLength(1)
  })

  it('knows the neutral rooms', () => {
    const neutral = ['src/protocol/bytes/a.ts', 'src/message/a.ts', 'src/contracts/a.ts', 'src/observe/a.ts']
    const others = ['src/adapters/node/a.ts', 'src/server/a.ts', 'src/testing/a.ts', 'src/index.ts']
    expect([...neutral, ...others].filter(isNeutral)).toEqual(neutral)
  })

  it('sees every way to mention a module', () => {
    const text = `
      import a from 'a'
      import type { B } from 'b'
      export { c } from 'c'
      export type { D } from 'd'
      import e = require('e')
      const f = import('f')
      const g = require('g')
      type H = import('h').H
      import 'i'
    `
    const found = mentions({ path: 'a.ts', text })
    expect(found.map(({ specifier }) => specifier).sort().join('')).toBe('abcdefghi')
    expect(found.filter(({ typeOnly }) => typeOnly).map(({ specifier }) => specifier).sort().join('')).toBe('bdh')
    expect(found.filter(({ lazy }) => lazy).map(({ specifier }) => specifier).sort().join('')).toBe('fg')
  })
})

describe('circles', () => {
  const file = (name: string, ...imports: string[]) => ({
    path: `src/message/${name}.ts`,
    text: imports.map((other) => `import type { X } from './${other}.ts'\n`).join(''),
  })

  it('lets a diamond be', () => {
    expect(cycleFindings([file('a', 'b', 'c'), file('b', 'd'), file('c', 'd'), file('d')])).toEqual([])
  })

  it.each([
    ['two files', [file('a', 'b'), file('b', 'a')], 'src/message/a.ts → src/message/b.ts'],
    ['three files behind another', [file('z', 'a'), file('a', 'b'), file('b', 'c'), file('c', 'a')], 'b.ts → src/message/c.ts'],
    ['a file and itself', [file('a', 'a')], 'src/message/a.ts'],
  ])('tells of %s', (_, sources, circle) => {
    const found = cycleFindings(sources)
    expect(found).toHaveLength(1)
    expect(found[0]?.message).toContain(circle)
  })
})
