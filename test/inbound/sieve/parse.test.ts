import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileSieve, parseSieve, printSieve, type SieveCommand } from '../../../src/inbound/sieve/index.ts'

const errors = (script: string) => compileSieve(script).errors.map(({ line, column, text }) => `${line}:${column} ${text}`)

/** The same without where things stand. */
function withoutPlaces(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, one: unknown) => (key === 'at' ? undefined : one)))
}

describe('errors of a script', () => {
  it.each([
    ['fileinot "x";', ['1:1 there is no command "fileinot": did you mean fileinto?']],
    ['if headr "a" "b" { keep; }', ['1:4 there is no test "headr": did you mean header?']],
    ['if header :contain "a" "b" { keep; }', ['1:11 header has no :contain: did you mean :contains?']],
    ['require "fileinot";', ['1:9 there is no extension "fileinot" here: did you mean fileinto?']],
    ['require "regex";', ['1:9 there is no extension "regex" here: regular expressions can take for ever; use :matches']],
    ['keep\ndiscard;', ['1:1 a semicolon is missing behind keep']],
    ['keep;\n\n  discard "x" "y";', ['3:11 discard takes no argument']],
    ['fileinto "a"; fileinto "b";', ['1:1 fileinto needs require "fileinto" at the top of the script']],
    ['if not (true, false) { keep; }', ['1:4 not takes one test: put allof or anyof before them']],
    ['if header :value "about" "a" "b" {}', [
      '1:11 :value needs require "relational" at the top of the script',
      '1:18 :value has to be followed by one of "gt", "ge", "lt", "le", "eq", "ne"',
    ]],
    ['if true {\n  keep;\n', ['1:9 the block of if has no end: close it with a brace']],
    ['stop "abc;\nstop;', [
      '1:6 this string has no end: close it with a quotation mark',
      '1:6 stop takes no argument',
      '2:6 stop has to end in a semicolon or a block',
    ]],
    ['redirect text:\nx@example.org\n', ['1:10 this text has no end: close it with a line that is a dot alone',
      '1:10 "x@example.org\\n" is no address to send to', '3:1 redirect has to end in a semicolon or a block']],
    ['keep; \0', ['1:7 a NUL character cannot stand in a script']],
    ['keep;\r', ['1:6 a carriage return without a line feed cannot stand in a script']],
    ['require "variables"; set "x-y" "1";', ['1:26 "x-y" is no name of a variable that can be set']],
    ['stop; require "fileinto";', ['1:7 require has to stand at the top of the script, before all other commands']],
  ])('%j', (script, expected) => {
    expect(errors(script)).toEqual(expected)
  })

  it('are all told, in the order of the script', () => {
    const script = 'foo;\nif bar {}\nkeep 1;\nredirect "nobody";\nif size "x" {}\nelse'
    expect(errors(script).map((one) => one.split(' ')[0])).toEqual(['1:1', '2:4', '3:6', '4:10', '5:9', '6:1', '6:5'])
  })

  it('are no more than a hundred', () => {
    expect(errors('foo;'.repeat(1000)).length).toBe(100)
  })

  it('include that of a script that is too large, or no UTF-8', () => {
    expect(errors(`# ${'x'.repeat(70_000)}`)).toEqual(['1:1 the script is larger than 65536 characters: make it shorter'])
    expect(compileSieve(new Uint8Array([0xff])).errors[0]?.text).toContain('UTF-8')
    expect(compileSieve(new TextEncoder().encode('keep;')).errors).toEqual([])
  })

  it.each([
    ['blocks', (depth: number) => `${'if true {'.repeat(depth)}keep;${'}'.repeat(depth)}`],
    ['tests', (depth: number) => `if ${'not '.repeat(depth)}true { keep; }`],
    ['lists of tests', (depth: number) => `if ${'allof('.repeat(depth)}true${')'.repeat(depth)} { keep; }`],
  ])('come from %s too deep in one another, at any depth', (_, script) => {
    expect(errors(script(20))).toEqual([])
    expect(errors(script(6000).slice(0, 60_000)).some((one) => one.includes('more than 32 others'))).toBe(true)
  })
})

