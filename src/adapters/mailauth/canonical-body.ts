const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32

/** Line ends, to be given many at a time. */
const LINES = Buffer.from('\r\n'.repeat(4096))

/**
 * The octets of a body as a verifier hashes them (RFC 6376 §3.4.3 simple, §3.4.4 relaxed), who has to take them as they came: a
 * line ends in CRLF, or in an LF that lost its CR on the way, and a CR alone is content. (Whoever signs takes that for a line end
 * as well, which is what becomes of it on the way: `RelaxedBody`.) Linear time, any split gives the same, and nothing is held
 * back, however long lines are.
 */
export class CanonicalBody {
  readonly #isRelaxed: boolean
  readonly #give: (bytes: Uint8Array) => void
  /** A CR of which it is not known what it is. */
  #isAfterCr = false
  #hasBlank = false
  /** Line ends that count only if something follows. */
  #lines = 0
  #isEmpty = true

  /** `give` gets the octets, in pieces that are its own only until it returns. */
  constructor(kind: 'simple' | 'relaxed', give: (bytes: Uint8Array) => void) {
    this.#isRelaxed = kind === 'relaxed'
    this.#give = give
  }

  /** Takes octets. */
  push(bytes: Uint8Array): void {
    // At most two octets come of one; and a CR and a blank that were held back, and those two once more.
    const out = Buffer.allocUnsafe(2 * bytes.length + 4)
    const isRelaxed = this.#isRelaxed
    let to = 0
    let before = this.#lines
    for (const octet of bytes) {
      if (octet === LF) {
        this.#isAfterCr = this.#hasBlank = false
        this.#lines++
        continue
      }
      const isBlank = isRelaxed && (octet === SPACE || octet === TAB)
      if (this.#isAfterCr || (octet !== CR && !isBlank)) {
        // Those of this piece have room in it; there may be any number of those before.
        if (before > 0) this.#lines -= this.#giveLines(before)
        before = 0
        for (; this.#lines > 0; this.#lines--) {
          out[to++] = CR
          out[to++] = LF
        }
        if (this.#hasBlank) out[to++] = SPACE
        this.#hasBlank = false
        if (this.#isAfterCr) out[to++] = CR
        this.#isAfterCr = false
        if (octet !== CR && !isBlank) out[to++] = octet
      }
      if (octet === CR) this.#isAfterCr = true
      else if (isBlank) this.#hasBlank = true
    }
    if (to === 0) return
    this.#isEmpty = false
    this.#give(out.subarray(0, to))
  }

  /** That was all. */
  end(): void {
    // What was held back is no line end after all.
    if (this.#isAfterCr) this.#giveHeld()
    // An empty body is an empty line where it is simple, and nothing where it is relaxed.
    if (!this.#isRelaxed || !this.#isEmpty) this.#give(LINES.subarray(0, 2))
  }

  #giveHeld(): void {
    if (this.#lines > 0) this.#giveLines(this.#lines)
    this.#lines = 0
    this.#give(Buffer.from(this.#hasBlank ? ' \r' : '\r'))
    this.#isEmpty = this.#hasBlank = this.#isAfterCr = false
  }

  #giveLines(count: number): number {
    for (let left = count; left > 0; left -= LINES.length / 2) this.#give(LINES.subarray(0, 2 * left))
    return count
  }
}
