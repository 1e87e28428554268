import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressKey, foldCase, readAddress } from '../../src/accounts/address.ts'

describe('readAddress', () => {
  it.each([
    ['alice@example.org', 'alice', 'example.org'],
    ['Alice@EXAMPLE.org', 'Alice', 'example.org'],
    ['"a b"@example.org', 'a b', 'example.org'],
    ['"a\\"@b"@example.org', 'a"@b', 'example.org'],
    ['"plain"@example.org', 'plain', 'example.org'],
    ['jörg@müller.example', 'jörg', 'xn--mller-kva.example'],
    ['a@[192.0.2.1]', 'a', '[192.0.2.1]'],
    ["o'hara+x@example.org", "o'hara+x", 'example.org'],
  ])('%s', (text, local, domain) => {
    expect(readAddress(text)).toEqual({ local, domain })
  })

  it.each([
    '', 'alice', '@example.org', 'alice@', '<alice@example.org>', 'alice@example.org>', 'a b@example.org', ' a@example.org',
    'a@example.org ', 'a@exa mple.org', 'a@-example.org', 'a..b@example.org', '.a@example.org', '"a@example.org',
    'a@b@example.org', 'a@example.org.', '@one:a@example.org', 'postmaster', 'a\n@example.org', '"a\u0000"@example.org',
    'a\u0085@example.org',
    '\ud800@example.org', `${'x'.repeat(300)}@example.org`, `a@${'x'.repeat(64)}.org`, 'a@ä..example',
    'a,b@example.org', 'Alice <a@b.c>',
  ])('%j is none', (text) => {
    expect(readAddress(text)).toBeUndefined()
  })
})

describe('addressKey', () => {
  it.each([
    ['Alice@EXAMPLE.org', 'alice@example.org', 'Alice@example.org'],
    ['"Alice"@example.org', 'alice@example.org', 'Alice@example.org'],
    ['"A b"@example.org', '"a b"@example.org', '"A b"@example.org'],
    ['JO\u0308RG@MÜLLER.example', 'j\u00f6rg@xn--mller-kva.example', 'J\u00d6RG@xn--mller-kva.example'],
    ['ΜΕΣΟΣ@example.org', 'μεσοσ@example.org', 'ΜΕΣΟΣ@example.org'],
  ])('%s is %s, or %s', (text, key, strict) => {
    const address = readAddress(text)!
    expect(addressKey(address)).toBe(key)
    expect(addressKey(address, true)).toBe(strict)
  })

  it('is a key of itself, and reads as the address it is of', () => {
    const local = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text))
    fc.assert(fc.property(local, fc.boolean(), (text, caseSensitive) => {
      const key = addressKey({ local: text, domain: 'Example.ORG' }, caseSensitive)
      const again = readAddress(key)
      expect(again?.domain).toBe('example.org')
      expect(again && addressKey(again, caseSensitive)).toBe(key)
    }))
  })

  it('folds whatever text, and folds it once for all', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => {
      expect(foldCase(foldCase(text))).toBe(foldCase(text))
    }))
  })
})
