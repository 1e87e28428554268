import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeText } from '../../src/message/charset.ts'
import { bodyText, foldText, headerText } from '../../src/message/search-text.ts'
import { decodeTransfer, type TransferEncoding } from '../../src/message/transfer.ts'
import { WordFinder } from '../../src/message/word-finder.ts'
import { encodeUtf8, octets } from '../../src/protocol/bytes/text.ts'

const encodings: readonly TransferEncoding[] = ['7bit', '8bit', 'base64', 'quoted-printable', 'uuencode', 'unknown']
const charsets = [
  undefined, 'us-ascii', 'utf-8', 'iso-8859-1', 'windows-1250', 'koi8-r', 'utf-7', 'utf-16', 'iso-2022-jp', 'big5', 'x',
]

/** Texts of which letters come in many ways. */
const pieces = [
  's', 'S', 'st', 'a', 'r', 'R', 'ss', 'strass', 'f', 'i', 'ffi', ' ', '  ', '\t', '\r\n', '\n', '\r',
  '=', '==', '=\r\n', '= \r\n', '=\n', '=\r', '=73', '=53', '=C3', '=9F', '=C3=9F', '=c3=\r\n=9f', '=E1=BA=9E', '=C5=99',
  '=DF', '=3D', '=7', '=EF=AC=81', '=F0=9D=90=92', '=C2=A0',
  '\u00df', '\u0159', '\u017f', '\u0131', '\ufb01', '\u212a', '\ud835\udc12', '\u00a0', '\u0301', '\u65e5', '\u0441',
  '\xff', '\x80', 'c3BlY2s=', '=?utf-8?q?st=C3=9F?=', ': ', '+ZeU-', '\x1b$B', 'e\u0301', '\u1ef5',
]
const words = [
  's', 'ss', 'str', 'strass', 'strasse', 'ras', 'ffi', 'fi', 'spec', 'e', 'r', 'sr', 'ar', 's s', 'a s', '=s', '=', 'k', 'c3',
  'bc', '\u00df', 'stra\u00dfe', '\u65e5', 'e\u0301', 'st\u0159', '\u0301', 's'.repeat(25), 'a\r\ns', ' ', '\0', '.*', 's+',
]

const piece = fc.oneof({ arbitrary: fc.constantFrom(...pieces), weight: 9 }, fc.string({ maxLength: 3 }))
const text = fc.array(piece, { maxLength: 14 }).map((some) => some.join(''))
const bytes = fc.oneof(
  text.map((some) => encodeUtf8(some)),
  text.map((some) => octets(some)),
  fc.uint8Array({ maxLength: 30 }),
)
const wanted = fc.oneof(fc.constantFrom(...words), fc.string({ minLength: 1, maxLength: 4 }), text.filter((some) => some !== ''))

describe('words are found where the decoded text has them', () => {
  it('in parts', () => {
    const any = [bytes, wanted, fc.constantFrom(...encodings), fc.constantFrom(...charsets)] as const
    fc.assert(fc.property(...any, (body, word, encoding, charset) => {
      const folded = foldText(word)
      const has = foldText(decodeText(decodeTransfer(body, encoding), charset)).includes(folded)
      expect(new WordFinder(folded).inPart(body, encoding, charset)).toBe(has)
    }), { numRuns: 10_000 })
  })

  it('in headers', () => {
    fc.assert(fc.property(bytes, wanted, (header, word) => {
      const folded = foldText(word)
      expect(new WordFinder(folded).inHeader(header)).toBe(foldText(headerText(header)).includes(folded))
    }), { numRuns: 5000 })
  })

  it('one finder serves many texts', () => {
    const finder = new WordFinder(foldText('grass'))
    const said = (some: string): boolean => finder.inPart(encodeUtf8(some), 'quoted-printable', 'utf-8')
    expect(['GRA=\r\nSS', 'gra=C3=9F', 'gra=73=53', 'gras', 'gr=C3=A4s', 'gra=C3=\r\n=9F', 'Gra\u00df'].map(said))
      .toEqual([true, true, true, false, false, true, true])
  })

  it('whose text begins with soft line breaks', () => {
    expect(new WordFinder('AS').inPart(octets('=\r\n=\r\n=C3=A9'), 'quoted-printable', 'utf-8')).toBe(false)
    expect(new WordFinder('ES').inPart(octets('=\r\nS=\r\n=C5=9B'), 'quoted-printable', 'utf-8')).toBe(false)
    expect(new WordFinder('SS').inPart(octets('=\r\nS=\r\n=C5=9B'), 'quoted-printable', 'utf-8')).toBe(true)
  })

  it('agrees with what parts say', () => {
    const params = [['charset', 'utf-8']] as const
    const part = { type: 'text', subtype: 'plain', header: 0, body: 0, end: 9, lines: 1, encoding: 'base64', params: [...params] }
    const body = octets('c3BlY2s=')
    expect(bodyText(part, body)).toBe('speck')
    expect(new WordFinder('PEC').inPart(body, 'base64', 'utf-8')).toBe(true)
  })
})
