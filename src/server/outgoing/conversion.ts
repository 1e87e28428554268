import { turn } from '../../adapters/node/event-loop.ts'
import type { Body, ByteRange } from '../../contracts/bodies.ts'
import type { OutgoingMessage } from '../../contracts/dispatch.ts'
import { type Converted, sevenBit } from '../../message/seven-bit.ts'
import type { DeliveryParts } from '../../outbound/delivery/options.ts'

/** Octets between turns of the event loop for others: a few milliseconds. */
const PIECE = 256 * 1024

/**
 * A message in 7 bits, for a server that takes no others (RFC 6152 §3); nothing where that would break what is signed. Nothing of
 * it is held: it is read again, and converted again, as often as somebody reads it.
 */
export const inSevenBits: NonNullable<DeliveryParts['convert']> = async ({ body, facts }: OutgoingMessage) => {
  const converted = await sevenBit({ size: body.size, read: (range) => inTurns(body, range) }, facts)
  if (!converted) return undefined
  return { needs: { size: converted.size, encoding: '7bit', utf8: false }, body: bodyOf(converted) }
}

async function* inTurns(body: Body, range: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
  let since = 0
  for await (const chunk of body.read(range)) {
    for (let from = 0; from < chunk.length; from += PIECE) {
      const piece = chunk.subarray(from, from + PIECE)
      since += piece.length
      if (since > PIECE) {
        await turn()
        since = piece.length
      }
      yield piece
    }
  }
}

function bodyOf({ size, read }: Converted): Body {
  return {
    size,
    async *read({ start, end } = { start: 0, end: size }) {
      let at = 0
      for await (const piece of read()) {
        const from = Math.max(start - at, 0)
        const to = Math.min(end - at, piece.length)
        if (from < to) yield piece.subarray(from, to)
        at += piece.length
        if (at >= end) return
      }
    },
  }
}
