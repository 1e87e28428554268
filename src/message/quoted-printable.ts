import type { TransferDecoder } from './transfer-decoder.ts'

const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
const HYPHEN = 45
const EQUALS = 61

const nothing = new Uint8Array(0)

/** Blanks held back until it is known whether the line ends behind them; of a longer run, the first are taken for text. */
const MOST_BLANKS = 998

/** What came before the next octet: text, `=`, `=` and a hex digit, `=` and blanks, `=` (blanks) CR. */
const TEXT = 0
const ESCAPE = 1
const DIGIT = 2
const BLANKS = 3
const RETURN = 4

/**
 * Decodes quoted-printable (RFC 2045 §6.7), robustly: lower-case digits count, `=` before anything else stands for itself,
 * a soft line break may have blanks behind the `=` and may end in a bare CR or LF. Blanks before a line end were added on
 * the way and are removed (rule 3). Line ends come out as they came in.
 */
export class QuotedPrintableDecoder implements TransferDecoder {
  #state = TEXT
  #digit = 0
  /** Made when the first blank comes. */
  #blanks = nothing
  #held = 0
  #out = nothing
  #to = 0

  push(bytes: Uint8Array): Uint8Array {
    const length = bytes.length
    const out = (this.#out = new Uint8Array(length + this.#held + 2))
    let to = 0
    for (let at = 0; at < length; at++) {
      const octet = bytes[at]!
      // What needs no state, which is most of any text, is done here.
      if (this.#state === TEXT && this.#held === 0) {
        const next = at + 1 < length ? bytes[at + 1]! : 0
        if (octet > SPACE ? octet !== EQUALS : (octet === SPACE || octet === TAB) && next > SPACE) {
          out[to++] = octet
          continue
        }
        const low = octet === EQUALS && at + 2 < length ? hexValue(bytes[at + 2]!) : -1
        const high = low < 0 ? -1 : hexValue(next)
        if (high >= 0) {
          out[to++] = (high << 4) | low
          at += 2
          continue
        }
      }
      this.#to = to
      this.#take(octet)
      to = this.#to
    }
    return out.subarray(0, to)
  }

  end(): Uint8Array {
    // Blanks and a lone `=` at the end stand before the line end that belongs to the boundary.
    return this.#state === DIGIT ? Uint8Array.of(EQUALS, this.#digit) : nothing
  }

  #take(octet: number): void {
    const blank = octet === SPACE || octet === TAB
    switch (this.#state) {
      case ESCAPE:
        if (hexValue(octet) >= 0) {
          this.#digit = octet
          this.#state = DIGIT
          return
        }
        break
      case DIGIT: {
        const low = hexValue(octet)
        this.#state = TEXT
        if (low >= 0) {
          this.#emit((hexValue(this.#digit) << 4) | low)
          return
        }
        this.#emit(EQUALS)
        this.#emit(this.#digit)
        break
      }
      case RETURN:
        this.#state = TEXT
        if (octet === LF) return
        break
    }
    if (this.#state !== TEXT) this.#escaped(octet, blank)
    else this.#plain(octet, blank)
  }

  /** Behind `=` or `=` and blanks. */
  #escaped(octet: number, blank: boolean): void {
    if (blank) {
      this.#state = BLANKS
      if (this.#hold(octet)) return
      this.#literal()
      this.#emit(octet)
      return
    }
    if (octet === CR || octet === LF) {
      this.#held = 0
      this.#state = octet === CR ? RETURN : TEXT
      return
    }
    this.#literal()
    this.#plain(octet, false)
  }

  #plain(octet: number, blank: boolean): void {
    if (blank) {
      if (this.#hold(octet)) return
      this.#release()
      this.#emit(octet)
    } else if (octet === CR || octet === LF) {
      this.#held = 0
      this.#emit(octet)
    } else {
      this.#release()
      if (octet === EQUALS) this.#state = ESCAPE
      else this.#emit(octet)
    }
  }

  /** The `=` was no escape. */
  #literal(): void {
    this.#emit(EQUALS)
    this.#release()
    this.#state = TEXT
  }

  #emit(octet: number): void {
    this.#out[this.#to++] = octet
  }

  #hold(octet: number): boolean {
    if (this.#held === MOST_BLANKS) return false
    if (this.#blanks.length === 0) this.#blanks = new Uint8Array(MOST_BLANKS)
    this.#blanks[this.#held++] = octet
    return true
  }

  #release(): void {
    for (let at = 0; at < this.#held; at++) this.#emit(this.#blanks[at]!)
    this.#held = 0
  }
}

/** The value of a hex digit's octet, or -1. */
export function hexValue(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30
  const letter = octet | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

const HEX = '0123456789ABCDEF'

/** An octet as `=XX`. */
export function escapeOctet(octet: number): string {
  return `=${HEX[octet >> 4]!}${HEX[octet & 15]!}`
}

/**
 * A text body in quoted-printable (RFC 2045 §6.7): CRLF stays a line end, every other CR and LF is encoded; lines of 76 at
 * most.
 */
export function encodeQuotedPrintable(bytes: Uint8Array): string {
  const encoder = new QuotedPrintableEncoder(false)
  return encoder.push(bytes) + encoder.end()
}

/** Writes quoted-printable as the bytes stream by; any split gives the same text. */
export class QuotedPrintableEncoder {
  /** Octets that what follows decides about: two at the most. */
  #held = nothing
  #line = ''
  readonly #guards: boolean

  /** `guards`: no line begins with a hyphen, so that none is taken for the boundary of a multipart. */
  constructor(guards: boolean) {
    this.#guards = guards
  }

  /** What the bytes add to the text. */
  push(bytes: Uint8Array): string {
    const all = new Uint8Array(this.#held.length + bytes.length)
    all.set(this.#held)
    all.set(bytes, this.#held.length)
    const to = this.#encode(all, Math.max(0, all.length - 2))
    this.#held = all.subarray(to.at)
    return to.text
  }

  /** The rest of it. */
  end(): string {
    const { text } = this.#encode(this.#held, this.#held.length)
    return text + this.#line
  }

  /** Encodes octets up to `end`, of which what stands behind is known; where the next one is. */
  #encode(bytes: Uint8Array, end: number): { text: string; at: number } {
    let text = ''
    let at = 0
    for (; at < end; at++) {
      const octet = bytes[at]!
      if (octet === CR && bytes[at + 1] === LF) {
        text += `${this.#line}\r\n`
        this.#line = ''
        at++
        continue
      }
      const lineEnds = at + 1 === bytes.length || (bytes[at + 1] === CR && bytes[at + 2] === LF)
      const isPlain = (octet > SPACE && octet < 127 && octet !== EQUALS) || ((octet === SPACE || octet === TAB) && !lineEnds)
      let piece = isPlain ? String.fromCharCode(octet) : escapeOctet(octet)
      if (this.#line.length + piece.length > (lineEnds ? 76 : 75)) {
        text += `${this.#line}=\r\n`
        this.#line = ''
      }
      if (this.#guards && this.#line === '' && octet === HYPHEN) piece = escapeOctet(octet)
      this.#line += piece
    }
    return { text, at }
  }
}
