import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { saslprep } from '../../../src/protocol/sasl/index.ts'

describe('SASLprep', () => {
  it.each<[string, string, string | undefined]>([
    // RFC 4013 §3.
    ['a soft hyphen is mapped to nothing', 'I\u00adX', 'IX'],
    ['nothing changes', 'user', 'user'],
    ['case is kept', 'USER', 'USER'],
    ['NFKC, a feminine ordinal', '\u00aa', 'a'],
    ['NFKC, a Roman numeral', '\u2168', 'IX'],
    ['a control character', '\u0007', undefined],
    ['a digit behind what is written from right to left', '\u06271', undefined],
    // RFC 3454.
    ['a digit among what is written from right to left', '\u0627\u0031\u0628', '\u06271\u0628'],
    ['two directions of writing', '\u0627a\u0628', undefined],
    ['an odd space', 'a\u00a0b\u3000c', 'a b c'],
    ['a joiner', 'a\u200db', 'ab'],
    ['the zero width space, which C.1.2 and B.1 both name', 'a\u200bb', 'a b'],
    ['what came with a later Unicode', '\u{1f600}', '\u{1f600}'],
    ['private use', '\ue000', undefined],
    ['half a character', '\ud800', undefined],
    ['what is no character', '\ufdd0', undefined],
    ['a tag', '\u{e0061}', undefined],
    ['DELETE', 'a\u007f', undefined],
    ['a code point of the last plane', '\u{10ffff}', undefined],
    ['composition', 'e\u0301', '\u00e9'],
    ['nothing at all', '', ''],
  ])('%s', (_what, given, wanted) => {
    expect(saslprep(given)).toBe(wanted)
  })

  it('leaves alone what it has made', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const once = saslprep(text)
        if (once !== undefined) expect(saslprep(once)).toBe(once)
      }),
      { numRuns: 200 },
    )
  })
})
