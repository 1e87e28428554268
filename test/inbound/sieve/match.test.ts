import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { find } from '../../../src/inbound/sieve/find.ts'
import { Glob } from '../../../src/inbound/sieve/glob.ts'
import { Matcher } from '../../../src/inbound/sieve/matcher.ts'
import type { ComparatorName, Matching, Relation } from '../../../src/inbound/sieve/program.ts'
import { Budget, SieveFailure } from '../../../src/inbound/sieve/steps.ts'

const plenty = () => new Budget(1e9)
const globbed = (pattern: string, text: string) =>
  new Glob(pattern).match(text, plenty())?.map(([from, to]) => text.slice(from, to))

describe(':matches', () => {
  it.each([
    ['a*c', 'abbc', ['bb']],
    ['*', '', ['']],
    ['', '', []],
    ['', 'a', undefined],
    ['?', '', undefined],
    ['**', 'ab', ['', 'ab']],
    ['*.*', 'a.b.c', ['a', 'b.c']],
    ['*?b', 'aab', ['a', 'a']],
    ['a*a', 'a', undefined],
    ['a\\*', 'a*', []],
    ['a\\*', 'ab', undefined],
    ['a\\', 'a\\', []],
    ['?x', '\u{1f600}x', ['\u{1f600}']],
    ['*?', '\u{1f600}\u{1f601}', ['\u{1f600}', '\u{1f601}']],
    ['?', '\u{1f600}\u{1f601}', undefined],
    ['*a?c*', 'xxabxabcx', ['xxabx', 'b', 'x']],
  ])('%j in %j', (pattern, text, captures) => {
    expect(globbed(pattern, text)).toEqual(captures)
  })

  it('finds what a regular expression finds that takes as little as may be', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', '.', '\n'), { maxLength: 14 }).map((all) => all.join(''))
    const pattern = fc.array(fc.constantFrom('a', 'b', '.', '?', '*'), { maxLength: 7 }).map((all) => all.join(''))
    fc.assert(fc.property(pattern, letters, (one, text) => {
      const source = one.replaceAll('.', '\\.').replaceAll('?', '([^])').replaceAll('*', '([^]*?)')
      expect(globbed(one, text)).toEqual(new RegExp(`^${source}$`).exec(text)?.slice(1))
    }), { numRuns: 1000 })
  })

  it('takes no more work than it is given', () => {
    const text = 'a'.repeat(100_000)
    expect(() => new Glob(`*${'a?'.repeat(5000)}b*`).match(text, new Budget(100_000))).toThrow(SieveFailure)
    expect(globbed(`*${'a*'.repeat(20_000)}b`, text)).toBe(undefined)
    expect(globbed(`*${'a'.repeat(50_000)}b*`, text)).toBe(undefined)
  })
})

describe('a search', () => {
  it('finds what the built-in one finds', () => {
    const letters = (most: number) => fc.array(fc.constantFrom('a', 'b'), { maxLength: most }).map((all) => all.join(''))
    fc.assert(fc.property(letters(400), letters(60), fc.nat(50), (text, needle, from) => {
      expect(find(text, needle, from)).toBe(text.indexOf(needle, from))
      expect(find(text + needle, needle, from)).toBe((text + needle).indexOf(needle, from))
    }), { numRuns: 300 })
  })
})

describe('comparators', () => {
  const test = (comparator: ComparatorName, type: Matching['type'], value: string, key: string, relation?: Relation) =>
    new Matcher({ type, comparator, ...(relation && { relation }) }, [key], plenty()).test(value) !== false

  it.each<[ComparatorName, Matching['type'], string, string, boolean, Relation?]>([
    ['i;octet', 'is', 'a', 'A', false],
    ['i;octet', 'matches', 'ü', '??', true],
    ['i;octet', 'matches', 'ü', '?', false],
    ['i;ascii-casemap', 'is', 'a', 'A', true],
    ['i;ascii-casemap', 'is', 'ü', 'Ü', false],
    ['i;ascii-casemap', 'is', 'ı', 'I', false],
    ['i;ascii-casemap', 'contains', 'xAbx', 'aB', true],
    ['i;unicode-casemap', 'is', 'ü', 'Ü', true],
    ['i;unicode-casemap', 'is', 'ü', 'u\u0308', true],
    ['i;unicode-casemap', 'is', 'straße', 'STRASSE', true],
    ['i;unicode-casemap', 'matches', 'xüy', 'X?Y', true],
    ['i;ascii-numeric', 'is', '007', '7', true],
    ['i;ascii-numeric', 'is', '7 of them', '7', true],
    ['i;ascii-numeric', 'is', 'none', 'nothing', true],
    ['i;ascii-numeric', 'value', '10', '9', true, 'gt'],
    ['i;ascii-numeric', 'value', 'x', '99999999999999999999999', true, 'gt'],
    ['i;ascii-numeric', 'value', '99999999999999999999998', '99999999999999999999999', true, 'lt'],
    ['i;ascii-casemap', 'value', '10', '9', true, 'lt'],
    ['i;ascii-casemap', 'value', 'a', 'B', true, 'lt'],
    ['i;octet', 'value', 'a', 'B', true, 'gt'],
    ['i;octet', 'value', '\uffee', '\u{10000}', true, 'lt'],
    ['i;octet', 'value', 'a', 'a', true, 'le'],
    ['i;octet', 'value', 'a', 'a', false, 'ne'],
  ])('%s %s %j %j: %s %s', (comparator, type, value, key, expected, relation) => {
    expect(test(comparator, type, value, key, relation)).toBe(expected)
  })
})
