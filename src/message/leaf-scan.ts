import type { TransferEncoding } from './transfer.ts'

const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
const EQUALS = 61

/** RFC 5321 §4.5.3.1.6, RFC 5322 §2.1.1: octets of a line, without its end. */
const MOST_LINE = 998

/** Looks through octets for what cannot go over a 7-bit way, as they stream by. */
export class LeafScan {
  /** Octets above 127, octets 0, CR and LF that are no line ends. */
  unfit = 0
  /** Octets that quoted-printable would take three for. */
  escapes = 0
  octets = 0
  longest = 0
  #line = 0
  #isAfterCr = false

  push(bytes: Uint8Array): void {
    this.octets += bytes.length
    for (const octet of bytes) {
      if (octet === LF && this.#isAfterCr) {
        this.#isAfterCr = false
        this.#line = 0
        continue
      }
      // The CR before was none of a line end.
      if (this.#isAfterCr) this.#bare()
      this.#isAfterCr = octet === CR
      if (octet === CR) continue
      if (octet === LF) {
        this.#bare()
        continue
      }
      this.#count()
      if (octet > 127 || octet === 0) this.unfit++
      if (octet > 126 || octet === EQUALS || (octet < SPACE && octet !== TAB)) this.escapes++
    }
  }

  end(): void {
    if (this.#isAfterCr) this.#bare()
    this.#isAfterCr = false
  }

  /** Whether these octets can be sent as they are: 7 bits, lines that end in CRLF and are not too long. */
  get isFit(): boolean {
    return this.unfit === 0 && this.longest <= MOST_LINE
  }

  /** The encoding that takes less room: base64 takes four octets for three. */
  get encoding(): Extract<TransferEncoding, 'base64' | 'quoted-printable'> {
    return this.escapes * 6 > this.octets ? 'base64' : 'quoted-printable'
  }

  #bare(): void {
    this.unfit++
    this.escapes++
    this.#count()
  }

  #count(): void {
    if (++this.#line > this.longest) this.longest = this.#line
  }
}
