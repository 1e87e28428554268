import { constants, inflateRawSync } from 'node:zlib'
import { LastOctets } from './last-octets.ts'

/** How far back a peer may refer (RFC 1951 §2). */
const WINDOW = 32_768

/** Octets from the last boundary on, in so many pieces at most, and what may come of them. */
const MOST_HELD = 4096
const MOST_PIECES = 8
const MOST_MADE = 16_384

/** An empty stored block that is the last one (RFC 1951 §3.2.3, §3.2.4), aligned to an octet. */
const LAST_BLOCK = Uint8Array.of(1, 0, 0, 255, 255)

const EMPTY = Buffer.alloc(0)

/** What a stream goes on from where somebody else takes it over. */
export interface Unfinished {
  /** What came out before. */
  readonly dictionary: Uint8Array | undefined
  /** What came in since. */
  readonly held: Uint8Array
  /** How many of the octets that come out of it have been told. */
  readonly told: number
}

/**
 * Inflates a stream of little batches, each of which ends on the boundary of an octet and of a block: a sync flush, as IMAP's
 * clients make it when they wait for an answer. Between batches nothing is kept but what came out last, where zlib would hold its
 * tables and all of its window.
 *
 * Whether the input has come to such a boundary is found out by putting an empty last block behind it. If that ends the stream,
 * with its last octet, they stood at one: as long as the peer itself has begun no last block, the only bit in those five octets
 * that can begin one is the first. (The others that are set would make it a block of the type that does not exist.) A peer that
 * has begun one has nothing more to say.
 */
export class Inflating {
  readonly #last = new LastOctets(WINDOW)
  #held: Uint8Array = EMPTY
  #pieces = 0
  #told = 0

  /** What came in and has not been seen to end on a boundary, for one who can go on with whatever it is. */
  get unfinished(): Unfinished {
    return { dictionary: this.#last.dictionary, held: this.#held, told: this.#told }
  }

  /** These have come in. */
  push(bytes: Uint8Array): void {
    this.#held = Buffer.concat([this.#held, bytes])
    this.#pieces++
  }

  /** What comes out of what has come in, as far as it was not told; `undefined`: it is for another to go on. */
  pull(): Uint8Array | undefined {
    const held = this.#held
    if (held.length > MOST_HELD || this.#pieces > MOST_PIECES) return undefined
    const whole = made(Buffer.concat([held, LAST_BLOCK]), this.#last, constants.Z_FINISH)
    // The peer itself has come to an end.
    if (whole?.isEarly) return undefined
    const out = (whole ?? made(held, this.#last, constants.Z_SYNC_FLUSH))?.octets
    if (out === undefined) return undefined
    const fresh = out.subarray(this.#told)
    this.#told = out.length
    if (!whole) return fresh
    this.#last.push(out)
    this.#held = EMPTY
    this.#pieces = this.#told = 0
    return fresh
  }
}

/** What comes out of all of it; `undefined` where that is too much, broken, or has not the end that was asked for. */
function made(input: Uint8Array, { dictionary }: LastOctets, finishFlush: number) {
  const options = { finishFlush, maxOutputLength: MOST_MADE, chunkSize: 1024, info: true }
  try {
    const { buffer, engine } = inflateRawSync(input, dictionary ? { ...options, dictionary } : options) as unknown as Inflated
    // It may end before the input does.
    return { octets: buffer, isEarly: engine.bytesWritten < input.length }
  } catch {
    return undefined
  }
}

/** What comes with `info`. */
interface Inflated {
  readonly buffer: Buffer
  /** `bytesWritten`: octets that were taken in. */
  readonly engine: { readonly bytesWritten: number }
}
