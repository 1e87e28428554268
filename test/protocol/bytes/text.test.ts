import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBase64, encodeBase64 } from '../../../src/protocol/bytes/base64.ts'
import {
  asciiUpper,
  decodeUtf8,
  encodeUtf8,
  fromUtf8Octets,
  hasControl,
  isAscii,
  octets,
  octetString,
  utf8Octets,
} from '../../../src/protocol/bytes/text.ts'

const octetText = fc.string({ unit: fc.nat(255).map((unit) => String.fromCharCode(unit)) })

describe('base64', () => {
  it('comes back as it was, and is what Node makes of it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100, size: 'max' }), (bytes) => {
        const text = encodeBase64(bytes)
        expect(text).toBe(Buffer.from(bytes).toString('base64'))
        expect(decodeBase64(text)).toEqual(bytes)
      }),
    )
  })

  it('has one spelling for each sequence of octets', () => {
    const unit = fc.constantFrom(...'AaZz09+/=-_ \n\u013d\u00e9')
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12, size: 'max' }), (text) => {
        const bytes = decodeBase64(text)
        if (bytes !== undefined) expect(encodeBase64(bytes)).toBe(text)
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    'A', 'AB', 'ABC', '=', '==', '====', 'A===', 'AB=C', 'AB=', 'QR==', 'QUJ=', 'QUJD=', 'QUJD====', 'QU JD', 'QUI\u013d',
    'QQ=\u013d',
  ])('refuses %j', (text) => {
    expect(decodeBase64(text)).toBeUndefined()
  })
})

describe('strings of octets', () => {
  it('are octets, one to one', () => {
    fc.assert(
      fc.property(octetText, (text) => {
        expect(octetString(octets(text))).toBe(text)
        expect(octetString(Buffer.from(text, 'latin1'))).toBe(text)
      }),
    )
  })

  it.each([4095, 4096, 4097, 8192, 20_000])('are as long as they are: %d', (length) => {
    const bytes = Uint8Array.from({ length: length + 7 }, (_, at) => at * 7)
    const expected = Buffer.from(bytes).toString('latin1')
    expect(octetString(bytes)).toBe(expected)
    expect(octetString(bytes, 3, length + 3)).toBe(expected.slice(3, length + 3))
    expect(octetString(bytes, 5, 5)).toBe('')
  })

  it('carry text as UTF-8, and know when they do not', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(fromUtf8Octets(utf8Octets(text))).toBe(text)
        expect(decodeUtf8(encodeUtf8(text))).toBe(text)
      }),
    )
    fc.assert(
      fc.property(octetText, (text) => {
        const decoded = fromUtf8Octets(text)
        if (decoded !== undefined) expect(utf8Octets(decoded)).toBe(text)
      }),
    )
  })

  it.each(['\u00c0\u0080', '\u00ed\u00a0\u0080', '\u00f4\u0090\u0080\u0080', '\u00ff', '\u00e2\u0082'])(
    'are no UTF-8: %j',
    (text) => {
      expect(fromUtf8Octets(text)).toBeUndefined()
    },
  )

  it('keep a byte order mark', () => {
    expect(fromUtf8Octets('\u00ef\u00bb\u00bfa')).toBe('\ufeffa')
  })
})

describe('words', () => {
  it('are made upper case only where they are ASCII', () => {
    expect(asciiUpper('mail')).toBe('MAIL')
    for (const word of ['ma\u0131l', '\u017fize', '\u212aill', 'stra\u00dfe']) expect(asciiUpper(word)).toBe(word)
    for (let unit = 128; unit < 0x10000; unit++) {
      const word = String.fromCharCode(unit)
      if (asciiUpper(word) !== word) throw new Error(`${unit} changes`)
    }
    expect(isAscii('a\u0080')).toBe(false)
  })

  it('have control characters or not', () => {
    for (let unit = 0; unit < 300; unit++) expect(hasControl(`a${String.fromCharCode(unit)}`)).toBe(unit < 32 || unit === 127)
  })
})
