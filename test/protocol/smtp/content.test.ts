import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ContentReader, type LineEnds } from '../../../src/protocol/smtp/content.ts'
import { HeaderWatch } from '../../../src/protocol/smtp/header-watch.ts'

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1')

interface Reading {
  /** What was given, as a string of octets. */
  readonly content: string
  /** Octets up to behind the end, or -1. */
  readonly end: number
  readonly bareLineEnds: number
  readonly loneDots: number
  readonly octets: number
  readonly high: boolean
  readonly nul: boolean
  readonly longest: number
}

/**
 * Reads pieces as a session does: each to its end, or to the end of the content. `finish` says that it is complete without
 * a dot.
 */
function read(pieces: readonly string[], lineEnds: LineEnds, dotted: boolean): Reading {
  const reader = new ContentReader(dotted, lineEnds)
  let content = ''
  let passed = 0
  let end = -1
  const take = (): void => void (content += reader.piece ? Buffer.from(reader.piece).toString('latin1') : '')
  for (const piece of pieces) {
    const bytes = latin1(piece)
    let stalled = 0
    for (let at = 0; at < bytes.length && end < 0; at = reader.at) {
      reader.read(bytes, at, bytes.length)
      // A call may do no more than learn that what was withheld is no end; never two in a row.
      stalled = reader.at > at || reader.piece !== undefined ? 0 : stalled + 1
      expect(stalled).toBeLessThan(2)
      expect(reader.piece?.length).not.toBe(0)
      take()
      if (reader.done) end = passed + reader.at
    }
    passed += bytes.length
  }
  if (!dotted) {
    reader.finish()
    take()
  }
  const { bareLineEnds, loneDots, octets, notes } = reader
  return { content, end, bareLineEnds, loneDots, octets, high: notes.high, nul: notes.nul, longest: notes.longest }
}

/** Where the content ends: behind the first CR LF . CR LF, the CR LF of the DATA command counting as the first. */
function naiveEnd(wire: string): number {
  const at = `\r\n${wire}`.indexOf('\r\n.\r\n')
  return at < 0 ? -1 : at + 3
}

/** Dots at the start of lines taken away; a line starts behind CR LF only. */
function naiveUnstuff(wire: string): string {
  return wire.split('\r\n').map((line) => (line.startsWith('.') ? line.slice(1) : line)).join('\r\n')
}

/** Each CR LF, bare CR and bare LF a CR LF. */
const naiveNormalize = (content: string): string => content.replace(/\r\n|\r|\n/g, '\r\n')
const naiveBare = (content: string): number => content.match(/\r(?!\n)|(?<!\r)\n/g)?.length ?? 0

/** Text in which line ends, dots and their like come thick and fast. */
const wire = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom('\r', '\n', '.', 'a', '\0', '\u0080') },
      fc.constantFrom('\r\n', '\r\n.', '\r\n.\r\n', 'xxxxxxxx'.repeat(25)),
    ),
    { maxLength: 60, size: 'max' },
  )
  .map((parts) => parts.join(''))

const cut = (text: string, cuts: readonly number[]): string[] => {
  const at = [0, ...cuts.map((value) => value % (text.length + 1)).sort((a, b) => a - b), text.length]
  return at.slice(1).map((end, index) => text.slice(at[index], end))
}

const cuts = fc.array(fc.nat(2000), { maxLength: 6, size: 'max' })
const runs = { numRuns: 1000 }

