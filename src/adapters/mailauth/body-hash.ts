import { createHash } from 'node:crypto'
import type { Body } from '../../contracts/bodies.ts'

const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32

/** Octets that are hashed in one go: a few milliseconds. */
const PIECE = 512 * 1024

/** Line ends, to be hashed many at a time. */
const LINES = Buffer.from('\r\n'.repeat(4096))

/**
 * The octets of a body as they are hashed (RFC 6376 §3.4.4, relaxed): blanks at line ends go, others become one space, empty
 * lines at the end go, and what is left ends in CRLF. A CR or LF alone is a line end, which is what becomes of it on the way.
 * Linear time, any split gives the same, and nothing is held back, however long lines are.
 */
export class RelaxedBody {
  readonly #give: (bytes: Uint8Array) => void
  #hasBlank = false
  #isAfterCr = false
  /** Line ends that count only if something follows. */
  #lines = 0
  #isEmpty = true

  /** `give` gets the octets, in pieces that are its own only until it returns. */
  constructor(give: (bytes: Uint8Array) => void) {
    this.#give = give
  }

  /** Takes octets. */
  push(bytes: Uint8Array): void {
    // At most two octets come of one, and a blank that was held back.
    const out = Buffer.allocUnsafe(2 * bytes.length + 1)
    let to = 0
    let before = this.#lines
    for (const octet of bytes) {
      if (octet === LF && this.#isAfterCr) this.#isAfterCr = false
      else if (octet === CR || octet === LF) {
        this.#isAfterCr = octet === CR
        this.#hasBlank = false
        this.#lines++
      } else {
        this.#isAfterCr = false
        if (octet === SPACE || octet === TAB) this.#hasBlank = true
        else {
          // Those of this piece have room in it; there may be any number of those before.
          if (before > 0) this.#lines -= this.#giveLines(before)
          before = 0
          for (; this.#lines > 0; this.#lines--) {
            out[to++] = CR
            out[to++] = LF
          }
          if (this.#hasBlank) out[to++] = SPACE
          this.#hasBlank = false
          out[to++] = octet
        }
      }
    }
    if (to === 0) return
    this.#isEmpty = false
    this.#give(out.subarray(0, to))
  }

  /** That was all. */
  end(): void {
    if (!this.#isEmpty) this.#give(LINES.subarray(0, 2))
  }

  #giveLines(count: number): number {
    for (let left = count; left > 0; left -= LINES.length / 2) this.#give(LINES.subarray(0, 2 * left))
    return count
  }
}

/** The hash of a body from octet `start` on, in base64. Whoever else has something to do gets his turns meanwhile. */
export async function bodyHash(body: Body, start: number): Promise<string> {
  const hash = createHash('sha256')
  const relaxed = new RelaxedBody((bytes) => hash.update(bytes))
  let since = 0
  const whole = body.bytes && [body.bytes.subarray(start)]
  for await (const chunk of whole ?? (start < body.size ? body.read({ start, end: body.size }) : [])) {
    for (let from = 0; from < chunk.length; from += PIECE) {
      const piece = chunk.subarray(from, from + PIECE)
      since += piece.length
      if (since > PIECE) {
        await new Promise((resolve) => setImmediate(resolve))
        since = piece.length
      }
      relaxed.push(piece)
    }
  }
  relaxed.end()
  return hash.digest('base64')
}
