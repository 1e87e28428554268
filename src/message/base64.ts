import { octets, roomLike } from '../protocol/bytes/text.ts'
import type { TransferDecoder } from './transfer-decoder.ts'

const PAD = 61
const OTHER = -1
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const VALUES = new Int8Array(256).fill(OTHER)
for (let value = 0; value < 64; value++) VALUES[ALPHABET.charCodeAt(value)] = value

/**
 * Decodes base64 as bodies carry it (RFC 2045 §6.8): octets outside the alphabet are passed over, missing padding is supplied,
 * and data behind padding goes on (several encoded pieces put together). A lone last digit says nothing and is dropped.
 */
export class Base64Decoder implements TransferDecoder {
  /** Bits that are no whole octet yet, and how many: 0, 2, 4 or 6. */
  #bits = 0
  #count = 0

  push(bytes: Uint8Array): Uint8Array {
    const out = roomLike(bytes, ((bytes.length * 6 + this.#count) >> 3) + 1)
    let bits = this.#bits
    let count = this.#count
    let to = 0
    for (let at = 0; at < bytes.length; at++) {
      // Whole groups of four, which is nearly everything.
      while (count === 0 && at + 4 <= bytes.length) {
        const a = VALUES[bytes[at]!]!
        const b = VALUES[bytes[at + 1]!]!
        const c = VALUES[bytes[at + 2]!]!
        const d = VALUES[bytes[at + 3]!]!
        if ((a | b | c | d) < 0) break
        out[to] = (a << 2) | (b >> 4)
        out[to + 1] = (b << 4) | (c >> 2)
        out[to + 2] = (c << 6) | d
        to += 3
        at += 4
      }
      if (at >= bytes.length) break
      const value = VALUES[bytes[at]!]!
      if (value < 0) {
        if (bytes[at] === PAD) bits = count = 0
        continue
      }
      bits = (bits << 6) | value
      count += 6
      if (count < 8) continue
      count -= 8
      out[to++] = bits >> count
      bits &= (1 << count) - 1
    }
    this.#bits = bits
    this.#count = count
    return out.subarray(0, to)
  }

  end(): Uint8Array {
    return new Uint8Array(0)
  }
}

/** The octets of a base64 text, decoded as tolerantly as {@link Base64Decoder} does. */
export function decodeBase64Text(text: string): Uint8Array {
  return new Base64Decoder().push(octets(text))
}

const DIGITS = octets(ALPHABET)
/** Octets that a line of 76 digits carries (RFC 2045 §6.8). */
const LINE = 57

/** A body in base64: lines of 76 digits, each ended by CRLF (RFC 2045 §6.8). */
export function encodeBase64Lines(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(bytes.length / 3) * 4 + Math.ceil(bytes.length / LINE) * 2)
  let to = 0
  for (let from = 0; from < bytes.length; from += LINE) {
    const end = Math.min(from + LINE, bytes.length)
    for (let at = from; at < end; at += 3, to += 4) {
      const group = (bytes[at]! << 16) | ((at + 1 < end ? bytes[at + 1]! : 0) << 8) | (at + 2 < end ? bytes[at + 2]! : 0)
      out[to] = DIGITS[group >> 18]!
      out[to + 1] = DIGITS[(group >> 12) & 63]!
      out[to + 2] = at + 1 < end ? DIGITS[(group >> 6) & 63]! : PAD
      out[to + 3] = at + 2 < end ? DIGITS[group & 63]! : PAD
    }
    out[to++] = 13
    out[to++] = 10
  }
  return out
}

/** Writes a body in base64 as the bytes stream by; any split gives the same lines. */
export class Base64LineEncoder {
  /** Octets of a line that is not full. */
  #held = new Uint8Array(0)

  /** The lines that the bytes fill. */
  push(bytes: Uint8Array): Uint8Array {
    const all = new Uint8Array(this.#held.length + bytes.length)
    all.set(this.#held)
    all.set(bytes, this.#held.length)
    const whole = all.length - (all.length % LINE)
    this.#held = all.subarray(whole)
    return encodeBase64Lines(all.subarray(0, whole))
  }

  /** The last line. */
  end(): Uint8Array {
    return encodeBase64Lines(this.#held)
  }
}
