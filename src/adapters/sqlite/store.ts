import type { StoredBody } from '../../contracts/bodies.ts'
import type { Mailbox, MailboxId, SpecialUse, UidSet, Usage } from '../../contracts/mailbox.ts'
import type {
  Append as AppendTo,
  Changes,
  Copied,
  Entry,
  FlagChange,
  Flagged,
  MailStore,
  MessageId,
  MessageRange,
  NewMessage,
  Room,
  Selection,
  StoredMessage,
} from '../../contracts/store.ts'
import { MailError, isMailError } from '../../protocol/session/errors.ts'
import type { Appending } from './append.ts'
import { type NewBodies, StoredBodies } from './bodies.ts'
import { Collecting } from './collecting.ts'
import { type GroupCommit, closedError } from './commit.ts'
import { OVERHEAD } from './counters.ts'
import { type Connection, reading, storageError } from './driver.ts'
import { Entries } from './entries.ts'
import type { Keeping } from './keeping.ts'
import { MailboxWrites } from './mailboxes.ts'
import { MessageWrites } from './messages.ts'
import { Append, AppendAll, Placing } from './placing.ts'
import { Reading } from './reading.ts'
import { Search } from './search.ts'
import type { Watching } from './watching.ts'

/** What a store needs to write; a store without it is for reading only. */
export interface Writing {
  readonly commits: GroupCommit
  readonly appending: Appending
  readonly bodies: NewBodies
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
}

/** The parts of a store that write. */
interface Writers {
  readonly commits: GroupCommit
  readonly appending: Appending
  readonly bodies: NewBodies
  readonly boxes: MailboxWrites
  readonly messages: MessageWrites
  readonly collecting: Collecting
}

/** The mail store in a database. */
export class SqliteStore implements MailStore {
  /** Where there is an index, and it is in step with it. */
  readonly search?: NonNullable<MailStore['search']>
  readonly traits = { durability: 'disk', overhead: OVERHEAD } as const
  readonly #reading: Reading
  readonly #bodies: StoredBodies
  readonly #watching: Watching
  readonly #search: Search | undefined
  readonly #writers: Writers | undefined
  readonly #close: () => void
  /** Calls that wait for something else than a transaction. */
  readonly #busy = new Set<Promise<unknown>>()
  #closed = false

  /** `folder` has the bodies that are files; `close` lets go of the database. */
  constructor(
    db: Connection,
    folder: string,
    watching: Watching,
    hasSearch: boolean,
    writing: Writing | undefined,
    close: () => void,
  ) {
    const entries = new Entries(db)
    this.#reading = new Reading(db, entries, (query) => this.#read(query))
    this.#bodies = new StoredBodies(db, folder, (query) => this.#read(query))
    this.#watching = watching
    this.#close = close
    const search = hasSearch ? new Search(db, writing?.commits, this.#bodies, (query) => this.#read(query)) : undefined
    this.#search = search
    if (search) this.search = async (mailbox, words, where) => search.search(mailbox, words, where)
    if (!writing) return
    const { commits, appending, bodies, now } = writing
    this.#writers = {
      commits,
      appending,
      bodies,
      boxes: new MailboxWrites(db, commits, appending.counters, entries, now),
      messages: new MessageWrites(db, appending, entries),
      collecting: new Collecting(db, commits, folder),
    }
    this.#writers.collecting.wake()
    this.wake()
  }

  /** There may be bodies that nobody needs. */
  collect(): void {
    this.#writers?.collecting.wake()
  }

  /** Something may have been written that has more to be done for it. */
  wake(): void {
    this.#search?.wake()
  }

  async mailboxes(account: string): Promise<readonly Mailbox[]> {
    return this.#reading.mailboxes(account)
  }

  async mailbox(account: string, path: readonly string[]): Promise<Mailbox | undefined> {
    return this.#reading.mailbox(account, path)
  }

  async create(account: string, path: readonly string[], use?: SpecialUse): Promise<Mailbox> {
    return this.#write().boxes.create(account, path, use)
  }

  async rename(mailbox: MailboxId, path: readonly string[]): Promise<void> {
    return this.#write().boxes.rename(mailbox, path)
  }

  async remove(mailbox: MailboxId): Promise<void> {
    const { boxes, collecting } = this.#write()
    await boxes.remove(mailbox)
    collecting.wake()
    await collecting.idle()
  }

