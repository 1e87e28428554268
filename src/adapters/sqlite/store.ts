import { setImmediate as turn } from 'node:timers/promises'
import type { Body, ByteRange, StoredBody } from '../../contracts/bodies.ts'
import type { Mailbox, MailboxId, MailStore, MessageId, NewMessage, StoredMessage } from '../../contracts/store.ts'
import { MailError, isMailError } from '../../protocol/session/errors.ts'
import { Append, type Appending, LAST_UID } from './append.ts'
import { type GroupCommit, closedError } from './commit.ts'
import { MAILBOX, rowId } from './counters.ts'
import { CreateMailbox, type Creating, mailboxOf } from './create.ts'
import { type Connection, type Row, type Statement, storageError } from './driver.ts'
import { keepFile, pathOf, readFile, removeFile } from './files.ts'

/** Messages read at a time by `list`: a few milliseconds, then the event loop has its turn. */
const PAGE = 200

/** Octets of a body read at a time, where it is in a row. */
const CHUNK = 1024 * 1024

/** What a store needs to write; a store without it is for reading only. */
export interface Writing {
  readonly commits: GroupCommit
  readonly appending: Appending
  readonly creating: Creating
  /** Bodies above this many octets become files. */
  readonly threshold: number
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
}

/** The mail store in a database. */
export class SqliteStore implements MailStore {
  readonly traits = { durability: 'disk' } as const
  readonly #folder: string
  readonly #write: Writing | undefined
  readonly #close: () => void
  readonly #accounts: Statement
  readonly #mailboxes: Statement
  readonly #page: Statement
  readonly #from: Statement
  readonly #message: Statement
  readonly #data: Statement
  readonly #piece: Statement
  /** Appends whose body is being read or written to a file. */
  readonly #reading = new Set<Promise<StoredMessage>>()
  #closed = false

  /** `folder` has the bodies that are files; `close` lets go of the database. */
  constructor(db: Connection, folder: string, writing: Writing | undefined, close: () => void) {
    this.#folder = folder
    this.#write = writing
    this.#close = close
    this.#accounts = db.prepare('SELECT DISTINCT account FROM mailboxes ORDER BY account')
    this.#mailboxes = db.prepare(`${MAILBOX} WHERE m.account = ?`)
    const listing = 'SELECT e.uid, e.mod_seq, e.message, e.received, e.flags, m.octets, m.facts'
      + ' FROM entries AS e CROSS JOIN messages AS m ON m.id = e.message'
    this.#page = db.prepare(`${listing} WHERE e.mailbox = ? AND e.uid > ? ORDER BY e.uid LIMIT ${PAGE}`)
    this.#from = db.prepare('SELECT uid, mod_seq FROM entries WHERE mailbox = ? AND uid >= ? ORDER BY uid LIMIT 1')
    this.#message = db.prepare('SELECT octets, file FROM messages WHERE id = ?')
    this.#data = db.prepare('SELECT data FROM bodies WHERE id = ?')
    this.#piece = db.prepare('SELECT substr(data, ?, ?) AS data FROM bodies WHERE id = ?')
  }

  /** Every account that has a mailbox, by code unit. */
  async accounts(): Promise<readonly string[]> {
    return this.#read(() => this.#accounts.all()).map(({ account }) => account as string)
  }

  async mailboxes(account: string): Promise<readonly Mailbox[]> {
    const found = this.#read(() => this.#mailboxes.all(account)).map(mailboxOf)
    return found.sort((a, b) => comparePaths(a.path, b.path))
  }

  async create(account: string, path: readonly string[]): Promise<Mailbox> {
    const { commits, creating, now } = this.#writing()
    return new Promise((resolve, reject) => {
      commits.add(new CreateMailbox(account, JSON.stringify(path), now(), creating, { resolve, reject }))
    })
  }

  append(mailbox: MailboxId, message: NewMessage): Promise<StoredMessage> {
    const { size, bytes } = message.body
    if (this.#write && size <= this.#write.threshold && bytes?.length === size) {
      // The common case, with one promise in all: the octets are at hand and fit into a row.
      return this.#add(this.#write, mailbox, message, bytes)
    }
    return this.#appendSlowly(mailbox, message)
  }

  async *list(mailbox: MailboxId, since = 0): AsyncGenerator<StoredMessage, void, undefined> {
    const row = rowId(mailbox)
    if (row === undefined) return
    let after = since > 0 ? this.#read(() => this.#lastUntil(row, since)) : 0
    for (;;) {
      const page = this.#read(() => this.#page.all(row, after))
      for (const found of page) yield messageOf(mailbox, found)
      if (page.length < PAGE) return
      after = page[page.length - 1]?.['uid'] as number
      // Nothing above waits for anything: without this a long list would be one long turn.
      await turn()
    }
  }

