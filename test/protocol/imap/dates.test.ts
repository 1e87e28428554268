import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeDateTime } from '../../../src/protocol/imap/encode.ts'

const SECOND = 1000
const DAY = 86_400 * SECOND

describe('a date-time', () => {
  it.each<[number, string]>([
    [Date.UTC(2026, 10, 1, 9, 5, 0), '" 1-Nov-2026 09:05:00 +0000"'],
    [Date.UTC(2024, 1, 29, 23, 59, 59, 999), '"29-Feb-2024 23:59:59 +0000"'],
    [0, '" 1-Jan-1970 00:00:00 +0000"'],
    [-1, '"31-Dec-1969 23:59:59 +0000"'],
    [-DAY, '"31-Dec-1969 00:00:00 +0000"'],
    [Date.UTC(9999, 11, 31), '"31-Dec-9999 00:00:00 +0000"'],
    [Date.UTC(12_345, 0, 1), '" 1-Jan-9999 00:00:00 +0000"'],
    [-62_198_755_200_000, '" 1-Jan-0000 00:00:00 +0000"'],
  ])('of %d', (epochMs, text) => expect(encodeDateTime(epochMs)).toBe(text))

  it('is that of the second, whatever was written before', () => {
    const moments = fc.integer({ min: Date.UTC(1000, 0, 1), max: Date.UTC(9998, 0, 1) })
    fc.assert(fc.property(fc.array(moments, { minLength: 1 }), (all) => {
      // Some of the same second, some of the same day, and back again.
      for (const at of all.flatMap((one) => [one, one + 1, one + SECOND, one + DAY, one])) {
        const text = encodeDateTime(at)
        expect(text).toMatch(/^"[ 1-3]\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d \+0000"$/)
        expect(Date.parse(text.slice(1, -1).trim())).toBe(Math.floor(at / SECOND) * SECOND)
      }
    }), { numRuns: 50 })
  })

  it('is right for more days than are remembered', () => {
    for (const day of [...Array(2500).keys(), ...Array(2500).keys()]) {
      expect(Date.parse(encodeDateTime(day * DAY).slice(1, -1).trim())).toBe(day * DAY)
    }
  })
})
