import type { Body } from '../../contracts/bodies.ts'
import type { MailboxId, NewMessage, StoredMessage } from '../../contracts/store.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Transaction, Write } from './commit.ts'
import { Counters } from './counters.ts'
import type { Connection, Statement } from './driver.ts'
import { hasFile } from './files.ts'

/** The last UID there can be (RFC 9051 §2.3.1.1). */
export const LAST_UID = 0xffffffff

const NO_FLAGS: readonly string[] = Object.freeze([])

/**
 * What is known of a message that is appended, perhaps to many: it is kept once. Same body, same message: by identity, since
 * that is free. A hash of the octets with its index costs 9 to 15 µs more than the 25 of the whole append (SHA-256 of 10 KB
 * is 6, and each hash dirties a page of its own), and finds nothing: deliveries differ in their `Received:` lines.
 */
class Shared {
  readonly facts: NewMessage['facts']
  /** Its row, once that is committed. It may be gone again. */
  committed: number | undefined
  /** Its row in the transaction `serial`. */
  row = 0
  serial = 0
  /** The name of the file, where the body is too large for a row. */
  file: Promise<string> | undefined
  /** How many appends are using the file. */
  users = 0

  constructor(facts: NewMessage['facts']) {
    this.facts = facts
  }
}

/** Messages that are remembered, at most, and octets of bodies held for it. Few: what is remembered survives collections. */
const MOST_RECENT = 8
const MOST_HELD = 1024 * 1024

/**
 * What is known of the messages that were appended last. Neither a WeakMap nor a Map: with an entry that comes and goes for each
 * message, either makes the collector work as much as the appends do (a Map's outgrown tables keep their successors alive).
 */
class Recent {
  readonly #bodies: (Body | undefined)[] = new Array<undefined>(MOST_RECENT).fill(undefined)
  readonly #known: (Shared | undefined)[] = new Array<undefined>(MOST_RECENT).fill(undefined)
  #next = 0
  #held = 0

  get(body: Body): Shared | undefined {
    const at = this.#bodies.indexOf(body)
    return at < 0 ? undefined : this.#known[at]
  }

  set(body: Body, shared: Shared): void {
    const at = this.#bodies.indexOf(body)
    if (at >= 0) {
      this.#known[at] = shared
      return
    }
    // Room for one, and for its octets: the oldest go first.
    this.#forget(this.#next)
    for (let gone = 1; gone < MOST_RECENT && this.#held + body.size > MOST_HELD; gone++) {
      this.#forget((this.#next + gone) % MOST_RECENT)
    }
    this.#bodies[this.#next] = body
    this.#known[this.#next] = shared
    this.#held += body.size
    this.#next = (this.#next + 1) % MOST_RECENT
  }

  #forget(at: number): void {
    this.#held -= this.#bodies[at]?.size ?? 0
    this.#bodies[at] = this.#known[at] = undefined
  }
}

/** The statements of an append, and what they share. */
export class Appending implements Transaction {
  readonly counters: Counters
  readonly folder: string
  /** Counts the transactions. */
  serial = 0
  readonly #recent = new Recent()
  readonly #exists: Statement
  readonly #again: Statement
  readonly #message: Statement
  readonly #body: Statement
  readonly #entry: Statement

  constructor(db: Connection, folder: string) {
    this.counters = new Counters(db)
    this.folder = folder
    this.#exists = db.prepare('SELECT 1 FROM messages WHERE id = ?')
    this.#again = db.prepare('UPDATE messages SET refs = refs + 1 WHERE id = ?')
    this.#message = db.prepare('INSERT INTO messages (id, octets, refs, file, facts) VALUES (?, ?, 1, ?, ?)')
    this.#body = db.prepare('INSERT INTO bodies (id, data) VALUES (?, ?)')
    this.#entry = db.prepare('INSERT INTO entries (mailbox, uid, mod_seq, message, received, flags) VALUES (?, ?, ?, ?, ?, ?)')
  }

  begun(): void {
    this.serial++
    this.counters.begun()
  }

  committed(): void {
    this.counters.committed()
  }

