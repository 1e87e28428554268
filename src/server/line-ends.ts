const CR = 13
const LF = 10
const CRLF = Uint8Array.of(CR, LF)

/**
 * Makes every line end CRLF, also one that is a bare CR or LF, which no two programs read alike (RFC 5321 §2.3.8); and ends the
 * last line. Octets come in pieces.
 */
export class LineEnds {
  /** The last octet was a CR: an LF behind it belongs to it. */
  private afterCr = false
  private atStart = true

  /** What is missing at the end. */
  end(): Uint8Array | undefined {
    return this.atStart ? undefined : CRLF
  }

  /** The piece, made so: what came, or parts of it with line ends in between. */
  *push(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
    let from = 0
    for (let at = 0; at < bytes.length; at++) {
      const octet = bytes[at]!
      if (octet === LF && this.afterCr) {
        // Its CR has been written with an LF already.
        from = at + 1
      } else if (octet === CR || octet === LF) {
        const isWhole = octet === CR && bytes[at + 1] === LF
        if (isWhole) {
          at++
          this.afterCr = false
          this.atStart = true
          continue
        }
        if (at > from) yield bytes.subarray(from, at)
        yield CRLF
        from = at + 1
      }
      this.afterCr = octet === CR
      this.atStart = octet === CR || octet === LF
    }
    if (bytes.length > from) yield bytes.subarray(from)
  }
}
