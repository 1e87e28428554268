import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeText } from '../../src/message/charset.ts'
import { escapeOctet } from '../../src/message/quoted-printable.ts'
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

/** A word as quoted-printable may have it: letters in any case, as they are or escaped, with soft line breaks between them. */
const written = fc.array(fc.tuple(
  fc.constantFrom(...'strase=5', '\u00df', '\u0159'),
  fc.boolean(),
  fc.constantFrom('', '', '', '', '=\r\n', '=\n', '= \t\r\n', '=\r\n=\r\n', ' ', '\r\n'),
  fc.constantFrom('raw', 'raw', 'raw', 'escaped', 'small'),
), { maxLength: 9 }).map((letters) => letters.map(([letter, isUpper, between, how]) => {
  const said = isUpper ? letter.toUpperCase() : letter
  const escaped = [...encodeUtf8(said)].map((octet) => escapeOctet(octet)).join('')
  const plain = how === 'raw' && said !== '=' && said.charCodeAt(0) < 128
  return between + (plain ? said : how === 'small' ? escaped.toLowerCase() : escaped)
}).join(''))

describe('words are found where the decoded text has them', () => {
  it('in parts', () => {
    const any = [bytes, wanted, fc.constantFrom(...encodings), fc.constantFrom(...charsets)] as const
    fc.assert(fc.property(...any, (body, word, encoding, charset) => {
      const folded = foldText(word)
      const has = foldText(decodeText(decodeTransfer(body, encoding), charset)).includes(folded)
      const eightBit = body.some((octet) => octet > 127)
      expect(new WordFinder(folded).inPart(body, encoding, charset, eightBit)).toBe(has)
      expect(new WordFinder(folded).inPart(Buffer.from(body), encoding, charset)).toBe(has)
    }), { numRuns: 8000 })
  })

  it('in parts that are written in odd ways', () => {
    const said = written.map((some) => decodeText(decodeTransfer(octets(some), 'quoted-printable')))
    const word = fc.oneof(fc.constantFrom(...words), said)
    fc.assert(fc.property(written, word, fc.constantFrom('utf-8', 'iso-8859-2', undefined), (some, sought, charset) => {
      const body = octets(some)
      const folded = foldText(sought)
      if (folded === '') return
      const has = foldText(decodeText(decodeTransfer(body, 'quoted-printable'), charset)).includes(folded)
      expect(new WordFinder(folded).inPart(body, 'quoted-printable', charset, false)).toBe(has)
    }), { numRuns: 8000 })
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

  it('whose letters are broken up', () => {
    const said = (some: string): boolean => new WordFinder('QUASAR').inPart(octets(some), 'quoted-printable', 'utf-8', false)
    const broken = [
      'qua=\r\nsar', 'q=\r\n=\r\nuasar', '=71uasar', 'qu=41=53ar', 'qu=61=\r\n=53ar', 'quasa=\n=72', 'QUA=  \r\nSAR',
      'quasa=C5=\r\n=99',
    ]
    expect(broken.map(said)).toEqual(broken.map(() => true))
    const others = [
      'qua=\r\n\r\nsar', 'qua\r\nsar', 'qua=3Dsar', 'qua=\r\nsa=\r\ns', '=71=75=61=73=61=71', 'qua = sar', 'qua=C3=A4sar',
    ]
    expect(others.map(said)).toEqual(others.map(() => false))
  })

  it('agrees with what parts say', () => {
    const params = [['charset', 'utf-8']] as const
    const part = { type: 'text', subtype: 'plain', header: 0, body: 0, end: 9, lines: 1, encoding: 'base64', params: [...params] }
    const body = octets('c3BlY2s=')
    expect(bodyText(part, body)).toBe('speck')
    expect(new WordFinder('PEC').inPart(body, 'base64', 'utf-8')).toBe(true)
  })
})