  async body(message: MessageId): Promise<StoredBody | undefined> {
    const row = rowId(message)
    const found = this.#read(() => (row === undefined ? undefined : this.#message.get(row)))
    if (row === undefined || !found) return undefined
    const size = found['octets'] as number
    if (found['file'] === null) {
      return { id: message, size, read: (range) => this.#readRow(row, range ?? { start: 0, end: size }, size) }
    }
    const file = pathOf(this.#folder, found['file'] as string)
    return { id: message, size, file, read: (range) => readFile(file, range ?? { start: 0, end: size }) }
  }

  async close(): Promise<void> {
    this.#closed = true
    while (this.#reading.size > 0) await Promise.allSettled(this.#reading)
    this.#close()
  }

  /** `shared`: what was found out of the message already, where something was. */
  #add(
    { commits, appending }: Writing,
    mailbox: MailboxId,
    message: NewMessage,
    content: Uint8Array | string | undefined,
    shared = appending.shared(message),
  ): Promise<StoredMessage> {
    return new Promise((resolve, reject) => {
      commits.add(new Append(mailbox, message, content, appending, shared, { resolve, reject }))
    })
  }

  /** Appends a body that first has to be read into memory, or written to a file. */
  async #appendSlowly(mailbox: MailboxId, message: NewMessage): Promise<StoredMessage> {
    const writing = this.#writing()
    const appended = message.body.size > writing.threshold
      ? this.#appendFile(writing, mailbox, message)
      : gather(message.body).then((bytes) => this.#add(writing, mailbox, message, bytes))
    this.#reading.add(appended)
    try {
      return await appended
    } catch (error) {
      throw isMailError(error) ? error : storageError(error, 'taking a body')
    } finally {
      this.#reading.delete(appended)
    }
  }

  /** One file, however many get the message. */
  async #appendFile(writing: Writing, mailbox: MailboxId, message: NewMessage): Promise<StoredMessage> {
    const { appending } = writing
    const shared = appending.shared(message)
    if (shared.committed !== undefined) {
      const known = shared.committed
      if (this.#read(() => appending.exists(known))) return this.#add(writing, mailbox, message, undefined, shared)
      shared.committed = undefined
    }
    shared.users++
    shared.file ??= keepFile(this.#folder, message.body)
    try {
      return await this.#add(writing, mailbox, message, await shared.file, shared)
    } finally {
      if (--shared.users === 0) {
        const { file } = shared
        shared.file = undefined
        // The last one out, and no row has it: what cannot be removed now is swept at the next open.
        if (shared.committed === undefined) await file?.then((name) => removeFile(pathOf(this.#folder, name))).catch(() => {})
      }
    }
  }

  /**
   * A UID below every entry whose mod-sequence is above `since`, and not below any other. They ascend together, so it is
   * searched by halves: some twenty looks in a mailbox of a million.
   */
  #lastUntil(row: number, since: number): number {
    let [low, high] = [0, LAST_UID]
    while (low < high) {
      const middle = Math.floor((low + high + 1) / 2)
      const found = this.#from.get(row, middle)
      if (found && (found['mod_seq'] as number) <= since) low = found['uid'] as number
      else high = middle - 1
    }
    return low
  }

  async *#readRow(row: number, { start, end }: ByteRange, size: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = start; at < end; at += CHUNK) {
      const length = Math.min(CHUNK, end - at)
      const found = this.#read(() => (length === size ? this.#data.get(row) : this.#piece.get(at + 1, length, row)))
      if (!found) throw new MailError('permanent', `Message ${row} was removed`)
      yield found['data'] as Uint8Array
      if (at + CHUNK < end) await turn()
    }
  }

  #read<T>(query: () => T): T {
    if (this.#closed) throw closedError()
    try {
      return query()
    } catch (error) {
      throw storageError(error, 'reading')
    }
  }

  #writing(): Writing {
    if (this.#closed) throw closedError()
    if (!this.#write) throw new MailError('misuse', 'The database was opened with readonly: true')
    return this.#write
  }
}

function messageOf(mailbox: MailboxId, row: Row): StoredMessage {
  const flags = row['flags'] as string
  return {
    id: String(row['message']),
    mailbox,
    uid: row['uid'] as number,
    modSeq: row['mod_seq'] as number,
    received: row['received'] as number,
    flags: flags === '' ? [] : flags.split(' '),
    octets: row['octets'] as number,
    facts: JSON.parse(row['facts'] as string) as StoredMessage['facts'],
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

/** All octets of a body that is small enough to be held. */
async function gather(body: Body): Promise<Uint8Array> {
  const all = new Uint8Array(body.size)
  let octets = 0
  for await (const chunk of body.bytes ? [body.bytes] : body.read()) {
    if (octets + chunk.length <= all.length) all.set(chunk, octets)
    octets += chunk.length
  }
  if (octets !== body.size) throw new MailError('misuse', `body: says ${body.size} octets, has ${octets}`)
  return all
}
