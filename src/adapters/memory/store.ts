import type { StoredBody } from '../../contracts/bodies.ts'
import type { Mailbox, MailboxId, MailStore, MessageId, NewMessage, StoredMessage } from '../../contracts/store.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { memoryBody, octetsOf } from './bodies.ts'

/** Settings of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /**
   * Milliseconds since the Unix epoch, for UIDVALIDITY: what one store forgot, the next must not seem to remember. Default
   * `Date.now`.
   */
  readonly now?: () => number
}

/**
 * A mail store in memory: the reference for what a store does. Gone with the process, so for tests and for mail that nobody
 * keeps.
 */
export function memoryStore({ now = Date.now }: MemoryStoreOptions = {}): MailStore {
  return new MemoryStore(now)
}

/** A mailbox and what is in it, by ascending UID. */
interface Box {
  mailbox: Mailbox
  readonly entries: Entry[]
}

interface Entry {
  readonly uid: number
  readonly modSeq: number
  readonly message: Message
  readonly received: number
  readonly flags: readonly string[]
}

/** What a message says, once, in however many mailboxes it is. */
interface Message {
  readonly id: MessageId
  readonly bytes: Uint8Array
  /** Facts as JSON, so that neither the giver nor a taker changes them for others. */
  readonly facts: string
}

class MemoryStore implements MailStore {
  readonly traits = { durability: 'none' } as const
  readonly #now: () => number
  readonly #boxes = new Map<MailboxId, Box>()
  readonly #messages = new Map<MessageId, Message>()
  /** By body, for those that are appended to many. */
  readonly #given = new WeakMap<object, { facts: object; message: Message }>()
  #lastUidValidity = 0
  #closed = false

  constructor(now: () => number) {
    this.#now = now
  }

  async mailboxes(account: string): Promise<readonly Mailbox[]> {
    this.#check()
    const found = [...this.#boxes.values()].map(({ mailbox }) => mailbox).filter((mailbox) => mailbox.account === account)
    return found.sort((a, b) => comparePaths(a.path, b.path))
  }

  async create(account: string, path: readonly string[]): Promise<Mailbox> {
    this.#check()
    for (const { mailbox } of this.#boxes.values()) {
      if (mailbox.account === account && comparePaths(mailbox.path, path) === 0) return mailbox
    }
    this.#lastUidValidity = Math.max(this.#lastUidValidity + 1, Math.floor(this.#now() / 1000) || 0)
    const mailbox: Mailbox = {
      id: String(this.#boxes.size + 1),
      account,
      path: [...path],
      uidValidity: this.#lastUidValidity,
      uidNext: 1,
      modSeq: 0,
    }
    this.#boxes.set(mailbox.id, { mailbox, entries: [] })
    return mailbox
  }

  async append(mailbox: MailboxId, message: NewMessage): Promise<StoredMessage> {
    this.#check()
    const bytes = await octetsOf(message.body)
    const box = this.#boxes.get(mailbox)
    if (!box) throw new MailError('permanent', `There is no mailbox ${mailbox}`)
    if (!Number.isSafeInteger(message.received)) throw new MailError('misuse', 'received: give whole milliseconds')
    const entry: Entry = {
      uid: box.mailbox.uidNext,
      modSeq: box.mailbox.modSeq + 1,
      message: this.#keep(message, bytes),
      received: message.received,
      flags: [...(message.flags ?? [])],
    }
    box.entries.push(entry)
    box.mailbox = { ...box.mailbox, uidNext: entry.uid + 1, modSeq: entry.modSeq }
    return stored(mailbox, entry)
  }

  async *list(mailbox: MailboxId, since = 0): AsyncGenerator<StoredMessage, void, undefined> {
    this.#check()
    for (const entry of this.#boxes.get(mailbox)?.entries ?? []) {
      if (entry.modSeq > since) yield stored(mailbox, entry)
    }
  }

  async body(id: MessageId): Promise<StoredBody | undefined> {
    this.#check()
    const message = this.#messages.get(id)
    return message && memoryBody(id, message.bytes)
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #check(): void {
    if (this.#closed) throw new MailError('closed', 'The store was closed')
  }

  #keep({ body, facts }: NewMessage, bytes: Uint8Array): Message {
    const given = this.#given.get(body)
    if (given?.facts === facts) return given.message
    const message = { id: String(this.#messages.size + 1), bytes, facts: json(facts) }
    this.#messages.set(message.id, message)
    this.#given.set(body, { facts, message })
    return message
  }
}

function stored(mailbox: MailboxId, { uid, modSeq, message, received, flags }: Entry): StoredMessage {
  const facts = JSON.parse(message.facts) as StoredMessage['facts']
  return { id: message.id, mailbox, uid, modSeq, received, flags: [...flags], octets: message.bytes.length, facts }
}

function json(facts: NewMessage['facts']): string {
  try {
    return JSON.stringify(facts)
  } catch (cause) {
    throw new MailError('misuse', 'facts: give plain JSON data', { cause })
  }
}

/** Parents before children, otherwise by code unit. */
function comparePaths(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [x, y] = [a[i] as string, b[i] as string]
    if (x !== y) return x < y ? -1 : 1
  }
  return a.length - b.length
}
