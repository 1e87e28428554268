import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { dependencyFindings, type Manifest } from './dependencies.ts'
import { licenceFindings, type Lock, permits } from './licences.ts'
import { rooms } from './rooms.ts'

const read = (path: string): string => readFileSync(path, 'utf8')
const manifest = JSON.parse(read('package.json')) as Manifest & Record<string, unknown>

describe('the package', () => {
  const both = (name: string) => ({
    import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
    require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
  })

  it('exports these subpaths and no others', () => {
    expect(manifest['exports']).toEqual({
      '.': both('index'),
      './smtp': both('smtp'),
      './imap': both('imap'),
      './pop3': both('pop3'),
      './sasl': both('sasl'),
      './session': both('session'),
      './message': both('message'),
      './contracts': both('contracts'),
      './outbound': both('outbound'),
      './node': both('node'),
      './memory': both('memory'),
      './sqlite': both('sqlite'),
      './maildir': both('maildir'),
      './mailauth': both('mailauth'),
      './scanners': both('scanners'),
      './testing': both('testing'),
      './vitest': both('vitest'),
      './package.json': './package.json',
    })
  })

  it('names the types first: a resolver takes the first condition that fits', () => {
    for (const conditions of Object.values(manifest['exports'] as Record<string, unknown>)) {
      if (typeof conditions === 'string') continue
      expect(Object.keys(conditions as object)).toEqual(['import', 'require'])
      for (const condition of Object.values(conditions as object)) {
        expect(Object.keys(condition as object)).toEqual(['types', 'default'])
      }
    }
  })

  it('leads resolvers that know no export map to the same types', () => {
    const names = Object.keys(rooms).filter((subpath) => subpath !== '.').map((subpath) => subpath.slice(2))
    const types = Object.fromEntries(names.map((name) => [name, [`./dist/${name}.d.cts`]]))
    expect(manifest['typesVersions']).toEqual({ '*': types })
  })

  it('is what the other tools take it for', () => {
    const sources = Object.values(rooms).map(({ source }) => source)
    expect([...Object.keys(rooms), './package.json']).toEqual(Object.keys(manifest['exports'] as object))
    expect(sources.filter((source) => !existsSync(source))).toEqual([])
    const knip = JSON.parse(read('knip.json')) as { entry: string[] }
    const entries = [...sources, 'src/cli/main.ts'].map((source) => `${source}!`)
    expect(knip.entry.filter((entry) => entry.startsWith('src/'))).toEqual(entries)
    expect((JSON.parse(read('typedoc.json')) as { entryPoints: string[] }).entryPoints).toEqual(sources)
  })

  it('says what it is to those who install it', () => {
    expect(manifest).toMatchObject({
      name: 'posthorn',
      license: 'MIT',
      type: 'module',
      sideEffects: false,
      engines: { node: '>=20.19' },
      files: ['dist'],
      bin: { posthorn: './dist/cli/main.js' },
    })
    expect(manifest).not.toHaveProperty('private')
    expect(Object.keys(manifest['peerDependenciesMeta'] as object)).toEqual(Object.keys(manifest.peerDependencies ?? {}))
  })
})

describe('dependencies', () => {
  it('each have a line in docs/dependencies.md', () => {
    expect(dependencyFindings(manifest, read('docs/dependencies.md'))).toEqual([])
  })

  it.each([
    ['a line is missing', { dependencies: { a: '1', b: '1' } }, 1],
    ['a line is left over', {}, 1],
    ['the kind is another', { devDependencies: { a: '1' } }, 1],
    ['all is well', { dependencies: { a: '1' } }, 0],
  ])('are compared: %s', (_, given, findings) => {
    const table = '| package | kind | why |\n|---|---|---|\n'
    const page = `## In use\n\n${table}| \`a\` | hard | it is needed |\n\n## Later\n\n${table}| \`z\` | hard | x |\n`
    expect(dependencyFindings(given, page)).toHaveLength(findings)
  })
})

describe('licences', () => {
  it('of everything a user may install are allowed', () => {
    expect(licenceFindings(JSON.parse(read('package-lock.json')) as Lock)).toEqual([])
  })

  it('are looked up through the whole graph, peers included, development left out', () => {
    const lock: Lock = {
      packages: {
        '': { dependencies: { a: '1' }, peerDependencies: { p: '1', vitest: '1' } },
        'node_modules/a': { version: '1.0.0', license: 'MIT', dependencies: { b: '1', c: '1' } },
        'node_modules/a/node_modules/b': { version: '2.0.0', license: 'EUPL-1.2' },
        'node_modules/b': { version: '1.0.0', license: 'GPL-3.0' },
        'node_modules/c': { version: '1.0.0', dependencies: { a: '1' } },
        'node_modules/p': { version: '3.0.0', license: 'ISC', optionalDependencies: { '@q/r': '1' } },
        'node_modules/@q/r': { version: '4.0.0', license: 'BUSL-1.1' },
        'node_modules/vitest': { version: '1.0.0', license: 'GPL-3.0' },
      },
    }
    expect(licenceFindings(lock).sort()).toEqual(['@q/r@4.0.0: BUSL-1.1', 'b@2.0.0: EUPL-1.2', 'c@1.0.0: no licence stated'])
  })

  it.each([
    ['MIT', true],
    ['(MIT OR GPL-3.0)', true],
    ['(BSD-2-Clause AND MIT)', true],
    ['(GPL-2.0 AND MIT)', false],
    ['SEE LICENSE IN LICENSE', false],
    ['AGPL-3.0-only', false],
  ])('%s: %s', (expression, answer) => {
    expect(permits(expression)).toBe(answer)
  })
})
