import { constants, deflateRawSync } from 'node:zlib'
import type { Output } from '../../protocol/session/session.ts'
import { LastOctets } from './last-octets.ts'

/** How far back a repetition is found: 2^13 octets, more than the longest of the lines that resemble each other in IMAP. */
const WINDOW_BITS = 13
const WINDOW = 1 << WINDOW_BITS

/** Octets of answers from which on speed counts for more: they are attachments, which base64 has made dull. */
const LARGE = 32 * 1024

/**
 * Deflates one stream, batch by batch, each of which can be inflated as soon as it has come (a sync flush ends it).
 *
 * Between batches nothing is kept but what was sent last: it goes in as the dictionary of the next batch, and raw DEFLATE is
 * such that the batches make one stream. So an idle connection holds 8 KiB at most, where zlib's own state would take 48 KiB at
 * this window and 256 KiB at the usual one; and a batch is out at once, in its order, without a turn of the thread pool.
 */
export class Deflating {
  readonly #last = new LastOctets(WINDOW)

  /** The pieces, in their order, as one piece of the stream. */
  deflate(output: readonly Output[]): readonly Output[] {
    const plain = joined(output)
    if (plain.length === 0) return []
    const { dictionary } = this.#last
    const deflated = deflateRawSync(plain, {
      level: plain.length < LARGE ? 3 : 1,
      windowBits: WINDOW_BITS,
      memLevel: 5,
      finishFlush: constants.Z_SYNC_FLUSH,
      // What is allocated for the answer at a time; no more than it will be, for most are short.
      chunkSize: Math.min(65_536, Math.max(256, plain.length)),
      ...(dictionary && { dictionary }),
    })
    this.#last.push(plain)
    return [deflated]
  }
}

function joined(output: readonly Output[]): Buffer {
  const octets = output.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece))
  const first = octets[0]
  return octets.length === 1 && Buffer.isBuffer(first) ? first : Buffer.concat(octets)
}
