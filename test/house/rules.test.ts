import { describe, expect, it } from 'vitest'
import { foreignFindings } from './foreign.ts'
import { neutralFindings } from './neutral.ts'
import type { Finding, Source } from './source.ts'
import { docFindings, lengthFindings, nameFindings, openEndFindings, styleFindings } from './tidy.ts'

function count(rule: (sources: readonly Source[]) => Finding[], text: string, path = 'src/message/a.ts'): number {
  return rule([{ path, text }]).length
}

describe('neutral rooms', () => {
  it.each([
    'Buffer.from(x)', 'x instanceof Buffer', 'process.pid', 'globalThis.process', 'require("x")', 'setTimeout(x, 1)',
    'setInterval(x, 1)', 'setImmediate(x)', 'clearTimeout(x)', 'queueMicrotask(x)', 'Date.now()', 'Date["now"]()', 'Date()',
    'new Date()', 'new Date(2026, 1, 1)', 'Date.parse(x)', 'performance.now()', 'Math.random()', 'crypto.randomUUID()',
    'console.log(x)', 'fetch(x)', 'AbortSignal.timeout(5)', 'x.toLocaleLowerCase()', 'a.localeCompare(b)', 'date.getHours()',
    'date.getTimezoneOffset()', 'import.meta.url', 'const { now } = performance', 'Intl.DateTimeFormat()', '({ crypto })',
  ])('cannot spell %s', (code) => {
    expect(count(neutralFindings, `${code}\n`)).toBe(1)
  })

  it.each([
    'x.process()', 'const y = { process: 1, crypto: 2 }', 'const { process: p } = x', 'class A { performance = 1 }',
    'new Date(now)', 'date.getUTCHours()', 'x.toLowerCase()', 'Math.max(1, 2)', '// setTimeout', "'process'",
    'interface A { fetch(): void }',
  ])('may spell %s', (code) => {
    expect(count(neutralFindings, `${code}\n`)).toBe(0)
  })

  it.each([
    ['src/server/a.ts', 1],
    ['src/testing/a.ts', 1],
    ['src/cli/serve.ts', 1],
    ['src/cli/main.ts', 0],
    ['src/adapters/node/a.ts', 0],
  ])('%s has %d finding when it spells process', (path, findings) => {
    expect(count(neutralFindings, 'process.exit()\n', path)).toBe(findings)
  })

  it('lets the composition use Buffer', () => {
    expect(count(neutralFindings, 'Buffer.concat(x)\n', 'src/server/a.ts')).toBe(0)
  })
})

describe('length', () => {
  const lines = (number: number): string => 'x\n'.repeat(number)
  it.each([
    ['400 lines', lines(400), 0],
    ['401 lines', lines(401), 1],
    ['401 lines with a reason', `// Long: one table of names, nothing to cut.\n${lines(400)}`, 0],
    ['401 lines with a word that is no reason', `// Long: yes\n${lines(400)}`, 1],
    ['401 lines with the reason further down', `x\n// Long: one table of names, nothing to cut.\n${lines(399)}`, 1],
  ])('%s', (_, text, findings) => {
    expect(count(lengthFindings, text)).toBe(findings)
  })
})

describe('style', () => {
  it.each([
    ['fits', `const a = 'it'\nfor (;;) {}\n`, 0],
    ['double quotes', 'const a = "it"\n', 1],
    ['double quotes around a single one', `const a = "it's"\n`, 0],
    ['a semicolon', `const a = 'it';\n`, 1],
    ['a loop without a body', 'while (step());\n', 0],
    ['a semicolon before a bracket', 'a()\n;[b] = c\n', 0],
    ['a long line', `${'x'.repeat(131)}\n`, 1],
    ['a line just short enough', `${'x'.repeat(130)}\n`, 0],
    ['trailing blanks', 'x \n', 1],
    ['a tab', '\tx\n', 1],
    ['carriage returns', 'x\r\n', 1],
    ['no last line end', 'x', 1],
    ['blank lines at the end', 'x\n\n', 1],
  ])('%s', (_, text, findings) => {
    expect(count(styleFindings, text)).toBe(findings)
  })
})

describe('open ends', () => {
  it.each([
    ['a note to oneself', `// TO${'DO'}: later\n`, 1],
    ['a silenced compiler', `// @ts-${'ignore'}\n`, 1],
    ['any', 'export const a: any = 1\n', 1],
    ['any inside a type', 'export type A = Record<string, any>\n', 1],
    ['the word any', '// any number\n', 0],
    ['a skipped test', `it.${'skip'}('x', () => {})\n`, 1],
    ['a skipped table', `describe.${'skip'}.each([])('x', () => {})\n`, 1],
    ['a test run alone', `test.${'only'}('x', () => {})\n`, 1],
    ['a skip of something else', 'reader.skip(3)\n', 0],
    ['a test that depends on the machine', `it.skipIf(true)('x', () => {})\n`, 0],
  ])('%s', (_, text, findings) => {
    expect(count(openEndFindings, text)).toBe(findings)
  })
})

describe('comments', () => {
  it.each([
    ['a function without', 'export function a() {}\n', 1],
    ['a function with', '/** What. */\nexport function a() {}\n', 0],
    ['a constant without', 'export const a = 1\n', 1],
    ['a type with a line comment only', '// What.\nexport type A = 1\n', 1],
    ['an interface with', '/** What. */\nexport interface A {}\n', 0],
    ['what is not exported', 'function a() {}\n', 0],
    ['what is exported on', `export { a } from './a.ts'\n`, 0],
    ['overloads', '/** What. */\nexport function a(x: 1): 1\nexport function a(x: 2): 2\nexport function a(x: number) {}\n', 0],
    ['overloads without', 'export function a(x: 1): 1\nexport function a(x: number) {}\n', 2],
  ])('%s', (_, text, findings) => {
    expect(count(docFindings, text)).toBe(findings)
  })
})

describe('names', () => {
  it.each([
    ['class QueueManager {}', 'src/message/a.ts', 1],
    ['interface IQueue {}', 'src/message/a.ts', 1],
    ['type DateHelper = 1', 'src/message/a.ts', 1],
    ['interface ImapSession {}', 'src/message/a.ts', 0],
    ['interface Image {}', 'src/message/a.ts', 0],
    ['', 'src/message/utils.ts', 1],
  ])('%s in %s', (text, path, findings) => {
    expect(count(nameFindings, text, path)).toBe(findings)
  })
})

describe('foreign words', () => {
  it.each([
    [['see /wo', 'rk/shared for more'].join(''), 'docs/a.md', 1],
    [['"url": "https://registry.', 'npmjs.org/a"'].join(''), 'a.json', 1],
    ['"resolved": "https://mirror.example/a.tgz"', 'package-lock.json', 1],
    ['the network, framework/ and homework/', 'docs/a.md', 0],
  ])('%s in %s', (text, path, findings) => {
    expect(count(foreignFindings, text, path)).toBe(findings)
  })
})
