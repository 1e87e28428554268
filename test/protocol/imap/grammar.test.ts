import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchesPattern } from '../../../src/protocol/imap/list-pattern.ts'
import { decodeName, isBelow, nameOf, pathOf } from '../../../src/protocol/imap/mailbox-name.ts'
import { type Fragment, Malformed, Reader } from '../../../src/protocol/imap/reader.ts'
import { decodeUtf7, encodeUtf7 } from '../../../src/protocol/imap/utf7.ts'

const read = <T>(fragments: string | readonly Fragment[], by: (reader: Reader) => T): T => {
  const reader = new Reader(typeof fragments === 'string' ? [fragments] : fragments)
  const value = by(reader)
  reader.end()
  return value
}

describe('a reader', () => {
  it.each<[string, (reader: Reader) => unknown, unknown]>([
    ['NIL', (r) => r.nstring(), undefined],
    ['"NIL"', (r) => r.nstring(), 'NIL'],
    ['"a\\"b\\\\c"', (r) => r.astring(), 'a"b\\c'],
    ['""', (r) => r.astring(), ''],
    ['a]b', (r) => r.astring(), 'a]b'],
    ['a%*', (r) => r.listMailbox(), 'a%*'],
    ['a]', (r) => [r.atom(), r.until('')], ['a', ']']],
    ['BODY.PEEK[', (r) => [r.word(), r.until('')], ['BODY.PEEK', '[']],
    ['(a (b c))', (r) => r.list(() => (r.atList ? r.list(() => r.atom()) : r.atom())), ['a', ['b', 'c']]],
    ['()', (r) => r.list(() => r.atom(), true), []],
    ['\\Seen', (r) => r.flag(), '\\Seen'],
    ['$Junk', (r) => r.flag(), '$Junk'],
    ['4294967295', (r) => r.number(), 4294967295],
    ['9007199254740991', (r) => r.number64(), Number.MAX_SAFE_INTEGER],
    ['1:*', (r) => r.sequenceSet(), [{ first: 1, last: 0 }]],
    ['"\xc3\xa9"', (r) => r.string(), '\xc3\xa9'],
  ])('reads %s', (text, by, value) => expect(read(text, by)).toEqual(value))

  it('reads literals where they stand', () => {
    const fragments: Fragment[] = ['a ', { literal: 'b\r\nc', binary: false }, ' ', { literal: '\0', binary: true }, '']
    expect(read(fragments, (r) => [r.atom(), r.space(), r.astring(), r.space(), r.literal()]))
      .toEqual(['a', undefined, 'b\r\nc', undefined, { octets: '\0', binary: true }])
  })

  it.each<[string | readonly Fragment[], (reader: Reader) => unknown]>([
    ['', (r) => r.atom()], ['(', (r) => r.atom()], ['a', (r) => r.number()], ['"a', (r) => r.quoted()], ['"\\a"',
      (r) => r.quoted()],
    ['"a\rb"', (r) => r.quoted()], ['"a\0"', (r) => r.quoted()], ['"a\\"', (r) => r.quoted()], ['a b', (r) => r.atom()],
    ['  ', (r) => r.space()], ['4294967296', (r) => r.number()], ['0', (r) => r.nzNumber()], ['99999999999999999999',
      (r) => r.number64()],
    ['\\recent', (r) => r.flag()], ['\\*', (r) => r.flag()], ['()', (r) => r.list(() => r.atom())], ['(a ',
      (r) => r.list(() => r.atom())],
    ['(a', (r) => r.list(() => r.atom())], [['', { literal: 'a\0', binary: false }, ''], (r) => r.string()],
    [['', { literal: 'a', binary: false }, 'b'], (r) => r.string()], ['nil', (r) => r.literal()], ['a\xe9', (r) => r.astring()],
  ])('does not take %j', (fragments, by) => expect(() => read(fragments, by)).toThrow(Malformed))
})

describe('modified UTF-7', () => {
  it.each([
    ['', ''], ['INBOX', 'INBOX'], ['a&b', 'a&-b'], ['~peter/mail/台北/日本語', '~peter/mail/&U,BTFw-/&ZeVnLIqe-'], ['Entwürfe',
      'Entw&APw-rfe'],
    ['&&', '&-&-'], ['📬', '&2D3c7A-'], ['ü&ü', '&APw-&-&APw-'], ['é\u0301', '&AOkDAQ-'], ['\u007f', '&AH8-'],
  ])('writes %j as %s', (text, written) => {
    expect(encodeUtf7(text)).toBe(written)
    expect(decodeUtf7(written)).toBe(text)
  })

  it.each(['&', '&APw', '&AP-', '&AGE-', '&APw-&APw-', '&APx-', 'é', '&=-', '&A-', '&2D0-', '&3Kw-', '&APwA-',
    '&/-'])('does not take %s', (text) => {
    expect(decodeUtf7(text)).toBeUndefined()
  })

  it('is read as it was written', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
      expect(decodeUtf7(encodeUtf7(text))).toBe(text)
    }))
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom('&', '-', 'A', 'P', 'w', 'D', '3', ',', '+', 'x') }), (text) => {
      const decoded = decodeUtf7(text)
      if (decoded !== undefined) expect(encodeUtf7(decoded)).toBe(text)
    }))
  })
})

describe('names of mailboxes', () => {
  it.each([
    ['inbox', ['INBOX']], ['InBox/a', ['INBOX', 'a']], ['inboxes', ['inboxes']], ['a/b', ['a', 'b']], ['a/inbox', ['a', 'inbox']],
    ['Entw&APw-rfe', ['Entwürfe']], ['Entw\xc3\xbcrfe', ['Entwürfe']], ['e\xcc\x81', ['é']],
  ])('%s is %j', (octets, path) => expect(pathOf(octets, 'utf-7')).toEqual(path))

  it.each(['', '/', 'a//b', '/a', 'a/', 'a\0b', 'a\rb', '&', '\xff', 'x'.repeat(1001), 'a/'.repeat(100) + 'a'])('none is %j',
    (octets) => {
    expect(pathOf(octets, 'utf-7')).toBeUndefined()
  })

  it('are UTF-8 where that is enabled', () => {
    expect(pathOf('a&b', 'utf-8')).toEqual(['a&b'])
    expect(decodeName('Entw\xc3\xbcrfe', 'utf-8')).toBe('Entwürfe')
    expect(nameOf(['Entwürfe', 'a&b'], 'utf-8')).toBe('Entw\xc3\xbcrfe/a&b')
    expect(nameOf(['Entwürfe', 'a&b'], 'utf-7')).toBe('Entw&APw-rfe/a&-b')
  })

  it('lie below each other', () => {
    expect([isBelow(['a', 'b'], ['a']), isBelow(['a'], ['a']), isBelow(['ab'], ['a']), isBelow(['a'], [])]).toEqual([true,
      false, false, true])
  })
})

describe('patterns', () => {
  const regular = (pattern: string): RegExp => new RegExp(`^${[...pattern].map((one) => ({ '*': '.*',
    '%': '[^/]*' })[one] ?? one).join('')}$`)

  it('match as they should', () => {
    const unit = fc.constantFrom('a', 'b', '/')
    fc.assert(fc.property(fc.string({ unit, maxLength: 8 }), fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '%'),
      maxLength: 7 }), (name, pattern) => {
      expect(matchesPattern(name, pattern)).toBe(regular(pattern).test(name))
    }), { numRuns: 1000 })
  })

  it('cost no more for many wildcards', () => {
    expect(matchesPattern('a'.repeat(900), `${'*a%'.repeat(300)}b`)).toBe(false)
  })
})
