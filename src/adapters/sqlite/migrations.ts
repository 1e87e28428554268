import { MailError } from '../../protocol/session/errors.ts'
import type { Connection } from './driver.ts'

/** One step of the schema. What was once released is never edited: a change is a further step. */
export interface Migration {
  readonly name: string
  readonly sql: string
}

/** In order; the first makes version 1 of an empty database. */
export const migrations: readonly Migration[] = [
  {
    name: 'mailboxes, messages, bodies, entries',
    sql: `
-- Numbers that only grow and outlive what they numbered. next_message: no message has this id or a higher one.
-- uid_validity: the last one given out.
CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES ('next_message', 1), ('uid_validity', 0);

-- AUTOINCREMENT: the id of a removed mailbox is never given to another one.
-- uid_next and mod_seq are lower bounds: the last row in entries says more, and an append need not write here.
CREATE TABLE mailboxes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL,
  path TEXT NOT NULL,             -- a JSON array of names
  uid_validity INTEGER NOT NULL,
  uid_next INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,
  UNIQUE (account, path)
) STRICT;

-- What a message says, once, in however many mailboxes it is.
CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  octets INTEGER NOT NULL,
  refs INTEGER NOT NULL,          -- how many entries name it
  file TEXT,                      -- the name of its file, where the body is too large for a row
  facts TEXT NOT NULL             -- JSON
) STRICT;
CREATE UNIQUE INDEX messages_by_file ON messages (file) WHERE file IS NOT NULL;

-- Apart from messages, so that listing them never reads a page of text.
CREATE TABLE bodies (
  id INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
  data BLOB NOT NULL
) STRICT;

-- A message's place in a mailbox. No rowid: the rows of one mailbox lie together, in the order of UIDs. mod_seq is that of the
-- append and ascends with uid, so that it needs no index; a later change of an entry has to be kept apart from it.
CREATE TABLE entries (
  mailbox INTEGER NOT NULL REFERENCES mailboxes (id),
  uid INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,
  message INTEGER NOT NULL,       -- no REFERENCES: removing a message would search all entries
  received INTEGER NOT NULL,      -- milliseconds since the Unix epoch
  flags TEXT NOT NULL,            -- separated by spaces
  PRIMARY KEY (mailbox, uid)
) STRICT, WITHOUT ROWID;

-- Whoever removes an entry: its UID and mod-sequence stay used, and the last to name a message takes it along.
CREATE TRIGGER entry_removed AFTER DELETE ON entries BEGIN
  UPDATE mailboxes SET uid_next = max(uid_next, OLD.uid + 1), mod_seq = max(mod_seq, OLD.mod_seq) WHERE id = OLD.mailbox;
  UPDATE messages SET refs = refs - 1 WHERE id = OLD.message;
  DELETE FROM messages WHERE id = OLD.message AND refs = 0;
END;
`,
  },
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
