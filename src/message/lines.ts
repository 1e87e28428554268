const LF = 10
const DASH = 45

/** What {@link nextDashLine} notes on its way; kept from call to call. */
export interface LineNotes {
  /** LFs seen. */
  lines: number
  /** An octet above 127 was seen. */
  high: boolean
  /** An octet 0 was seen. */
  nul: boolean
}

/** Octets below this (NUL and LF among them) end the fast steps over four octets at a time. */
const LOW = 0x0b0b0b0b
const TOPS = 0x80808080 | 0

/**
 * The first `i` in [from, to) where octet `i` is LF and two dashes follow; `to` when there is none. Octets up to and
 * including the result are noted. `bytes[to + 1]` must exist.
 */
export function nextDashLine(bytes: Uint8Array, from: number, to: number, notes: LineNotes): number {
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

function octetByOctet(bytes: Uint8Array, from: number, to: number, notes: LineNotes): number {
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
