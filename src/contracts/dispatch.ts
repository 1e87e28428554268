import type { MessageFacts } from '../message/facts.ts'
import type { Body } from './bodies.ts'
import type { Durability } from './durability.ts'
import type { Envelope } from './received.ts'

/** A message that is to go out. */
export interface OutgoingMessage {
  /** Its recipients are one at the least, and all differ. */
  readonly envelope: Envelope
  /** The octets as they are to be sent. Whoever takes the message makes them its own before it resolves. */
  readonly body: Body
  readonly facts: MessageFacts
  /** Who submitted it; `undefined` for what the server itself says, and for what it passes on. */
  readonly account: string | undefined
  /** Milliseconds since the Unix epoch. */
  readonly received: number
}

/** Where mail is handed in that is to go out: the way to a queue, or straight into mailboxes. */
export interface Dispatch {
  readonly traits: {
    readonly durability: Durability
    /** `true`: it takes nothing for other servers, so that a recipient elsewhere is refused as soon as it is named. */
    readonly localOnly?: boolean
  }
  /**
   * Takes a message over for all its recipients, or for none. Resolves, with an id of it, when it is as safe as
   * `traits.durability` says. Rejects with `temporary`, `quota` or `permanent`, and with `misuse` where it has
   * no recipients; nothing was taken then.
   */
  enqueue(message: OutgoingMessage): Promise<{ readonly id: string }>
  /** Finishes what it has, rejects later calls with `closed`; may be called again. */
  close?(): Promise<void>
}
