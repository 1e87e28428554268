import type { Body } from '../contracts/bodies.ts'
import type { MailboxId } from '../contracts/mailbox.ts'
import type { MailStore, NewMessage, Room, StoredMessage } from '../contracts/store.ts'
import { MailError } from '../protocol/session/errors.ts'
import { withMethod } from './method.ts'
import type { Progress } from './progress.ts'

/** What a message is told from others by: the same to the octet, and received at the same time. */
type Likeness = Pick<StoredMessage, 'received' | 'octets' | 'facts'>

/** Messages on their way into the store at a time, of those that are in memory: they share its flushes. */
const AT_ONCE = 64

/** Mail as it arrives in a store; what was there before is not added again. */
export class Arrival {
  /**
   * Takes what is not there yet. Its `append` resolves when the message is on its way, and rejects with what went wrong with one
   * before; what it gives is of no use.
   */
  readonly store: MailStore
  /** Messages that were there before. */
  alreadyThere = 0
  readonly #store: MailStore
  readonly #progress: Progress
  /** By mailbox: what was there, and how often that has not come again. */
  readonly #there = new Map<MailboxId, Promise<Map<string, number>>>()
  readonly #under = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | undefined

  constructor(store: MailStore, progress: Progress) {
    this.#store = store
    this.#progress = progress
    this.store = withMethod(store, 'append', (mailbox, message, room) => this.#take(mailbox, message, room))
  }

  /** Resolves when nothing is on its way any more. */
  async idle(): Promise<void> {
    await Promise.all(this.#under)
  }

  /** Resolves when all is stored that was on its way. Rejects where something was not. */
  async settled(): Promise<void> {
    await this.idle()
    if (this.#failure) throw this.#failure.error
  }

  async #take(mailbox: MailboxId, message: NewMessage, room: Room | undefined): Promise<StoredMessage> {
    const { body, facts, received } = message
    if (this.#failure) throw this.#failure.error
    if (await this.#wasThere(mailbox, { facts, received, octets: body.size })) this.alreadyThere++
    else {
      await refuseCompressed(body)
      const stored: Promise<void> = this.#append(mailbox, message, room).finally(() => this.#under.delete(stored))
      this.#under.add(stored)
      // What is in a file may not be there any more later on.
      if (body.bytes === undefined || this.#under.size >= AT_ONCE) await Promise.race(body.bytes ? this.#under : [stored])
    }
    return { id: '', mailbox, uid: 0, modSeq: 0, received, saved: 0, flags: [], octets: body.size, facts }
  }

  /** Never rejects. */
  async #append(mailbox: MailboxId, message: NewMessage, room: Room | undefined): Promise<void> {
    try {
      await this.#store.append(mailbox, message, room)
      this.#progress.add(message.body.size)
    } catch (error) {
      this.#failure ??= { error }
    }
  }

  async #wasThere(mailbox: MailboxId, message: Likeness): Promise<boolean> {
    let there = this.#there.get(mailbox)
    if (!there) {
      there = this.#look(mailbox)
      this.#there.set(mailbox, there)
    }
    const key = keyOf(message)
    const left = (await there).get(key) ?? 0
    if (left > 0) (await there).set(key, left - 1)
    return left > 0
  }

  async #look(mailbox: MailboxId): Promise<Map<string, number>> {
    const there = new Map<string, number>()
    for await (const page of this.#store.list(mailbox)) {
      for (const message of page) {
        const key = keyOf(message)
        there.set(key, (there.get(key) ?? 0) + 1)
      }
    }
    return there
  }
}

/** Without a Message-ID it takes more to be the same. */
function keyOf({ received, octets, facts }: Likeness): string {
  const { messageId, envelope, preview, lines } = facts
  return JSON.stringify([received, octets, messageId ?? [envelope, preview, lines]])
}

/** Some servers keep Maildirs compressed: what looks like mail to nobody must not be taken for mail. */
async function refuseCompressed(body: Body): Promise<void> {
  if (body.size < 2) return
  const [first, second] = body.bytes ?? (await octetsOf(body))
  if (first !== 0x1f || second !== 0x8b) return
  throw new MailError('config', 'A message is compressed (gzip): Dovecot and others do that. Decompress the files first')
}

async function octetsOf(body: Body): Promise<Uint8Array> {
  for await (const chunk of body.read({ start: 0, end: 2 })) return chunk
  return new Uint8Array(0)
}