  /** What is known of the message. Same body with other facts is another message. */
  shared({ body, facts }: NewMessage): Shared {
    const known = this.#recent.get(body)
    if (known?.facts === facts) return known
    const shared = new Shared(facts)
    this.#recent.set(body, shared)
    return shared
  }

  /** Whether the message is there. */
  exists(row: number): boolean {
    return this.#exists.get(row) !== undefined
  }

  /** Counts one entry more for a message, if it is there. */
  again(row: number): boolean {
    return Number(this.#again.run(row).changes) > 0
  }

  /** Writes what the message says and its body, a file's name or octets. Returns its row. */
  insertMessage(size: number, content: Uint8Array | string, facts: string): number {
    const row = this.counters.message()
    const isFile = typeof content === 'string'
    this.#message.run(row, size, isFile ? content : null, facts)
    if (!isFile) this.#body.run(row, content)
    return row
  }

  /** Writes its place in a mailbox. */
  insertEntry(mailbox: number, uid: number, modSeq: number, message: number, received: number, flags: string): void {
    this.#entry.run(mailbox, uid, modSeq, message, received, flags)
  }
}

/** The two ends of a promise. */
export interface Settle<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: Error) => void
}

/** One append, waiting for its transaction. */
export class Append implements Write {
  readonly octets: number
  readonly #mailbox: MailboxId
  readonly #message: NewMessage
  /** The octets, the name of the file that holds them, or `undefined`: the message is there already. */
  readonly #content: Uint8Array | string | undefined
  readonly #shared: Shared
  readonly #with: Appending
  readonly #settle: Settle<StoredMessage>
  #stored: StoredMessage | undefined

  constructor(
    mailbox: MailboxId,
    message: NewMessage,
    content: Uint8Array | string | undefined,
    appending: Appending,
    shared: Shared,
    settle: Settle<StoredMessage>,
  ) {
    this.octets = typeof content === 'object' ? content.length : 0
    this.#mailbox = mailbox
    this.#message = message
    this.#content = content
    this.#shared = shared
    this.#with = appending
    this.#settle = settle
  }

  apply(): void {
    const { body, received, flags, facts } = this.#message
    const next = this.#with.counters.mailbox(this.#mailbox)
    if (!next) throw new MailError('permanent', `There is no mailbox ${this.#mailbox}`)
    if (next.uid > LAST_UID) throw new MailError('permanent', `Mailbox ${this.#mailbox} has used up its UIDs`)
    if (!Number.isSafeInteger(received)) throw new MailError('misuse', 'received: give whole milliseconds')
    const message = this.#row()
    const uid = next.uid++
    const modSeq = ++next.modSeq
    this.#with.insertEntry(next.row, uid, modSeq, message, received, flags === undefined ? '' : flags.join(' '))
    this.#stored = {
      id: String(message),
      mailbox: this.#mailbox,
      uid,
      modSeq,
      received,
      flags: flags === undefined ? NO_FLAGS : [...flags],
      octets: body.size,
      facts,
    }
  }

  committed(): void {
    this.#shared.committed = this.#shared.row
    this.#settle.resolve(this.#stored as StoredMessage)
  }

  failed(error: MailError): void {
    this.#settle.reject(error)
  }

  /** The row of the message: of this transaction, of an earlier one if it is still there, or a new one. */
  #row(): number {
    const shared = this.#shared
    const { serial } = this.#with
    // What another transaction inserted counts only once it is committed: after a rollback its row may be someone else's.
    const known = shared.serial === serial ? shared.row : shared.committed
    const row = known !== undefined && this.#with.again(known) ? known : this.#insert()
    shared.serial = serial
    shared.row = row
    return row
  }

  #insert(): number {
    const content = this.#content
    // Looked at under the write lock, which the sweep of another process also takes: what is there now stays.
    if (content === undefined || (typeof content === 'string' && !hasFile(this.#with.folder, content))) {
      throw new MailError('temporary', 'The body was removed meanwhile')
    }
    return this.#with.insertMessage(this.#message.body.size, content, json(this.#message.facts))
  }
}

function json(facts: NewMessage['facts']): string {
  try {
    return JSON.stringify(facts)
  } catch (cause) {
    throw new MailError('misuse', 'facts: give plain JSON data', { cause })
  }
}
