import { join, resolve } from 'node:path'
import { MailError, isMailError } from '../../protocol/session/errors.ts'
import { type Connection, type SqliteDriver, findDriver, isBusy } from './driver.ts'
import { makeFolder } from './files.ts'

/** A folder that is this process's until it is released. */
export interface FolderLock {
  /** Lets another process have the folder. May be called again. */
  release(): void
}

/** Kept from the garbage collector, which would close the connection and with it give up the lock. */
const held = new Set<Connection>()

/**
 * Takes a data folder, made where it is missing, for this process alone.
 *
 * The lock is one that the kernel holds (a write transaction, never finished, in `posthorn.lock`): it is gone with the process
 * however that ends, so there is no stale lock to recognise. The file stays, and says which process had the lock last.
 *
 * @throws MailError `config` when another process, or another lock of this one, has the folder, or it cannot be used;
 * `unavailable` when there is no SQLite driver
 */
export function lockFolder(path: string, options: { readonly driver?: SqliteDriver } = {}): FolderLock {
  const Driver = options.driver ?? findDriver()
  let db: Connection | undefined
  try {
    const folder = resolve(path)
    makeFolder(folder)
    db = new Driver(join(folder, 'posthorn.lock')) as unknown as Connection
    // Long enough for another to look who has it; its own lock would outlast any wait.
    db.exec('PRAGMA busy_timeout = 100')
    take(db, path)
  } catch (error) {
    db?.close()
    if (isMailError(error)) throw error
    throw new MailError('config', `${path} cannot be used: ${(error as Error).message}`, { cause: error })
  }
  const connection = db
  held.add(connection)
  return {
    release: () => {
      if (held.delete(connection)) connection.close()
    },
  }
}

function take(db: Connection, path: string): void {
  try {
    db.exec('BEGIN IMMEDIATE')
    // A number in the file's header that others can read while the lock is held.
    db.exec(`PRAGMA user_version = ${process.pid}`)
    db.exec('COMMIT')
    db.exec('BEGIN IMMEDIATE')
  } catch (error) {
    if (!isBusy(error)) throw error
    const holder = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
    const who = holder === process.pid ? 'by this very process' : `by another one (process ${holder})`
    throw new MailError('config', `${path} is in use ${who}. Stop that one first, or name another folder`, { cause: error })
  }
}
