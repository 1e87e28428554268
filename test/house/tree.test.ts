import { expect, it } from 'vitest'
import { cycleFindings } from './cycles.ts'
import { foreignFindings } from './foreign.ts'
import { levelFindings } from './levels.ts'
import { neutralFindings } from './neutral.ts'
import { type Finding, files } from './source.ts'
import { docFindings, lengthFindings, nameFindings, openEndFindings, styleFindings } from './tidy.ts'

const source = files('src', (path) => path.endsWith('.ts'))
const code = [...source, ...files('test', (path) => path.endsWith('.ts'))]
const kept = files('.', (path) => /\.(ts|mts|cts|js|mjs|cjs|json|md|ya?ml|sh|wat)$|^\.ci\/run$|^\.npmrc$/.test(path))

function told(findings: readonly Finding[]): string[] {
  return findings.map(({ path, line, message }) => `${path}:${line} ${message}`)
}

it('imports only from lower levels, and third parties only in adapters', () => {
  expect(told(levelFindings(source))).toEqual([])
})

it('has no circle of imports', () => {
  expect(told(cycleFindings(source))).toEqual([])
})

it('touches the machine only in adapters', () => {
  expect(told(neutralFindings(source))).toEqual([])
})

it('keeps files short, or says why not', () => {
  expect(told(lengthFindings(code))).toEqual([])
})

it('keeps one style', () => {
  expect(told(styleFindings(code))).toEqual([])
})

it('leaves no open ends', () => {
  expect(told(openEndFindings(code))).toEqual([])
})

it('documents what it exports', () => {
  expect(told(docFindings(source))).toEqual([])
})

it('names things by what they are', () => {
  expect(told(nameFindings(source))).toEqual([])
})

it('speaks of no machine and no registry', () => {
  expect(told(foreignFindings(kept))).toEqual([])
})
