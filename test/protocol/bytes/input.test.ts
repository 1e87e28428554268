import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Input } from '../../../src/protocol/bytes/input.ts'

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1')

/** All lines of chunks, with the length of each. */
function linesOf(
  chunks: readonly string[],
  keep: number,
  early: boolean,
): { lines: [string, number][]; begun: number; rest: string } {
  const input = new Input()
  const lines: [string, number][] = []
  const take = (): void => {
    for (let line = input.line(keep); line !== undefined; line = input.line(keep)) lines.push([line, input.lineOctets])
  }
  for (const chunk of chunks) {
    input.push(latin1(chunk))
    if (early) take()
  }
  take()
  return { lines, begun: input.begun, rest: input.peek(keep) }
}

describe('lines cut from chunks', () => {
  const chunk = fc.string({ unit: fc.constantFrom('a', 'b', '\r', '\n', '\u00ff'), maxLength: 40, size: 'max' })
  const chunks = fc.array(chunk, { maxLength: 12, size: 'max' })

  it('are those of the whole, whatever the chunks, whenever they are taken', () => {
    fc.assert(
      fc.property(chunks, fc.integer({ min: 1, max: 60 }), fc.boolean(), (given, keep, early) => {
        const parts = given.join('').split('\n')
        const open = parts.pop()!
        const { lines, begun, rest } = linesOf(given, keep, early)
        expect(lines).toEqual(parts.map((line) => [line.slice(0, keep), line.length + 1]))
        expect(begun).toBe(open.length)
        expect(rest).toBe(open.slice(0, keep))
      }),
    )
  })

  it('keep no more of a long line than they are told', () => {
    const input = new Input()
    for (let count = 0; count < 1000; count++) {
      input.push(latin1('x'.repeat(100)))
      expect(input.line(300)).toBeUndefined()
      expect(input.held).toBe(0)
    }
    expect(input.begun).toBe(100_000)
    input.push(latin1('\nnext\n'))
    expect(input.line(300)).toBe('x'.repeat(300))
    expect(input.lineOctets).toBe(100_001)
    expect(input.line(300)).toBe('next')
  })
})

describe('what waits', () => {
  it('can be looked at through chunks, however small', () => {
    const input = new Input()
    for (const octet of 'RCPT TO') input.push(latin1(octet))
    expect(input.peek(5)).toBe('RCPT ')
    expect(input.peek(20)).toBe('RCPT TO')
  })

  it('costs more than its octets, so that many small chunks are soon too many', () => {
    const input = new Input()
    let chunks = 0
    while (input.held < 65_536) {
      input.push(Uint8Array.of(97))
      chunks++
    }
    expect(chunks).toBeLessThan(200)
  })

  it('is counted down as it is read', () => {
    const input = new Input()
    for (const chunk of ['abc', 'de', 'fgh']) input.push(latin1(chunk))
    input.push(new Uint8Array(0))
    expect(input.held).toBe(3 + 2 + 512 + 3 + 512)
    input.moveTo(2)
    expect(input.held).toBe(1 + 2 + 512 + 3 + 512)
    input.moveTo(3)
    input.moveTo(2)
    expect(input.held).toBe(3)
    input.clear()
    expect([input.held, input.bytes, input.peek(5)]).toEqual([0, undefined, ''])
  })
})
