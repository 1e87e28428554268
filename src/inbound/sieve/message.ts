import type { Envelope, ReceivedMessage } from '../../contracts/received.ts'
import type { MessageFacts } from '../../message/facts.ts'
import type { Headers } from '../../message/headers.ts'

/** What a script sees of a message: a `ReceivedMessage`, or what {@link sieveMessage} makes of octets. */
export interface SieveMessage extends Pick<ReceivedMessage, 'octets' | 'raw'> {
  readonly headers: Headers
  readonly facts: Pick<MessageFacts, 'structure'>
  readonly envelope: Pick<Envelope, 'sender'>
  /** Where it came from, for `environment`. */
  readonly connection?: { readonly peer: { readonly address?: string | undefined }; readonly hello?: { readonly name: string } | undefined }
}
