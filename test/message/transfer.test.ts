import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBase64Text, encodeBase64Lines } from '../../src/message/base64.ts'
import { encodeQuotedPrintable } from '../../src/message/quoted-printable.ts'
import { decodeTransfer, transferDecoder, type TransferEncoding } from '../../src/message/transfer.ts'
import { encodeBase64 } from '../../src/protocol/bytes/base64.ts'
import { octets, octetString } from '../../src/protocol/bytes/text.ts'

const decode = (text: string, encoding: TransferEncoding): string => octetString(decodeTransfer(octets(text), encoding))

describe('base64', () => {
  it.each([
    ['lines', 'SGVs\r\nbG8h\r\n', 'Hello!'],
    ['no padding', 'SGVsbG8', 'Hello'],
    ['padding', 'SGVsbA==', 'Hell'],
    ['pieces put together', 'SGVsbA==bG8h', 'Helllo!'],
    ['a lone digit', 'SGVsS', 'Hel'],
    ['foreign octets', 'S-G!V s\0bG8\xff=', 'Hello'],
    ['padding alone', '====', ''],
    ['nothing', '', ''],
  ])('%s', (_, text, expected) => {
    expect(decode(text, 'base64')).toBe(expected)
    expect(octetString(decodeBase64Text(text))).toBe(expected)
  })

  it('is written in lines of 76', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const coded = octetString(encodeBase64Lines(bytes))
      expect(decodeTransfer(octets(coded), 'base64')).toEqual(bytes)
      expect(coded.replaceAll('\r\n', '')).toBe(encodeBase64(bytes))
      for (const line of coded.split('\r\n')) expect(line.length).toBeLessThanOrEqual(76)
    }))
  })
})

describe('quoted-printable', () => {
  it.each([
    ['octets', 'a=3Db=e9=C3', 'a=b\xe9\xc3'],
    ['a soft line break', 'a=\r\nb', 'ab'],
    ['with LF alone, CR alone', 'a=\nb=\rc', 'abc'],
    ['with blanks behind', 'a= \t\r\nb', 'ab'],
    ['blanks before a line end', 'a \t\r\nb \nc ', 'a\r\nb\nc'],
    ['blanks within', 'a \t b', 'a \t b'],
    ['an encoded blank before a line end', 'a=20\r\n', 'a \r\n'],
    ['no escape', 'a=b=ZZ==3D=', 'a=b=ZZ=='],
    ['half an escape', 'a=4', 'a=4'],
    ['half an escape before a line end', 'a=4\r\n', 'a=4\r\n'],
    ['blanks behind =, then text', 'a=  b', 'a=  b'],
    ['= and blanks at the end', 'a=  ', 'a'],
    ['a soft break at the end', 'a=\r\n', 'a'],
    ['NUL and 8-bit', 'a\0\xff', 'a\0\xff'],
  ])('%s', (_, text, expected) => {
    expect(decode(text, 'quoted-printable')).toBe(expected)
  })

  it('is written in lines of 76, and comes back', () => {
    const byte = fc.oneof(fc.constantFrom(10, 13, 32, 9, 61, 46), fc.nat(255))
    const body = fc.oneof(fc.array(byte, { maxLength: 400 }), fc.array(fc.constantFrom(32, 65), { maxLength: 200 }))
    fc.assert(fc.property(body, (list) => {
      const bytes = Uint8Array.from(list)
      const coded = encodeQuotedPrintable(bytes)
      expect(decodeTransfer(octets(coded), 'quoted-printable')).toEqual(bytes)
      for (const line of coded.split('\r\n')) expect(line).toMatch(/^([\t -~]{0,75}[!-~])?$/)
    }), { numRuns: 500 })
  })
})

describe('uuencode', () => {
  const lines = ['begin 644 cat.txt', '#0V%T', '`', 'end', '']
  it.each([
    ['a file', lines.join('\n'), 'Cat'],
    ['text around it', `Hello\r\n\r\n${lines.join('\r\n')}bye #0V%T`, 'Cat'],
    ['two files', lines.join('\n') + lines.join('\n'), 'CatCat'],
    ['no end', 'begin 644 cat.txt\n#0V%T', 'Cat'],
    ['lost blanks', 'begin 644 zero\n#\n \nend\n', '\0\0\0'],
    ['a line that claims too much', 'begin 644 x\nM0V%T\nend\n', 'Cat\0\0\0'],
    ['no begin', '#0V%T\n', ''],
    ['a begin of other words', 'begin the 644\n#0V%T\n', ''],
    ['an endless line', `begin 644 x\n${'M'.repeat(5_000)}\nend\n`, '\xb6\xdbm'.repeat(15)],
  ])('%s', (_, text, expected) => {
    expect(decode(text, 'uuencode')).toBe(expected)
  })
})

describe('every decoder', () => {
  const encodings = ['base64', 'quoted-printable', 'uuencode', '7bit', 'unknown'] as const
  const source = fc.array(fc.oneof(
    fc.constantFrom('=', '=\r\n', '=4', '=41', ' ', '\t', '\r', '\n', 'QUJD', '==', 'begin 644 x\n', '#0V%T\n', 'end\n', 'M\n',
      ' '.repeat(1_500)),
    fc.string({ unit: 'binary', maxLength: 5 }).map((text) => text.replace(/[^\0-\xff]/g, '')),
  ), { maxLength: 30 }).map((list) => octets(list.join('')))

  it.each(encodings)('gives the same for any split: %s', (encoding) => {
    fc.assert(fc.property(source, fc.array(fc.nat(40), { minLength: 1, maxLength: 20 }), (bytes, steps) => {
      const decoder = transferDecoder(encoding)
      let out = ''
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const to = Math.min(bytes.length, at + steps[turn % steps.length]! + (turn % 2))
        out += octetString(decoder.push(bytes.subarray(at, to)))
        at = to
      }
      out += octetString(decoder.end())
      expect(out).toBe(octetString(decodeTransfer(bytes, encoding)))
      expect(out.length).toBeLessThanOrEqual(2 * bytes.length + 2)
    }), { numRuns: 300 })
  })
})