describe('the content of DATA', () => {
  it('ends if and only if CR LF . CR LF stands there', () => {
    for (const lineEnds of ['reject', 'normalize'] as const) {
      fc.assert(
        fc.property(wire, cuts, (text, at) => void expect(read(cut(text, at), lineEnds, true).end).toBe(naiveEnd(text))),
        runs,
      )
    }
  })

  it('is the same however it was cut, and so is all that is noted of it', () => {
    for (const lineEnds of ['reject', 'normalize'] as const) {
      fc.assert(
        fc.property(wire, cuts, (text, at) => {
          const whole = read([text], lineEnds, true)
          expect(read([...text], lineEnds, true)).toEqual(whole)
          expect(read(cut(text, at), lineEnds, true)).toEqual(whole)
        }),
        { numRuns: 500 },
      )
    }
  })

  it('is what stands before the end, dots taken away, while no line end is bare', () => {
    fc.assert(
      fc.property(wire, cuts, (text, at) => {
        const end = naiveEnd(text)
        fc.pre(end >= 0)
        const sent = text.slice(0, end - 3)
        const reading = read(cut(text, at), 'reject', true)
        if (naiveBare(sent) === 0) expect(reading.content).toBe(naiveUnstuff(sent))
        expect(reading.bareLineEnds > 0).toBe(naiveBare(sent) > 0)
        expect(reading.octets).toBe(reading.content.length)
      }),
      runs,
    )
  })

  it('has CR LF for each bare one where it is normalised', () => {
    fc.assert(
      fc.property(wire, cuts, (text, at) => {
        const end = naiveEnd(text)
        fc.pre(end >= 0)
        const sent = text.slice(0, end - 3)
        const reading = read(cut(text, at), 'normalize', true)
        expect(reading.content).toBe(naiveNormalize(naiveUnstuff(sent)))
        expect(naiveBare(reading.content)).toBe(0)
        expect(reading.bareLineEnds).toBe(naiveBare(naiveUnstuff(sent)))
        expect(reading.octets).toBe(reading.content.length)
        // The octets of the end itself are looked at, but are neither.
        expect([reading.high, reading.nul]).toEqual([sent.includes('\u0080'), sent.includes('\0')])
      }),
      runs,
    )
  })

  it('counts lines that begin with one dot too few', () => {
    fc.assert(
      fc.property(wire, cuts, (text, at) => {
        const end = naiveEnd(text)
        fc.pre(end >= 0)
        const lines = text.slice(0, end - 3).split('\r\n')
        const lone = lines.filter((line) => line.startsWith('.') && !line.startsWith('..')).length
        expect(read(cut(text, at), 'reject', true).loneDots).toBe(lone)
      }),
      runs,
    )
  })
})

describe('the content of BDAT', () => {
  it('is what was sent, octet for octet, while no line end is bare', () => {
    fc.assert(
      fc.property(wire, cuts, (text, at) => {
        const reading = read(cut(text, at), 'reject', false)
        expect(reading.bareLineEnds > 0).toBe(naiveBare(text) > 0)
        expect(reading.content).toBe(text)
        expect(read(cut(text, at), 'normalize', false).content).toBe(naiveNormalize(text))
        expect(read(cut(text, at), 'normalize', false).bareLineEnds).toBe(naiveBare(text))
      }),
      runs,
    )
  })

  it('is not looked at where it is binary', () => {
    fc.assert(fc.property(wire, cuts, (text, at) => void expect(read(cut(text, at), 'pass', false).content).toBe(text)))
  })
})

describe('the length of the longest line', () => {
  const lengths = fc.array(fc.oneof(fc.nat(140), fc.nat(2000)), { minLength: 1, maxLength: 20, size: 'max' })

  it('is exact from 64 on, and the same however the content was cut', () => {
    fc.assert(
      fc.property(lengths, cuts, fc.boolean(), (given, at, normalize) => {
        const text = given.map((length) => `${'y'.repeat(length)}\r\n`).join('')
        const longest = Math.max(...given) + 2
        const measured = cut(text, at).reduce((reader, piece) => {
          const bytes = latin1(piece)
          for (let from = 0; from < bytes.length; from = reader.at) reader.read(bytes, from, bytes.length)
          return reader
        }, new ContentReader(true, normalize ? 'normalize' : 'reject')).notes.longest
        expect(measured).toBe(longest < 64 ? 63 : longest)
      }),
    )
  })
})

describe('the header that goes by', () => {
  /** Counted from the whole text: fields and their continuations, up to the first empty line. */
  function naive(text: string): { hops: number; octets: number; longestField: number; done: boolean } {
    const lines = text.split('\n').map((line, at, all) => (at < all.length - 1 ? `${line}\n` : line))
    let [hops, octets, field, longestField] = [0, 0, 0, 0]
    for (const line of lines) {
      if (line === '') break
      field = /^[ \t]/.test(line) ? field + line.length : line.length
      octets += line.length
      longestField = Math.max(longestField, field)
      if (/^received:/i.test(line)) hops++
      if (line === '\r\n' || line === '\n') return { hops, octets, longestField, done: true }
    }
    return { hops, octets, longestField, done: false }
  }

  const pieces = [
    'Received: x', 'received:', 'RECEIVED', ':', ' ', '\t', '\r\n', '\n', '\r', 'Subject: y', '\r\n\r\n', 'xxxxxxxxxxxxxxxx',
  ]
  const header = fc.array(fc.constantFrom(...pieces), { maxLength: 25, size: 'max' }).map((parts) => parts.join(''))

  it('is counted the same however it was cut', () => {
    fc.assert(
      fc.property(header, cuts, (text, at) => {
        const watch = new HeaderWatch()
        for (const piece of cut(text, at)) if (!watch.done) watch.feed(latin1(piece))
        const { hops, octets, longestField, done } = watch
        expect({ hops, octets, longestField, done }).toEqual(naive(text))
      }),
      runs,
    )
  })
})
