import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findContentBreak, findDashes, type ScanNotes, scanNotes } from '../../../src/protocol/bytes/scan.ts'
import { contentInScript, dashesInScript } from '../../../src/protocol/bytes/scan-script.ts'

const CR = 13
const LF = 10
const DOT = 46
const DASH = 45
const WINDOW = 16_384

type Scan = (bytes: Uint8Array, from: number, to: number, notes: ScanNotes) => number

/** What both scans have to find and note, octet by octet and without any cleverness. */
const naiveContent: Scan = (bytes, from, to, notes) => {
  for (let at = from; at < to; at++) {
    const [now, next] = [bytes[at]!, bytes[at + 1]!]
    note(now, notes)
    const pairless = (now === CR) !== (next === LF)
    if (pairless || (now === LF && next === DOT)) return at
  }
  return to
}

const naiveDashes: Scan = (bytes, from, to, notes) => {
  for (let at = from; at < to; at++) {
    if (bytes[at]! > 127) notes.high = true
    if (bytes[at] === 0) notes.nul = true
    if (bytes[at] === LF) notes.lines++
    if (bytes[at] === LF && bytes[at + 1] === DASH && bytes[at + 2] === DASH) return at
  }
  return to
}

function note(octet: number, notes: ScanNotes): void {
  if (octet > 127) notes.high = true
  if (octet === 0) notes.nul = true
  notes.open++
  if (octet !== LF) return
  notes.longest = Math.max(notes.longest, notes.open)
  notes.open = 0
}

/** All finds of a scan in [0, end), each call going on behind the last, in ranges cut at `cuts`. */
function finds(scan: Scan, bytes: Uint8Array, end: number, cuts: readonly number[]): { found: number[]; notes: ScanNotes } {
  const notes = scanNotes()
  const found: number[] = []
  let at = 0
  for (const stop of [...cuts.filter((cut) => cut < end).sort((a, b) => a - b), end]) {
    while (at < stop) {
      const hit = scan(bytes, at, stop, notes)
      if (hit < stop) found.push(hit)
      at = Math.min(hit + 1, stop)
    }
  }
  return { found, notes }
}

/** Lines of text with something odd here and there: long stretches without a find are what the kernel is for. */
const text = (odd: readonly string[]) =>
  fc
    .array(
      fc.oneof(
        { weight: 8, arbitrary: fc.nat(300).map((length) => `${'x'.repeat(length)}\r\n`) },
        { weight: 2, arbitrary: fc.constantFrom(...odd) },
        { weight: 1, arbitrary: fc.nat(3000).map((length) => 'y'.repeat(length)) },
      ),
      { maxLength: 120, size: 'max' },
    )
    .map((parts) => Buffer.from(parts.join(''), 'latin1'))

const oddContent = ['\r', '\n', '.', '\r\n.', '\r\n..', '\n.', '\0', '\u00e9', '\r\r\n', '\n\n', '\r\n\r\n', '\r\n.\r\n']
const oddDashes = ['\n--', '--', '\n-', '\r\n--x--', '-', '\n\n---', '\n', '\0', '\u00ff']
const cutsOf = fc.array(fc.nat(20_000), { maxLength: 4, size: 'max' })

