import { resolve } from 'node:path'
import type { AccountRecords } from '../../contracts/accounts.ts'
import type { KeyValue } from '../../contracts/key-value.ts'
import type { MailStore } from '../../contracts/store.ts'
import { MailError, isMailError } from '../../protocol/session/errors.ts'
import { aFunction, aSwitch, aText, checkOptions, type OptionKinds, required } from '../../protocol/session/options.ts'
import { SqliteAccounts } from './accounts.ts'
import { Appending } from './append.ts'
import { NewBodies } from './bodies.ts'
import { GroupCommit, type Transaction } from './commit.ts'
import { closeConnection, openConnection } from './connection.ts'
import { type Connection, reading, type SqliteDriver } from './driver.ts'
import { filesIn, makeFolder, pathOf, removeFile } from './files.ts'
import { SqliteKeyValue } from './key-value.ts'
import { type QueueWriting, type SqliteMailQueue, SqliteQueue } from './queue.ts'
import { prepareSearch } from './search.ts'
import { SqliteStore } from './store.ts'
import { Watching } from './watching.ts'

/** Settings of {@link sqlite}. */
export interface SqliteOptions {
  /** The database file, made where it is missing. Beside it lie `PATH-wal`, `PATH-shm` and, for large bodies, `PATH-bodies/`. */
  readonly path: string
  /** For reading only, also beside a server that is running: changes nothing, sweeps nothing. The file must exist. */
  readonly readonly?: boolean
  /** The driver; by default the first that is there of `node:sqlite`, `better-sqlite3`, `libsql`. */
  readonly driver?: SqliteDriver
  /** Octets, up to 256 MiB. Larger bodies become files, smaller ones are rows. Default 1 MiB. */
  readonly bodyThreshold?: number
  /**
   * Octets. Bodies of at least this many are looked for by a hash (SHA-256) of octets and facts, and kept once however they
   * came; smaller ones are kept once where the same body is appended to many or copied. `Infinity` for never. Default 32 KiB.
   */
  readonly dedupeFrom?: number
  /**
   * An index for `search`, which finds words within milliseconds. It costs about a millisecond of the event loop for each
   * message of 10 KB, a while after it came, and a third of the size of its text; so it is made only where it is asked for
   * (`true`), kept where it is, and removed where it is refused (`false`). Needs an SQLite with FTS5, 3.43 or later, which all
   * three drivers bring; with another one the store has no `search`.
   */
  readonly search?: boolean
  /** Milliseconds since the Unix epoch, for UIDVALIDITY and the dates at which messages were saved. Default `Date.now`. */
  readonly now?: () => number
}

/** Octets of the largest row, well below what SQLite can hold (SQLITE_MAX_LENGTH, 10^9). */
const MOST_IN_ROW = 256 * 1024 * 1024

const kinds: OptionKinds<SqliteOptions> = {
  path: required({ ...aText, takes: "the path of a file, such as 'mail.db'" }),
  readonly: aSwitch,
  driver: { ...aFunction, takes: 'a driver: the class Database of better-sqlite3 or libsql, or DatabaseSync of node:sqlite' },
  bodyThreshold: {
    takes: `whole octets, 0 to ${MOST_IN_ROW}`,
    is: (value) => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MOST_IN_ROW,
  },
  dedupeFrom: { takes: 'octets, 1 or more, or Infinity', is: (value) => typeof value === 'number' && value >= 1 },
  search: aSwitch,
  now: aFunction,
}

/** A mail store that has all there is to a mail store. */
export type SqliteMailStore = Required<Omit<MailStore, 'search'>> & Pick<MailStore, 'search'>

/** Everything that is kept in one database. */
export interface SqliteMail {
  readonly store: SqliteMailStore
  /** Mail that is to go out. */
  readonly queue: SqliteMailQueue
  readonly keyValue: KeyValue
  /** Who is here; for `accountDirectory`. */
  readonly accounts: AccountRecords
  /** Commits what waits, then lets go of the file. May be called again; closing one of the stores is the same. */
  close(): Promise<void>
}

/**
 * Mail in a SQLite database: the embedded default. Durable before a promise resolves; many appends share one flush.
 *
 * Give one process one database: several may write to the same one, correctly but waiting for each other, with the event loop
 * at a stand. (A data folder as a whole is kept for one process with {@link lockFolder}.)
 *
 * @throws MailError `unavailable` when there is no driver (the message names the command that installs one); `config` when
 * the file cannot be used, is another program's or was written by a newer version
 */
export function sqlite(options: SqliteOptions): SqliteMail {
  checkOptions('sqlite', options, kinds)
  const { path, readonly = false, driver, now = Date.now } = options
  const db = openConnection({ path, readonly, now: now(), ...(driver && { driver }) })
  const folder = `${resolve(path)}-bodies`
  let commits: GroupCommit | undefined
  let queue: SqliteQueue | undefined
  let open = true
  const close = (): void => {
    if (!open) return
    open = false
    queue?.stop()
    commits?.close()
    closeConnection(db, readonly)
  }
  try {
    const surface = (store: SqliteStore, writing?: QueueWriting): SqliteMail => ({
      store,
      queue: queue = new SqliteQueue(db, folder, writing, () => open, () => store.close()),
      keyValue: new SqliteKeyValue(db, commits, () => open, () => store.close()),
      accounts: new SqliteAccounts(db, commits, () => open, () => store.close(), () => performance.now()),
      close: () => store.close(),
    })
    const watching = new Watching(db)
    const hasSearch = prepareSearch(db, options.search, readonly)
    if (readonly) return surface(new SqliteStore(db, folder, watching, hasSearch, undefined, close))
    makeFolder(folder)
    sweep(db, folder)
    const appending = new Appending(db, folder, now)
    commits = new GroupCommit(db, telling(appending, watching, () => store.wake(), () => queue))
    const { bodyThreshold: file = 1024 * 1024, dedupeFrom: hash = 32 * 1024 } = options
    const bodies = new NewBodies(appending, { file, hash }, reading)
    const store = new SqliteStore(db, folder, watching, hasSearch, { commits, appending, bodies, now }, close)
    return surface(store, { commits, bodies, collect: () => store.collect(), during: (doing) => store.during(doing) })
  } catch (error) {
    close()
    if (isMailError(error)) throw error
    throw new MailError('config', `${path} cannot be used: ${(error as Error).message}`, { cause: error })
  }
}

/** Tells of each transaction: those who watch of what has changed, the others (`wake`) that something has. */
function telling(
  appending: Appending, watching: Watching, wake: () => void, queue: () => SqliteQueue | undefined,
): Transaction {
  return {
    begun: () => {
      appending.begun()
      queue()?.begun()
    },
    ending: () => appending.ending(),
    committed: () => {
      appending.committed()
      queue()?.committed()
      if (watching.isWatched) watching.tell(appending.counters.changed(), appending.counters.changedAccounts())
      wake()
    },
  }
}

/**
 * Removes what a crash left: files half written, and files whose row was never committed. Under the write lock, so that a row
 * that another process is about to commit is committed before, or finds its file gone and fails ({@link Append}).
 */
function sweep(db: Connection, folder: string): void {
  const { complete, partial } = filesIn(folder)
  if (complete.length + partial.length === 0) return
  db.exec('BEGIN IMMEDIATE')
  try {
    const used = new Set(db.prepare('SELECT file FROM messages WHERE file IS NOT NULL').all().map(({ file }) => file))
    for (const name of complete) if (!used.has(name)) removeFile(pathOf(folder, name))
    for (const name of partial) removeFile(pathOf(folder, name, true))
  } finally {
    db.exec('ROLLBACK')
  }
}
