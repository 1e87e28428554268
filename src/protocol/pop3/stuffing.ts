import { findContentBreak, scanNotes } from '../bytes/scan.ts'

const CR = 13
const LF = 10
const DOT = 46

/**
 * Makes the octets of a message what a multi-line response has (RFC 1939 §3): a dot before each line that begins with one, and a
 * line end at its end. Given in any pieces, the same comes out.
 *
 * Lines begin behind any LF. A client that takes a bare LF for a line end, as most do, would see the end of the response in one
 * that is followed by a dot, and take what the sender of the message has written there for responses of the server; any
 * other sees a dot too many in a message that is none by RFC 5322 §2.3.
 */
export class Stuffing {
  private before = CR
  private last = LF

  /** The next piece. Where nothing is to be added these are the very octets that were given. */
  add(bytes: Uint8Array): Uint8Array {
    if (bytes.length === 0) return bytes
    const stuffed = insertDots(bytes, this.last)
    this.before = bytes.length > 1 ? bytes[bytes.length - 2]! : this.last
    this.last = bytes[bytes.length - 1]!
    return stuffed
  }

  /** What follows the last piece: the line end, where there is none, and the lone dot. */
  end(): string {
    return this.before === CR && this.last === LF ? '.\r\n' : '\r\n.\r\n'
  }
}

/** `last`: the octet before the first. */
function insertDots(bytes: Uint8Array, last: number): Uint8Array {
  const places: number[] = last === LF && bytes[0] === DOT ? [0] : []
  const end = bytes.length - 1
  const notes = scanNotes()
  // The scan stops at bare CRs and LFs too.
  for (let at = findContentBreak(bytes, 0, end, notes); at < end; at = findContentBreak(bytes, at + 1, end, notes)) {
    if (bytes[at] === LF && bytes[at + 1] === DOT) places.push(at + 1)
  }
  if (places.length === 0) return bytes
  const stuffed = new Uint8Array(bytes.length + places.length)
  let next = 0
  let to = 0
  for (let from = 0; from < bytes.length; from++) {
    if (from === places[next]) {
      stuffed[to++] = DOT
      next++
    }
    stuffed[to++] = bytes[from]!
  }
  return stuffed
}
