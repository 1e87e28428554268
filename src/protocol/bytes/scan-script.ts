/*
 * The scans of scan.ts in JavaScript: for short ranges, and for platforms without WebAssembly or its SIMD.
 */

const CR = 13
const LF = 10
const DOT = 46
const DASH = 45

/** What a scan notes on its way. One object per message; the scans keep it up to date from call to call. */
export interface ScanNotes {
  /** An octet above 127 was seen. */
  high: boolean
  /** An octet 0 was seen. */
  nul: boolean
  /** Octets of the longest line that ended, its line end included; 63 where none has more: the scans look no closer. */
  longest: number
  /** Octets since the last LF. */
  open: number
  /** LFs seen by `findDashes`. */
  lines: number
}

/** `findContentBreak` in JavaScript. */
export function contentInScript(bytes: Uint8Array, from: number, to: number, notes: ScanNotes): number {
  let open = notes.open
  let any = 0
  let at = from
  let now = bytes[at]!
  for (; at < to; at++) {
    const next = bytes[at + 1]!
    any |= now
    if (now === 0) notes.nul = true
    open++
    if (now === LF) {
      if (open > notes.longest) notes.longest = open
      open = 0
      if (next === DOT || next === LF) break
    } else if ((now === CR) !== (next === LF)) break
    now = next
  }
  notes.open = open
  if (any > 127) notes.high = true
  return at
}

/** Octets below this (NUL and LF among them) end the fast steps over four octets at a time. */
const LOW = 0x0b0b0b0b
const TOPS = 0x80808080 | 0

/** `findDashes` in JavaScript: four octets a step while they hold neither LF nor NUL. */
export function dashesInScript(bytes: Uint8Array, from: number, to: number, notes: ScanNotes): number {
  const aligned = Math.min(to, from + (-(bytes.byteOffset + from) & 3))
  let at = octetByOctet(bytes, from, aligned, notes)
  const words = (to - at) >> 2
  if (at < aligned || words === 0) return at < aligned ? at : octetByOctet(bytes, at, to, notes)
  const view = new Int32Array(bytes.buffer, bytes.byteOffset + at, words)
  let any = 0
  for (let index = 0; index < words; index++) {
    const word = view[index]!
    // Whether any of the four octets is below LOW's: Hacker's Delight §6-1, for all four at once.
    if (((word - LOW) & ~word & TOPS) === 0) {
      any |= word
      continue
    }
    const begin = at + index * 4
    const found = octetByOctet(bytes, begin, begin + 4, notes)
    if (found < begin + 4) {
      if ((any & TOPS) !== 0) notes.high = true
      return found
    }
  }
  if ((any & TOPS) !== 0) notes.high = true
  at += words * 4
  return octetByOctet(bytes, at, to, notes)
}

function octetByOctet(bytes: Uint8Array, from: number, to: number, notes: ScanNotes): number {
  let at = from
  for (; at < to; at++) {
    const octet = bytes[at]!
    if (octet > LF) {
      if (octet > 127) notes.high = true
    } else if (octet === LF) {
      notes.lines++
      if (bytes[at + 1] === DASH && bytes[at + 2] === DASH) break
    } else if (octet === 0) notes.nul = true
  }
  return at
}