  append(mailbox: MailboxId, message: NewMessage, room?: Room): Promise<StoredMessage> {
    const to: AppendTo = { ...room, mailbox, message }
    try {
      const { commits, bodies, appending } = this.#write()
      // The common case, with one promise in all.
      const keeping = bodies.atHand(message)
      if (keeping) return add(commits, new Placing(to, keeping, appending))
      return this.during(bodies.take([message], ([taken]) => add(commits, new Placing(to, taken as Keeping, appending))))
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  async appendAll(appends: readonly AppendTo[]): Promise<readonly StoredMessage[]> {
    const { commits, bodies, appending } = this.#write()
    return this.during(bodies.take(appends.map(({ message }) => message), (keepings) => new Promise((resolve, reject) => {
      const placings = keepings.map((keeping, index) => new Placing(appends[index] as AppendTo, keeping, appending))
      commits.add(new AppendAll(placings, { resolve, reject }))
    })))
  }

  async replace(mailbox: MailboxId, uid: number, by: AppendTo): Promise<StoredMessage | undefined> {
    const { commits, bodies, appending, messages, collecting } = this.#write()
    const stored = await this.during(bodies.take([by.message], async ([taken]) => {
      const placing = new Placing(by, taken as Keeping, appending)
      const done = (isDone: boolean) => (isDone ? placing.committed() : undefined)
      return commits.work(() => messages.replace(mailbox, uid, placing), done)
    }))
    if (stored) collecting.wake()
    return stored
  }

  entries(mailbox: MailboxId, which: Selection = {}): AsyncIterable<readonly Entry[]> {
    return this.#reading.entries(mailbox, which)
  }

  list(mailbox: MailboxId, which: Selection = {}): AsyncIterable<readonly StoredMessage[]> {
    return this.#reading.list(mailbox, which)
  }

  async changes(mailbox: MailboxId, since: number, most = 1000): Promise<Changes> {
    return this.#reading.changes(mailbox, since, Math.max(1, most))
  }

  async flag(mailbox: MailboxId, uids: UidSet, change: FlagChange, unchangedSince?: number): Promise<Flagged> {
    const { commits, messages } = this.#write()
    return commits.work(() => messages.flag(mailbox, uids, change, unchangedSince))
  }

  async expunge(mailbox: MailboxId, uids: UidSet): Promise<UidSet> {
    const { commits, messages, collecting } = this.#write()
    const gone = await commits.work(() => messages.expunge(mailbox, uids))
    if (gone.length > 0) collecting.wake()
    return gone
  }

  async copy(mailbox: MailboxId, uids: UidSet, to: MailboxId, room?: Room): Promise<readonly Copied[]> {
    const { commits, messages } = this.#write()
    return commits.work(() => messages.copy(mailbox, uids, to, room))
  }

  async move(mailbox: MailboxId, uids: UidSet, to: MailboxId): Promise<readonly Copied[]> {
    const { commits, messages } = this.#write()
    return commits.work(() => messages.move(mailbox, uids, to))
  }

  async body(message: MessageId): Promise<StoredBody | undefined> {
    return this.#bodies.open(message)
  }

  async octets(ranges: readonly MessageRange[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#bodies.octets(ranges)
  }

  async usage(account: string): Promise<Usage> {
    return this.#reading.usage(account)
  }

  async recount(account: string): Promise<Usage> {
    return this.during(this.#write().boxes.recount(account))
  }

  async erase(account: string): Promise<void> {
    const { boxes, collecting } = this.#write()
    await boxes.erase(account)
    collecting.wake()
    await collecting.idle()
  }

  accounts(): AsyncIterable<string> {
    return this.#reading.accounts()
  }

  async subscriptions(account: string): Promise<readonly (readonly string[])[]> {
    return this.#reading.subscriptions(account)
  }

  async subscribe(account: string, path: readonly string[], wanted: boolean): Promise<void> {
    return this.#write().boxes.subscribe(account, path, wanted)
  }

  async claim(mailbox: MailboxId): Promise<number> {
    return this.#write().boxes.claim(mailbox)
  }

  /** Tells at once of what this process does, of what others do within 200 ms. */
  watch(told: (mailbox: MailboxId) => void): () => void {
    return this.#read(() => this.#watching.add(told))
  }

  /** The same of an account. */
  watchAccount(account: string, told: () => void): () => void {
    return this.#read(() => this.#watching.addAccount(account, told))
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#watching.close()
    while (this.#busy.size > 0) await Promise.allSettled(this.#busy)
    await this.#search?.stop()
    await this.#writers?.collecting.stop()
    this.#close()
  }

  /** Waits for something that the store, when it is closed, waits for too. */
  async during<T>(doing: Promise<T>): Promise<T> {
    this.#busy.add(doing)
    try {
      return await doing
    } catch (error) {
      throw isMailError(error) ? error : storageError(error, 'taking a body')
    } finally {
      this.#busy.delete(doing)
    }
  }

  #read<T>(query: () => T): T {
    if (this.#closed) throw closedError()
    return reading(query)
  }

  #write(): Writers {
    if (this.#closed) throw closedError()
    if (!this.#writers) throw new MailError('misuse', 'The database was opened with readonly: true')
    return this.#writers
  }
}

function add(commits: GroupCommit, placing: Placing): Promise<StoredMessage> {
  return new Promise((resolve, reject) => {
    commits.add(new Append(placing, { resolve, reject }))
  })
}
