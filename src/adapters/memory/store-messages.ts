import type { MessageId, NewMessage } from '../../contracts/store.ts'
import { packFacts } from '../../message/packed-facts.ts'
import { MailError } from '../../protocol/session/errors.ts'

/** What a message says, once, in however many mailboxes it is. */
export interface Message {
  readonly id: MessageId
  readonly bytes: Uint8Array
  /** Facts as text, so that neither the giver nor a taker changes them for others. */
  readonly facts: string
}

/** All messages of a store, for as long as they are in a mailbox. */
export class Messages {
  readonly #held = new Map<MessageId, { readonly message: Message; mailboxes: number }>()
  /** By body, for those that are appended to many. */
  readonly #given = new WeakMap<object, { readonly facts: object; readonly message: Message }>()
  #last = 0

  /** The message by that id. */
  get(id: MessageId): Message | undefined {
    return this.#held.get(id)?.message
  }

  /** What is given as a message: the same one, in whatever mailbox, where body and facts are the same objects. */
  of({ body, facts }: NewMessage, bytes: Uint8Array): Message {
    const given = this.#given.get(body)
    if (given?.facts === facts) return given.message
    const message = { id: String(++this.#last), bytes, facts: textOf(facts) }
    this.#given.set(body, { facts, message })
    return message
  }

  /** It is in one mailbox more. */
  hold(message: Message): void {
    const held = this.#held.get(message.id)
    if (held) held.mailboxes++
    else this.#held.set(message.id, { message, mailboxes: 1 })
  }

  /** It is in one mailbox less; that it is in none ends it. */
  release(message: Message): void {
    const held = this.#held.get(message.id)
    if (held && --held.mailboxes === 0) this.#held.delete(message.id)
  }
}

function textOf(facts: NewMessage['facts']): string {
  try {
    return packFacts(facts)
  } catch (cause) {
    throw new MailError('misuse', 'facts: give plain JSON data', { cause })
  }
}
