import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeEncodedWords, encodeWords } from '../../src/message/encoded-words.ts'

describe('the examples of RFC 2047 §8', () => {
  it.each([
    ['=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>', 'Keith Moore <moore@cs.utk.edu>'],
    ['=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>', 'Keld Jørn Simonsen <keld@dkuug.dk>'],
    ['=?ISO-8859-1?Q?Andr=E9?= Pirard <PIRARD@vm1.ulg.ac.be>', 'André Pirard <PIRARD@vm1.ulg.ac.be>'],
    ['=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=',
      'If you can read this you understand the example.'],
    ['=?ISO-8859-1?Q?Olle_J=E4rnefors?= <ojarnef@admin.kth.se>', 'Olle Järnefors <ojarnef@admin.kth.se>'],
    ['=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?= <paf@nada.kth.se>', 'Patrik Fältström <paf@nada.kth.se>'],
    ['(=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=)', '(םולש ןב ילטפנ)'],
    ['(=?ISO-8859-1?Q?a?=)', '(a)'],
    ['(=?ISO-8859-1?Q?a?= b)', '(a b)'],
    ['(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)', '(ab)'],
    ['(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)', '(ab)'],
    ['(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)', '(ab)'],
    ['(=?ISO-8859-1?Q?a_b?=)', '(a b)'],
    ['(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)', '(a b)'],
  ])('%s', (text, expected) => {
    expect(decodeEncodedWords(text)).toBe(expected)
  })
})

describe('what mail has besides', () => {
  it.each([
    ['a character cut in two', '=?utf-8?B?w6nDqcM=?= =?utf-8?B?qcOp?=', 'éééé'],
    ['cut in two, in different letters', '=?utf-8?Q?=E2=82?= =?UTF-8?q?=AC?=', '€'],
    ['cut in two between encodings', '=?utf-8?Q?=C3?= =?utf-8?B?qQ==?=', 'é'],
    ['no padding', '=?utf-8?B?w6k?= =?utf-8?B?YQ?=', 'éa'],
    ['a language (RFC 2231 §5)', '=?us-ascii*en-us?q?Colour?=', 'Colour'],
    ['blanks in the text', '=?utf-8?Q?a b=C3=A9 c?=', 'a bé c'],
    ['question marks in the text', '=?utf-8?Q?why?_me??=', 'why? me?'],
    ['no text', 'a =?utf-8?Q??= b', 'a  b'],
    ['no blanks around', 'a=?utf-8?Q?=C3=A9?=b', 'aéb'],
    ['no blank between', '=?utf-8?Q?a?==?utf-8?Q?b?=', 'ab'],
    ['a wrong escape', '=?utf-8?Q?100=_=ZZ=4?=', '100= =ZZ=4'],
    ['lower-case digits', '=?utf-8?q?=c3=a9?=', 'é'],
    ['= before the end', '=?utf-8?Q?a=?=', 'a='],
    ['characters that should be encoded', '=?utf-8?Q?é_=C3=A9?=', 'é é'],
    ['an unknown charset', '=?x-klingon?Q?a=C3=A9?=', 'aé'],
    ['an unknown charset that is not UTF-8', '=?unknown-8bit?Q?a=E9?=', 'aé'],
    ['line ends and NUL in the text', '=?utf-8?Q?a=0D=0ABcc:_b=00?=', 'a  Bcc: b '],
    ['a shift charset', '=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=', '日本'],
  ])('%s', (_, text, expected) => {
    expect(decodeEncodedWords(text)).toBe(expected)
  })

  it.each([
    '=?', '=?=', '=??Q?a?=', '=?utf-8?X?a?=', '=?utf-8?Q?a', '=?utf-8?Q', '=?utf 8?Q?a?=', `=?${'x'.repeat(80)}?Q?a?=`, '?=',
      'a =? b ?= c',
  ])('%s is no encoded word', (text) => {
    expect(decodeEncodedWords(text)).toBe(text)
  })

  it('a word that was cut off does not swallow the next', () => {
    expect(decodeEncodedWords('=?utf-8?Q?abc =?utf-8?Q?d=C3=A9f?=')).toBe('=?utf-8?Q?abc déf')
  })
})

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }), fc.lorem(),
  fc.constantFrom('=?utf-8?Q?a?=', 'a\tb', 'ß'.repeat(200), '日本語 '.repeat(50), `${'x'.repeat(300)} é`, '\x7f',
    '👩‍👩‍👧'.repeat(20), '=?'),
)

describe('encoding', () => {
  it.each([
    ['plain', 'plain'],
    ['Jürgen Maier', '=?UTF-8?Q?J=C3=BCrgen_Maier?='],
    ['Grüße', '=?UTF-8?B?R3LDvMOfZQ==?='],
    ['日本語', '=?UTF-8?B?5pel5pys6Kqe?='],
    ['a =? b', '=?UTF-8?B?YSA9PyBi?='],
  ])('%s', (plain, expected) => {
    expect(encodeWords(plain)).toBe(expected)
  })

  it('is undone by decoding, in words of 75 characters at most', () => {
    fc.assert(fc.property(text, (plain) => {
      const coded = encodeWords(plain)
      expect(decodeEncodedWords(coded)).toBe(plain.replace(/[\0\r\n]/g, ' '))
      if (coded === plain) return
      for (const word of coded.split(' ')) {
        expect(word.length).toBeLessThanOrEqual(75)
        expect(word).toMatch(/^=\?UTF-8\?[BQ]\?[!-~]*\?=$/)
      }
    }), { numRuns: 500 })
  })
})

describe('any text', () => {
  it('decodes without an exception; what has no encoded word is left alone', () => {
    const piece = fc.constantFrom('=?', '?=', '?', '=', 'utf-8', '?Q?', '?b?', ' ', 'x', '=C3', '_', 'é', '\0')
    fc.assert(fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const joined = pieces.join('')
      const decoded = decodeEncodedWords(joined)
      if (!/=\?[^?]+\?[qb]\?.*\?=/i.test(joined)) expect(decoded).toBe(joined)
    }), { numRuns: 2_000 })
  })

  it.each([
    '=?', '=?a?q?', '=?a?q?x?=', '=?a?q?x?= ', '?=', '=?a', '=?a?b?YQ', '=?a?q?x=?', '=?a?q? ', '=?a?q?=?=',
  ])('of nothing but %j takes linear time', (piece) => {
    decodeEncodedWords(piece.repeat(300_000 / piece.length))
    decodeEncodedWords(`${piece.repeat(300_000 / piece.length)}?=`)
  })
})
