import type { OutgoingMessage } from '../../contracts/dispatch.ts'
import type { QueuedMessage } from '../../contracts/queue.ts'
import { bodyAtHand } from './queue-rows.ts'

/** Messages that are remembered, and octets of their bodies: those of a few turns of the event loop. */
const MOST = 256
const MOST_OCTETS = 4 * 1024 * 1024

/** A number that no row has. */
const NEVER = Number.MAX_SAFE_INTEGER

/** Messages that came in a moment ago, by the numbers of their rows: whoever leases them at once need not have them read. */
export class RecentMessages {
  /** In the order they came, so that their numbers ascend. */
  readonly #messages = new Map<number, QueuedMessage>()
  #octets = 0

  /** None that is here has a lower number. */
  get first(): number {
    for (const id of this.#messages.keys()) return id
    return NEVER
  }

  /** It is in the queue, with that body. */
  add(id: number, { envelope, facts, account, received }: OutgoingMessage, bytes: Uint8Array): void {
    this.#messages.set(id, { id: String(id), envelope, body: bodyAtHand(`queue-${id}`, bytes), facts, account, received })
    this.#octets += bytes.length
    while (this.#messages.size > MOST || this.#octets > MOST_OCTETS) this.take(this.first)
  }

  /** Gives a message, and forgets it. */
  take(id: number): QueuedMessage | undefined {
    const message = this.#messages.get(id)
    if (message === undefined) return undefined
    this.#messages.delete(id)
    this.#octets -= message.body.size
    return message
  }
}
