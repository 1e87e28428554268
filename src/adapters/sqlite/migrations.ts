import { MailError } from '../../protocol/session/errors.ts'
import type { Connection } from './driver.ts'
import type { Migration } from './migration.ts'
import { schemaAccounts } from './schema-accounts.ts'
import { schemaKeyValue } from './schema-key-value.ts'
import { schemaMail } from './schema-mail.ts'
import { schemaMailboxes } from './schema-mailboxes.ts'
import { schemaNames } from './schema-names.ts'
import { schemaQueue } from './schema-queue.ts'

/** In order; the first makes version 1 of an empty database. */
export const migrations: readonly Migration[] = [
  schemaMail,
  schemaMailboxes,
  schemaKeyValue,
  schemaAccounts,
  schemaNames,
  schemaQueue,
]

/** `post`, in the header of every database of ours (https://sqlite.org/pragma.html#pragma_application_id). */
const APPLICATION = 0x706f7374

/**
 * Looks whether the file is a database of ours that this code can use. Changes nothing.
 *
 * @throws MailError `config`: it is another program's, was written by a newer posthorn, or (`readonly`) is not up to date
 */
export function checkSchema(db: Connection, path: string, readonly: boolean, steps = migrations): void {
  const found = versionOf(db)
  if (number(db, 'application_id') !== APPLICATION && !(found === 0 && isEmpty(db))) {
    throw new MailError('config', `${path} is a database of another program. Name another file`)
  }
  if (found > steps.length) {
    throw new MailError(
      'config',
      `${path} was written by a newer posthorn (schema ${found}; this one knows ${steps.length}). Update posthorn`,
    )
  }
  if (readonly && found < steps.length) {
    throw new MailError(
      'config',
      `${path} has schema ${found}, not ${steps.length}. Open it once for writing to bring it up to date`,
    )
  }
}

/**
 * Brings the schema up to date, a step a transaction, so that a crash leaves some whole version. `now` is in milliseconds
 * since the Unix epoch.
 *
 * @throws MailError `temporary`: the step that failed has changed nothing
 */
export function migrate(db: Connection, path: string, now: number, steps = migrations): void {
  for (let left = true; left;) left = step(db, path, now, steps)
}

/** Takes one step, if one is left. The version is read inside the transaction: another process may be at the same work. */
function step(db: Connection, path: string, now: number, steps: readonly Migration[]): boolean {
  if (versionOf(db) >= steps.length) return false
  db.exec('BEGIN IMMEDIATE')
  try {
    const version = versionOf(db)
    const next = steps[version]
    if (next) {
      if (version === 0) begin(db)
      db.exec(next.sql)
      db.prepare('INSERT INTO migrations VALUES (?, ?, ?)').run(version + 1, next.name, now)
      db.exec(`PRAGMA user_version = ${version + 1}`)
    }
    db.exec('COMMIT')
  } catch (error) {
    try {
      db.exec('ROLLBACK')
    } catch {
      // SQLite has rolled back already.
    }
    throw new MailError('temporary', `${path} could not be brought up to date: ${(error as Error).message}`, { cause: error })
  }
  return true
}

function begin(db: Connection): void {
  db.exec(`PRAGMA application_id = ${APPLICATION}`)
  db.exec('CREATE TABLE migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied INTEGER NOT NULL) STRICT')
}

function versionOf(db: Connection): number {
  return number(db, 'user_version')
}

function isEmpty(db: Connection): boolean {
  return db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
}

function number(db: Connection, pragma: 'user_version' | 'application_id'): number {
  return Number(db.prepare(`PRAGMA ${pragma}`).get()?.[pragma])
}
