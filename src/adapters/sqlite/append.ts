import type { Body } from '../../contracts/bodies.ts'
import type { Transaction } from './commit.ts'
import { Counters, type Numbers } from './counters.ts'
import type { Connection, Statement } from './driver.ts'
import { KeptBody } from './kept-body.ts'
import { type Content, Recent, Shared } from './recent.ts'

/** The statements of an append, and what they share. */
export class Appending implements Transaction {
  readonly counters: Counters
  readonly folder: string
  /** Counts the transactions. */
  serial = 0
  /** When this transaction began, milliseconds since the Unix epoch. */
  time = 0
  readonly #now: () => number
  readonly #recent = new Recent()
  readonly #db: Connection
  readonly #facts: Statement
  readonly #exists: Statement
  readonly #byHash: Statement
  readonly #again: Statement
  readonly #message: Statement
  readonly #body: Statement
  readonly #entry: Statement

  constructor(db: Connection, folder: string, now: () => number) {
    this.counters = new Counters(db)
    this.folder = folder
    this.#now = now
    this.#db = db
    this.#facts = db.prepare('SELECT facts FROM messages WHERE id = ?')
    this.#exists = db.prepare('SELECT 1 FROM messages WHERE id = ?')
    this.#byHash = db.prepare('SELECT id FROM messages WHERE hash = ? AND octets = ?')
    this.#again = db.prepare('INSERT INTO shares (message, extra) VALUES (?, 1)'
      + ' ON CONFLICT (message) DO UPDATE SET extra = extra + 1')
    this.#message = db.prepare('INSERT INTO messages (id, octets, refs, file, facts, hash) VALUES (?, ?, 1, ?, ?, ?)')
    this.#body = db.prepare('INSERT INTO bodies (id, data) VALUES (?, ?)')
    this.#entry = db.prepare('INSERT INTO entries (mailbox, uid, mod_seq, message, received, flags, saved, octets)'
      + ' VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  }

  begun(): void {
    this.serial++
    this.time = Math.floor(this.#now()) || 0
    this.counters.begun()
  }

  ending(): void {
    this.counters.ending()
  }

  committed(): void {
    this.counters.committed()
  }

  /** What is known of the message. Same body with other facts is another message. */
  shared({ body, facts }: Content): Shared {
    const known = this.#recent.get(body)
    if (known?.facts === facts) return known
    const shared = new Shared(facts)
    this.#recent.set(body, shared)
    return shared
  }

  /** The row of a message whose body this is, as the database has given it. */
  rowOf(body: Body): number | undefined {
    return KeptBody.rowIn(this.#db, body)
  }

  /** What a message says, as it is kept; `undefined`: it is not there. */
  facts(row: number): string | undefined {
    return this.#facts.get(row)?.['facts'] as string | undefined
  }

  /** Whether the message is there. */
  exists(row: number): boolean {
    return this.#exists.get(row) !== undefined
  }

  /** The row of a message with that hash. */
  find(hash: Uint8Array, octets: number): number | undefined {
    return this.#byHash.get(hash, octets)?.['id'] as number | undefined
  }

  /** Counts one entry more for a message that is there; one that nobody needed any more is needed again. */
  again(row: number): void {
    this.#again.run(row)
  }

  /** Writes what the message says and its body, a file's name or octets. Returns its row. */
  insertMessage(size: number, content: Uint8Array | string, facts: string, hash: Uint8Array | undefined): number {
    const row = this.counters.message()
    const isFile = typeof content === 'string'
    this.#message.run(row, size, isFile ? content : null, facts, hash ?? null)
    if (!isFile) this.#body.run(row, content)
    return row
  }

  /** Writes its place in a mailbox: the UID that is next, and the mod-sequence that was given out last. */
  insertEntry({ row, uid, modSeq }: Numbers, message: number, received: number, flags: string, octets: number): void {
    this.#entry.run(row, uid, modSeq, message, received, flags, this.time, octets)
  }
}
