import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineEnds } from '../../src/server/line-ends.ts'

function through(pieces: readonly string[]): string {
  const ends = new LineEnds()
  const out = pieces.flatMap((piece) => [...ends.push(Buffer.from(piece, 'latin1'))])
  return Buffer.concat([...out, ends.end() ?? new Uint8Array(0)]).toString('latin1')
}

describe('line ends', () => {
  it.each([
    ['', ''],
    ['a', 'a\r\n'],
    ['a\nb', 'a\r\nb\r\n'],
    ['a\r\nb\r\n', 'a\r\nb\r\n'],
    ['a\rb', 'a\r\nb\r\n'],
    ['\n\n', '\r\n\r\n'],
    ['\r\r\n', '\r\n\r\n'],
    ['a\n\r\nb', 'a\r\n\r\nb\r\n'],
  ])('of %j are those of %j', (given, wanted) => expect(through([given])).toBe(wanted))

  it('are the same however the octets come', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '\r', '\n', '\r\n'), maxLength: 12 })
    fc.assert(fc.property(fc.array(text, { maxLength: 5 }), (pieces) => {
      const once = through([pieces.join('')])
      expect(through(pieces)).toBe(once)
      expect(through([once])).toBe(once)
      expect(once.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    }), { numRuns: 300 })
  })
})
