import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rooms } from '../house/rooms.ts'
import { type Installed, install, reached, run } from './installed.ts'

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string; peerDependencies: Record<string, string> }
const names = Object.keys(rooms).map((subpath) => `posthorn${subpath.slice(1)}`)
/** Needs its peer to do anything at all. */
const runner = 'posthorn/vitest'
const plain = names.filter((name) => name !== runner)
const neutral = ['smtp', 'sasl', 'session', 'message', 'contracts']

let installed: Installed
let dist = ''

beforeAll(() => {
  installed = install()
  dist = join(installed.app, 'node_modules/posthorn/dist')
})
afterAll(() => installed?.remove())

/** Runs code as a file of the application. */
function start(file: string, code: string): string {
  const { ok, text } = run(process.execPath, [installed.write(file, code)], installed.app)
  if (!ok) throw new Error(text)
  return text
}

describe('the packed files', () => {
  it('are what is built, the licence, the README and nothing else', () => {
    const top = readdirSync(join(dist, '..')).sort()
    expect(top).toEqual(['LICENSE', 'README.md', 'dist', 'package.json'])
    const strange = readdirSync(dist).filter((name) => !/\.(js|cjs|d\.ts|d\.cts)$/.test(name))
    expect(strange).toEqual(['cli'])
  })

  it('name no peer in their types', () => {
    const declarations = readdirSync(dist).filter((name) => /\.d\.c?ts$/.test(name) && !/^vitest\./.test(name))
    const peers = new RegExp(`(from|import\\()\\s*['"](${Object.keys(manifest.peerDependencies).join('|')}|node:sqlite)['"/]`)
    expect(declarations.length).toBeGreaterThan(0)
    expect(declarations.filter((name) => peers.test(readFileSync(join(dist, name), 'utf8')))).toEqual([])
  })

  it.each(neutral)('reach no node: module from %s', (name) => {
    for (const extension of ['js', 'cjs']) {
      const guilty = reached(dist, `${name}.${extension}`).filter(([, text]) => /["']node:/.test(text))
      expect(guilty.map(([path]) => path)).toEqual([])
    }
  })
})

describe('an application without optional peers', () => {
  it.each(plain)('imports %s as ESM and as CommonJS, and sees the same names', (name) => {
    const esm = start('list.mjs', `import * as all from '${name}'; console.log(Object.keys(all).sort().join())`)
    const cjs = start('list.cjs', `console.log(Object.keys(require('${name}')).sort().join())`)
    expect(cjs).toBe(esm)
  })

  it('is told what posthorn/vitest needs', () => {
    const { ok, text } = run(process.execPath, [installed.write('runner.mjs', `import '${runner}'`)], installed.app)
    expect(ok).toBe(false)
    expect(text).toMatch(/'vitest'/)
  })

  it.each([
    ['mjs', `import * as all from`, ''],
    ['cjs', 'const all = require(', ')'],
  ])('has one copy of each class and function: %s', (extension, before, after) => {
    const code = plain.map((name, index) => `${before.replace('all', `m${index}`)} '${name}'${after}`).join('\n')
    const modules = plain.map((_, index) => `m${index}`).join(', ')
    const told = start(
      `copies.${extension}`,
      `${code}
      const seen = new Map()
      for (const module of [${modules}]) for (const [name, value] of Object.entries(module)) {
        if (typeof value !== 'function') continue
        if (seen.has(name) && seen.get(name) !== value) console.log('two of', name)
        seen.set(name, value)
      }
      if (!seen.has('MailError')) console.log('no MailError')`,
    )
    expect(told).toBe('')
  })

  it('knows an error of the other format', () => {
    const code = `
      import { createRequire } from 'node:module'
      import { isMailError, MailError } from 'posthorn/session'
      const other = createRequire(import.meta.url)('posthorn/session')
      const error = new other.MailError('closed', 'x')
      console.log(isMailError(error), other.isMailError(new MailError('closed', 'x')), error instanceof MailError)`
    expect(start('brand.mjs', code).trim()).toBe('true true false')
  })

  it('runs the command', () => {
    const { ok, text } = run(join(installed.app, 'node_modules/.bin/posthorn'), ['--version'], installed.app)
    expect(text.trim()).toBe(manifest.version)
    expect(ok).toBe(true)
  })
})

describe('types, with skipLibCheck off', () => {
  const strict = {
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    target: 'ES2022',
    lib: ['ES2023'],
    types: ['node'],
  }

  function check(name: string, files: Record<string, string>, options: object): string {
    for (const [path, text] of Object.entries(files)) installed.write(path, text)
    const config = { compilerOptions: { ...strict, ...options }, files: Object.keys(files) }
    const path = installed.write(`tsconfig.${name}.json`, JSON.stringify(config))
    return run(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', path], installed.app).text
  }

  /** Uses each subpath as a namespace, so that every declaration is loaded and one is looked at. */
  const everything = (list: readonly string[]): string =>
    list
      .map((name, index) => `import * as m${index} from '${name}'\nexport const keys${index} = Object.keys(m${index})\n`)
      .join('')

  beforeAll(() => {
    for (const name of ['@types/node', 'undici-types']) installed.lend(name, 'copy')
  })

  it.each([
    ['node16', { module: 'node16', moduleResolution: 'node16' }, ['esm.mts', 'cjs.cts']],
    ['nodenext', { module: 'nodenext', moduleResolution: 'nodenext' }, ['esm.mts', 'cjs.cts']],
    ['bundler', { module: 'esnext', moduleResolution: 'bundler' }, ['any.ts']],
    ['node10', { module: 'commonjs', moduleResolution: 'node10' }, ['any.ts']],
  ])('resolve under %s', (name, options, paths) => {
    expect(check(name, Object.fromEntries(paths.map((path) => [path, everything(plain)])), options)).toBe('')
  })

  it('of the neutral subpaths need no types of Node', () => {
    const list = neutral.map((name) => `posthorn/${name}`)
    const options = { module: 'esnext', moduleResolution: 'bundler', types: [], lib: ['ES2023', 'DOM'] }
    expect(check('neutral', { 'neutral.ts': everything(list) }, options)).toBe('')
  })

  it('of posthorn/vitest resolve where vitest is', () => {
    installed.lend('vitest', 'link')
    const options = { module: 'esnext', moduleResolution: 'bundler', skipLibCheck: true }
    expect(check('vitest', { 'vitest.ts': everything([runner]) }, options)).toBe('')
  })
})

describe('the package, to those who judge packages,', () => {
  const tool = (path: string, ...given: string[]) => run(process.execPath, [resolve('node_modules', path), ...given])
  const publint = (target: string) => tool('publint/src/cli.js', 'run', target, '--strict')
  const attw = (target: string) => tool('@arethetypeswrong/cli/dist/index.js', target)

  it('is clean: publint', () => {
    const { ok, text } = publint(installed.tarball)
    expect(ok, text).toBe(true)
  })

  it('is clean: attw', () => {
    const { ok, text } = attw(installed.tarball)
    expect(ok, text).toBe(true)
  })

  /** The installed package with its manifest changed. */
  function broken(from: string, to: string): string {
    const own = readFileSync('package.json', 'utf8').replace('"prepack"', '"unused"').replaceAll(from, to)
    return join(installed.write('node_modules/posthorn/package.json', own), '..')
  }

  it('would not be with a file missing: publint', () => {
    const { ok, text } = publint(broken('"./dist/smtp.cjs"', '"./dist/gone.cjs"'))
    expect(ok).toBe(false)
    expect(text).toMatch(/gone\.cjs/)
  })

  it('would not be with the types of the other format: attw', () => {
    const path = broken('"./dist/smtp.d.cts"', '"./dist/smtp.d.ts"')
    const packed = run('npm', ['pack', '--silent', '--pack-destination', installed.app], path)
    expect(packed.ok, packed.text).toBe(true)
    const { ok, text } = attw(join(installed.app, `posthorn-${manifest.version}.tgz`))
    expect(ok).toBe(false)
    expect(text).toMatch(/Masquerading as ESM/)
  })
})
