import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeText, decodeUnlabelled, isCharset } from '../../src/message/charset.ts'
import { encodeUtf8, octets } from '../../src/protocol/bytes/text.ts'

describe('decodeText', () => {
  it.each<[string | undefined, string, string]>([
    ['utf-8', '\xc3\xa9', 'é'],
    ['UTF8', '\xc3\xa9', 'é'],
    ['"utf-8"', '\xc3\xa9', 'é'],
    ['utf-8*en', '\xc3\xa9', 'é'],
    ['utf_8', '\xef\xbb\xbfa', 'a'],
    ['utf-8', 'a\xe9', 'a\ufffd'],
    ['iso-8859-1', '\x80\x92\xe9', '€’é'],
    ['ISO_8859-1', '\xe9', 'é'],
    ['ISO 8859-1', '\xe9', 'é'],
    ['latin1', '\xe9', 'é'],
    ['windows-1252', '\x85\x81', '…\x81'],
    ['cp1252', '\x80', '€'],
    ['iso-8859-2', '\xb1', 'ą'],
    ['iso8859-15', '\xa4', '€'],
    ['windows-1251', '\xcf\xf0', 'Пр'],
    ['cp-1251', '\xcf', 'П'],
    ['koi8-r', '\xf0', 'П'],
    ['KOI8_R', '\xf0', 'П'],
    ['x-sjis', '\x93\xfa', '日'],
    ['cp932', '\x93\xfa', '日'],
    ['iso-2022-jp', '\x1b$BF|\x1b(B', '日'],
    ['cp50220', '\x1b$BF|\x1b(B', '日'],
    ['euc-jp', '\xc6\xfc', '日'],
    ['gb2312', '\xc8\xd5', '日'],
    ['GBK', '\xc8\xd5', '日'],
    ['gb18030', '\xc8\xd5', '日'],
    ['big5', '\xa4\xe9', '日'],
    ['ks_c_5601-1987', '\xc7\xd1', '한'],
    ['tis-620', '\xa1', 'ก'],
    ['iso-8859-8-i', '\xe0', 'א'],
    ['macintosh', '\x8e', 'é'],
    ['utf-7', '+AOk-', 'é'],
    ['unicode-1-1-utf-7', '+AOk-', 'é'],
    ['utf-16le', '\xe9\0', 'é'],
    ['utf-16', '\xfe\xff\0\xe9', 'é'],
    ['utf-32le', '\xe9\0\0\0', 'é'],
    ['ibm850', '\x82', 'é'],
    ['cp437', '\x82', 'é'],
    ['us-ascii', 'a\xc3\xa9', 'aé'],
    ['ascii', 'a\xe9', 'aé'],
    ['x-unknown', '\xc3\xa9', 'é'],
    ['unknown-8bit', '\x93\xe9', '“é'],
    ['', '\xe9', 'é'],
    ['constructor', '\xe9', 'é'],
    ['__proto__', '\xe9', 'é'],
    ['base64', 'YQ==', 'YQ=='],
    ['hz-gb-2312', 'a', 'a'],
    ['iso-2022-kr', 'a', 'a'],
    [undefined, '\xc3\xa9', 'é'],
    [undefined, '\xe9', 'é'],
    [undefined, '\xef\xbb\xbfa', 'a'],
    [undefined, '', ''],
  ])('%s %j', (charset, coded, expected) => {
    expect(decodeText(octets(coded), charset)).toBe(expected)
  })

  it('never throws, whatever the name', () => {
    const names = fc.oneof(fc.string(), fc.constantFrom('utf-16', 'utf-7', 'iso-2022-jp', 'gb18030'))
    fc.assert(fc.property(fc.uint8Array({ maxLength: 50 }), names, (bytes, name) => {
      expect(typeof decodeText(bytes, name)).toBe('string')
    }), { numRuns: 1_000 })
  })

  it('decodes long text of one octet a character', () => {
    expect(decodeText(new Uint8Array(100_000).fill(0x80), 'latin1')).toBe('€'.repeat(100_000))
  })

  it('reads any text in UTF-8 without being told', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }).filter((text) => !text.startsWith('\ufeff')), (text) => {
      expect(decodeUnlabelled(encodeUtf8(text))).toBe(text)
    }))
  })

  it('tells what it knows', () => {
    expect(['utf-8', 'US-ASCII', 'Latin1', 'utf-7', 'ibm850'].filter((name) => !isCharset(name))).toEqual([])
    expect(['x-unknown', '', 'hz-gb-2312', 'constructor', 'base64'].filter(isCharset)).toEqual([])
  })
})
