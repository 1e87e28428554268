import type { TransferDecoder } from './transfer-decoder.ts'

const LF = 10
const CR = 13

/** A line of data has at most 1 + 84 characters; the rest leaves room for a long file name on the `begin` line. */
const MOST_LINE = 1_000

/**
 * Decodes uuencode (POSIX `uuencode`): what stands between `begin MODE NAME` and `end`; text around it is passed over, several
 * files in one body come out one behind the other. Trailing blanks that were lost on the way are supplied.
 */
export class UuDecoder implements TransferDecoder {
  readonly #line = new Uint8Array(MOST_LINE)
  #length = 0
  #inside = false
  #out = new Uint8Array(0)
  #to = 0

  push(bytes: Uint8Array): Uint8Array {
    this.#out = new Uint8Array(2 * (bytes.length + this.#length))
    this.#to = 0
    for (let at = 0; at < bytes.length; at++) {
      const octet = bytes[at]!
      if (octet === LF) this.#endLine()
      else if (this.#length < MOST_LINE) this.#line[this.#length++] = octet
    }
    return this.#out.subarray(0, this.#to)
  }

  end(): Uint8Array {
    this.#out = new Uint8Array(2 * this.#length + 2)
    this.#to = 0
    this.#endLine()
    return this.#out.subarray(0, this.#to)
  }

  #endLine(): void {
    const line = this.#line
    let length = this.#length
    this.#length = 0
    if (length > 0 && line[length - 1] === CR) length--
    if (!this.#inside) this.#inside = isBegin(line, length)
    else if (length === 3 && line[0] === 0x65 && line[1] === 0x6e && line[2] === 0x64) this.#inside = false
    else if (length > 0) this.#decode(length)
  }

  #decode(length: number): void {
    const line = this.#line
    const count = digit(line[0]!)
    // Whatever a line claims, it carries its digits and perhaps a group of blanks that were lost at its end: at most twice its
    // octets.
    const room = Math.min(count, Math.ceil((length - 1) / 4) * 3 + 3)
    for (let done = 0, at = 1; done < room; done += 3, at += 4) {
      const group = (digitAt(line, at, length) << 18) | (digitAt(line, at + 1, length) << 12) |
        (digitAt(line, at + 2, length) << 6) | digitAt(line, at + 3, length)
      for (let i = 0; i < 3 && done + i < room; i++) this.#out[this.#to++] = (group >> (16 - 8 * i)) & 255
    }
  }
}

function digit(octet: number): number {
  return (octet - 32) & 63
}

function digitAt(line: Uint8Array, at: number, length: number): number {
  return at < length ? digit(line[at]!) : 0
}

/** `begin`, a blank, three or four octal digits, a blank. */
function isBegin(line: Uint8Array, length: number): boolean {
  const word = 'begin '
  for (let at = 0; at < word.length; at++) if (at >= length || line[at] !== word.charCodeAt(at)) return false
  let at = word.length
  while (at < length && line[at]! >= 0x30 && line[at]! <= 0x37) at++
  const digits = at - word.length
  return (digits === 3 || digits === 4) && (at === length || line[at] === 0x20)
}
