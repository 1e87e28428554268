import { closeSync, existsSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { MailError, isMailError } from '../../protocol/session/errors.ts'
import { type Connection, type SqliteDriver, findDriver, storageError, takingAnyId } from './driver.ts'
import { makeFolder, PRIVATE } from './files.ts'
import { checkSchema, migrate } from './migrations.ts'

/**
 * What a new database is made with, before its first table.
 *
 * A page of 8 KiB: a message of 10 KB then costs a leaf and one overflow page, and every page is two writes to the log and a
 * read and a write at the checkpoint. Measured against 4 KiB: a quarter less CPU a message; 16 KiB is slower again for one
 * message a commit.
 */
const CREATION = 'PRAGMA page_size = 8192; PRAGMA journal_mode = WAL'

/**
 * What every writing connection is given, drivers' defaults differing.
 *
 * - `synchronous = FULL`: the log is flushed at each commit (https://sqlite.org/pragma.html#pragma_synchronous). NORMAL
 *   would lose acknowledged mail with the power.
 * - `wal_autocheckpoint = 256` (2 MiB): the pages go home in slices of a few milliseconds. 8 MiB cost the same in all but
 *   stop the event loop four times as long.
 * - `journal_size_limit`: a log that a long reader let grow is cut back.
 * - No `mmap_size`: a read error there is a signal that kills the process, not an error that answers 451.
 */
const WRITING = 'PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 256; PRAGMA journal_size_limit = 67108864'

/**
 * What every connection is given.
 *
 * - `busy_timeout`: readers and the writer never wait for each other in WAL; only a second writing process makes anyone
 *   wait, and the event loop stands still meanwhile: 2 s, then `temporary`.
 * - `cache_size`: 16 MiB, the inner pages of a million messages.
 * - `trusted_schema = OFF`: a schema that was tampered with runs no functions.
 */
const ALWAYS = 'PRAGMA busy_timeout = 2000; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384; PRAGMA trusted_schema = OFF'

/** What {@link openConnection} takes. */
export interface Opening {
  readonly path: string
  readonly readonly?: boolean
  readonly driver?: SqliteDriver
  /** Milliseconds since the Unix epoch. */
  readonly now: number
}

/**
 * Opens the database, brings its schema up to date, and makes it where it is missing (with its folder) unless `readonly`.
 *
 * @throws MailError `config` when the path cannot be used, `unavailable` when there is no driver
 */
export function openConnection({ path, readonly = false, driver, now }: Opening): Connection {
  if (path === '' || path === ':memory:') {
    throw new MailError('config', 'path: name a file. For mail in memory take memoryStore()')
  }
  // Absolute, so that no driver takes it for a URI (`file:`, libsql's `https:`).
  const file = resolve(path)
  if (readonly && !existsSync(file)) throw new MailError('config', `There is no ${path}`)
  const Driver = driver ?? findDriver()
  let db: Connection | undefined
  try {
    if (!readonly) makeFile(file)
    db = takingAnyId(new Driver(file) as unknown as Connection)
    db.exec(ALWAYS)
    // Before anything is changed: it may be another program's.
    checkSchema(db, path, readonly)
    if (readonly) {
      db.exec('PRAGMA query_only = ON')
    } else {
      prepareForWriting(db, path)
      migrate(db, path, now)
    }
    return db
  } catch (error) {
    db?.close()
    if (isMailError(error)) throw error
    throw new MailError('config', `${path} cannot be opened: ${(error as Error).message}`, { cause: error })
  }
}

/** SQLite gives its other files the mode of this one. */
function makeFile(file: string): void {
  makeFolder(dirname(file))
  closeSync(openSync(file, 'a', PRIVATE))
}

function prepareForWriting(db: Connection, path: string): void {
  db.exec(CREATION)
  const mode = db.prepare('PRAGMA journal_mode').get()?.['journal_mode']
  if (mode !== 'wal') throw new MailError('config', `${path}: no write-ahead log here (${String(mode)}). Choose a local disk`)
  db.exec(WRITING)
}

/**
 * Closes. A connection that writes puts all into the database file itself, which whoever copies a server at rest may take for
 * the whole: not every driver lets SQLite do that. Where it cannot be done (a full disk, somebody reading), the next open does.
 */
export function closeConnection(db: Connection, readonly: boolean): void {
  try {
    if (!readonly) db.exec('PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)')
  } catch {
    // The log has it all the same.
  }
  try {
    db.close()
  } catch (error) {
    throw storageError(error, 'closing')
  }
}
