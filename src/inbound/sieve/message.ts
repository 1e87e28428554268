import type { Envelope, ReceivedMessage } from '../../contracts/received.ts'
import type { Address } from '../../message/address.ts'
import type { MessageFacts } from '../../message/facts.ts'
import { type Headers, parseHeaderBlock } from '../../message/headers.ts'
import { indexMessage } from '../../message/indexer.ts'

/** What a script sees of a message: a `ReceivedMessage`, or what {@link sieveMessage} makes of octets. */
export interface SieveMessage extends Pick<ReceivedMessage, 'octets' | 'raw'> {
  readonly headers: Headers
  readonly facts: Pick<MessageFacts, 'structure'>
  readonly envelope: Pick<Envelope, 'sender'>
  /** Where it came from, for `environment`. */
  readonly connection?: { readonly peer: { readonly address: string | undefined } }
}

/** A message that is in memory, as scripts see it. The octets are not to be written to. */
export function sieveMessage(octets: Uint8Array, sender: Address | null = null): SieveMessage {
  return {
    octets: octets.length,
    headers: parseHeaderBlock(octets),
    facts: indexMessage(octets),
    envelope: { sender },
    async *raw({ start, end } = { start: 0, end: octets.length }) {
      if (start < end) yield octets.subarray(start, end)
    },
  }
}
