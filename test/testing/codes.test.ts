import { describe, expect, it } from 'vitest'
import { codesOf } from '../../src/testing/codes.ts'

describe('one-time codes', () => {
  it.each([
    ['Your code is 123456.', ['123456']],
    ['123456 is your verification code', ['123456']],
    ['Code: 1234', ['1234']],
    ['PIN 12345678', ['12345678']],
    ['Use 123 456 to log in', ['123456']],
    ['Use 123-456 to log in', ['123456']],
    ['Code 1234 5678', ['12345678']],
    ['G-123456 is your code', []],
    ['Your code: AB12CD', ['AB12CD']],
    ['Your code: ABC-123', []],
    ['Your code:\n\n    7 0 4 2 9 1\n', ['704291']],
    ['Hello\n\n482913\n\nThanks', ['482913']],
    ['Order 4711 is on its way. Your PIN: 9021', ['9021', '4711']],
    ['Code 1111, or code 2222', ['1111', '2222']],
    ['The code 5555 again: 5555', ['5555']],
    ['\u00dcberpr\u00fcfungscode: 654321', ['654321']],
    ['Since 1998 and 2024', []],
    ['The code is 2024', ['2024']],
  ])('%s', (text, codes) => {
    expect(codesOf(text)).toEqual(codes)
  })

  it.each([
    'You owe $1234.50 or 1,234.50',
    'It costs 1234 \u20ac',
    'Order #48151',
    'On 2026-11-20 at 12:30',
    'On 20.11.2026',
    'Call +49 1234 567890',
    'Call 555 123 4567',
    'Call 030-1234567',
    'See https://x.test/code/123456',
    'Version 1.2345.6',
    'a1234@x.test',
    'id_12345',
    '123',
    '123456789',
    'HELLO WORLD',
    'Card 1234 5678 9012 3456',
    '10/2026',
    '1234%',
  ])('none in %s', (text) => {
    expect(codesOf(text)).toEqual([])
  })

  it('takes a megabyte in its stride', () => {
    for (const text of [
      '1 '.repeat(500_000),
      '12345 '.repeat(170_000),
      'x'.repeat(1_000_000),
      'https://x.test/1 '.repeat(60_000),
    ])
      codesOf(text)
  })
})