/** What strings of scripts may hold. */
const text = fc
  .oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom('', '"', '\\', '.\n..', '/* x */', '${a}', 'a\nb', 'Grüße', '\u{1f600}', '#'),
    fc.string({ unit: 'binary', maxLength: 8 }),
  )
  .map((one) => one.replace(/[\0\r\p{Cs}]/gu, ''))
const at = fc.constant({ line: 1, column: 1 })
const few = { minLength: 1, maxLength: 3 }
const argument = fc.oneof(
  fc.record({ kind: fc.constant('string' as const), value: text, at }),
  fc.record({ kind: fc.constant('list' as const), values: fc.array(fc.record({ value: text, at }), few), at }),
  fc.record({ kind: fc.constant('number' as const), value: fc.maxSafeNat(), at }),
  fc.record({ kind: fc.constant('tag' as const), name: fc.constantFrom('is', 'contains', 'x_1', '_'), at }),
)
const { command } = fc.letrec<{ test: SieveCommand; command: SieveCommand }>((tie) => {
  const node = (names: readonly string[]) => ({
    name: fc.constantFrom(...names),
    at,
    arguments: fc.array(argument, { maxLength: 3 }),
  })
  const listed = fc.record({ listed: fc.constant(true), tests: fc.array(tie('test'), few) })
  const lone = fc.record({ listed: fc.constant(false), tests: fc.array(tie('test'), { maxLength: 1 }) })
  const block = fc.option(fc.array(tie('command'), { maxLength: 3 }), { nil: undefined })
  const tested = fc.oneof({ depthSize: 'small' }, fc.constant({ listed: false, tests: [] as SieveCommand[] }), listed, lone)
  return {
    test: fc.tuple(fc.record(node(['true', 'header', 'not', 'x'])), tested)
      .map(([one, two]) => ({ ...one, ...two, block: undefined })),
    command: fc.tuple(fc.record(node(['keep', 'if', 'unknown'])), tested, block)
      .map(([one, two, inside]) => ({ ...one, ...two, block: inside })),
  }
})

describe('a script', () => {
  it('is the same once it was printed', () => {
    fc.assert(fc.property(fc.array(command, { maxLength: 4 }), (commands) => {
      const printed = printSieve(commands)
      const parsed = parseSieve(printed, { size: Infinity, depth: 100 })
      expect(parsed.errors).toEqual([])
      expect(withoutPlaces(parsed.commands)).toEqual(withoutPlaces(commands))
      expect(printSieve(parsed.commands)).toBe(printed)
    }), { numRuns: 150 })
  })

  const words = ['if', 'elsif', 'else', 'keep', 'header', 'allof', 'not', 'require', 'text:\n', '"', '"a"', '\\', ':is', ':count',
    '(', ')', '{', '}', '[', ']', ';', ',', '1K', '${', '/*', '*/', '#', '\n.\n', '\r\n', ' ', 'set', 'é']
  it('is read whatever it holds', () => {
    const pieces = fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((all) => all.join(' '))
    fc.assert(fc.property(fc.oneof(pieces, fc.string(), fc.uint8Array()), (script) => {
      const compiled = compileSieve(script)
      expect(compiled.program === undefined).toBe(compiled.errors.length > 0)
      const lines = typeof script === 'string' ? script.split('\n').length : 1000
      for (const { line, column } of compiled.errors) expect(line >= 1 && line <= lines && column >= 1).toBe(true)
    }), { numRuns: 300 })
  })

  it('is read in time that grows as it does', () => {
    const pieces = ['[', '(', '{', '"', '\\', 'text:\n', '/*', '${hex:', 'keep ', ':a ', '1', 'not ', '"${a}"', '}', '?', '#']
    for (const piece of pieces) {
      const script = piece.repeat(Math.floor(65_000 / piece.length))
      expect(compileSieve(script).errors.length).toBeGreaterThan(piece === '#' ? -1 : 0)
    }
  })
})
