import { expect, it } from 'vitest'
import { isNeutral } from './levels.ts'
import { complaints, program } from './program.ts'
import { sliceFindings } from './slices.ts'
import { files } from './source.ts'

const source = files('src', (path) => path.endsWith('.ts'))
const neutral = source.filter(({ path }) => isNeutral(path) || path.endsWith('.d.ts'))
const globals = neutral.filter(({ path }) => path.endsWith('.d.ts'))

it('slices no bytes in the neutral rooms', () => {
  const found = sliceFindings(program('tsconfig.neutral.json', neutral), neutral.map(({ path }) => path))
  expect(found.map(({ path, line, message }) => `${path}:${line} ${message}`)).toEqual([])
})

it('finds slices of bytes, whatever the variable is called, and lets text be sliced', () => {
  const text = `
    export function cut(a: Uint8Array, b: Uint8Array | string, c: string, d: readonly number[]) {
      return [a.slice(1), b.slice(2), c.slice(3), d.slice(4), a.subarray(5)]
    }
  `
  const sample = { path: 'src/protocol/bytes/sample.ts', text }
  const found = sliceFindings(program('tsconfig.neutral.json', [sample]), [sample.path])
  expect(found.map(({ line }) => line)).toEqual([3, 3])
})

it('compiles neutral rooms without the machine', () => {
  const refused = [
    'Buffer.from([1])', 'process.pid', 'setTimeout(() => {}, 1)', 'performance.now()', 'crypto.randomUUID()', 'console.log()',
  ]
  const samples = refused.map((code, index) => ({
    path: `src/protocol/bytes/sample${index}.ts`,
    text: `export const x = ${code}\n`,
  }))
  const allowed = {
    path: 'src/protocol/bytes/allowed.ts',
    text: `
      export const text: string = new TextDecoder('utf-8', { fatal: true }).decode(new TextEncoder().encode('x'))
      export const given: AbortSignal = new AbortController().signal
      export const native = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(8))).exports
    `,
  }
  const built = program('tsconfig.neutral.json', [...globals, allowed, ...samples])
  expect(complaints(built, [allowed.path])).toEqual([])
  for (const { path, text } of samples) expect(complaints(built, [path]), text).toHaveLength(1)
})