describe('the content scan', () => {
  it('finds and notes what a naive one does, in the kernel and in JavaScript', () => {
    fc.assert(
      fc.property(text(oddContent), cutsOf, (bytes, cuts) => {
        const end = bytes.length - 1
        const wanted = finds(naiveContent, bytes, end, [])
        expect(finds(findContentBreak, bytes, end, cuts)).toEqual(wanted)
        expect(finds(contentInScript, bytes, end, cuts)).toEqual(wanted)
      }),
      { numRuns: 200 },
    )
  })

  it('does so on octets of no sense', () => {
    const octets = fc.array(fc.constantFrom(CR, LF, DOT, 0, 0x80, 97), { minLength: 2, maxLength: 600, size: 'max' })
    fc.assert(
      fc.property(octets, cutsOf, (given, cuts) => {
        const bytes = Uint8Array.from(given)
        const wanted = finds(naiveContent, bytes, bytes.length - 1, [])
        expect(finds(findContentBreak, bytes, bytes.length - 1, cuts)).toEqual(wanted)
      }),
    )
  })

  it.each([-4, -3, -2, -1, 0, 1, 2, 3, 60, 61, 62, 63, 64, 65])(
    'finds what lies %i octets from the border of a window',
    (shift) => {
      for (const odd of ['\r\n.', '\rx', 'x\nx', '\0', '\u00ff', '\r\n']) {
        for (const border of [WINDOW, 2 * WINDOW]) {
          const bytes = Buffer.from('a'.repeat(border + shift) + odd + 'a'.repeat(1000), 'latin1')
          const wanted = finds(naiveContent, bytes, bytes.length - 1, [])
          expect(finds(findContentBreak, bytes, bytes.length - 1, [])).toEqual(wanted)
          expect(finds(findContentBreak, bytes, bytes.length - 1, [border])).toEqual(wanted)
        }
      }
    },
  )

  it('begins anywhere and stops where it is told, not where the bytes end', () => {
    const bytes = Buffer.from('\r\n.'.repeat(10_000))
    for (const from of [0, 1, 2, 3, 160, WINDOW - 1, WINDOW]) {
      for (const length of [1, 159, 160, 161, 500]) {
        const notes = scanNotes()
        const other = scanNotes()
        expect(findContentBreak(bytes, from, from + length, notes)).toBe(naiveContent(bytes, from, from + length, other))
        expect(notes).toEqual(other)
      }
    }
  })

  it('measures a line that goes on through many chunks', () => {
    const notes = scanNotes()
    const chunk = new Uint8Array(50_000).fill(97)
    for (let count = 0; count < 4; count++) findContentBreak(chunk, 0, chunk.length - 1, notes)
    const end = Buffer.from(`${'b'.repeat(400)}\r\n${'c'.repeat(200)}`)
    findContentBreak(end, 0, end.length - 1, notes)
    expect(notes.longest).toBe(4 * 49_999 + 402)
  })
})

describe('the scan for dashes', () => {
  it('finds and counts what a naive one does, in the kernel and in JavaScript', () => {
    fc.assert(
      fc.property(text(oddDashes), cutsOf, (bytes, cuts) => {
        const end = bytes.length - 2
        const wanted = finds(naiveDashes, bytes, end, [])
        expect(finds(findDashes, bytes, end, cuts)).toEqual(wanted)
        expect(finds(dashesInScript, bytes, end, cuts)).toEqual(wanted)
      }),
      { numRuns: 200 },
    )
  })

  it.each([-4, -3, -2, -1, 0, 1, 2, 3, 62, 63, 64])('finds what lies %i octets from the border of a window', (shift) => {
    for (const border of [WINDOW, 2 * WINDOW]) {
      const bytes = Buffer.from(`${'a'.repeat(border + shift)}\n--${'a'.repeat(1000)}`)
      const wanted = finds(naiveDashes, bytes, bytes.length - 2, [])
      expect(finds(findDashes, bytes, bytes.length - 2, [])).toEqual(wanted)
    }
  })
})

describe('the kernel', () => {
  it('is what its text compiles to', async () => {
    const { compile } = (await import('../../../scripts/kernel.mjs' as string)) as { compile(): Promise<string> }
    expect(await compile()).toBe(readFileSync(new URL('../../../src/protocol/bytes/kernel.ts', import.meta.url), 'utf8'))
  })

  it('serves two messages in turn without mixing them', () => {
    const one = Buffer.from('a'.repeat(20_000) + '\n' + 'a'.repeat(20_000))
    const other = Buffer.from('b'.repeat(10_000) + '\r' + 'b'.repeat(20_000))
    for (let round = 0; round < 3; round++) {
      expect(findContentBreak(one, 0, one.length - 1, scanNotes())).toBe(19_999)
      expect(findContentBreak(other, 0, other.length - 1, scanNotes())).toBe(10_000)
      expect(findDashes(one, 100, one.length - 2, scanNotes())).toBe(one.length - 2)
    }
  })
})
