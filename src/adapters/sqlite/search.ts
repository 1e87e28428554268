// By name: a test that fakes the global timers must not stop the store.
import { clearTimeout, setTimeout } from 'node:timers'
import { setImmediate as turn } from 'node:timers/promises'
import type { MailboxId, UidSet } from '../../contracts/mailbox.ts'
import { unpackFacts } from '../../message/packed-facts.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Read, StoredBodies } from './bodies.ts'
import type { GroupCommit } from './commit.ts'
import { rowId } from './counters.ts'
import type { Connection, Statement } from './driver.ts'
import { type SearchText, searchText, trigramQuery } from './search-text.ts'
import { setOfAscending } from '../../protocol/bytes/number-set.ts'

/** The format of the index: what is kept under another number is made anew. */
const FORMAT = 1

const OPTIONS = "text, content='', contentless_delete=1, tokenize='trigram case_sensitive 1', detail=none"

/**
 * The index: trigrams, so that any part of a word is found, as IMAP wants it; of each message which there are and no more
 * (`detail=none`), a third of the size of the text, for the answer need not be exact. Two tables, for such an index cannot tell
 * its columns apart. A message that comes or goes is put on the list by a trigger, whatever process or driver it is that writes,
 * so nothing is missed; indexing follows.
 */
const TABLES = `
CREATE VIRTUAL TABLE search_header USING fts5(${OPTIONS});
CREATE VIRTUAL TABLE search_body USING fts5(${OPTIONS});
CREATE TABLE search_waiting (message INTEGER PRIMARY KEY) STRICT;
CREATE TABLE search_unknown (message INTEGER PRIMARY KEY) STRICT;
CREATE TRIGGER search_message_added AFTER INSERT ON messages BEGIN INSERT OR IGNORE INTO search_waiting VALUES (NEW.id); END;
CREATE TRIGGER search_message_removed AFTER DELETE ON messages BEGIN INSERT OR IGNORE INTO search_waiting VALUES (OLD.id); END;
INSERT INTO search_waiting SELECT id FROM messages WHERE id NOT IN (SELECT content FROM queue WHERE content IS NOT NULL)
  OR id IN (SELECT message FROM shares WHERE extra > 0);
INSERT INTO counters VALUES ('search', ${FORMAT});
`

/**
 * Whether a message was ever indexed, or tried to be, or is to be. (`INSERT OR IGNORE` would not do in a trigger of an upsert:
 * how a conflict ends is up to the statement that fires it.)
 */
const IS_KNOWN = `EXISTS (SELECT 1 FROM search_waiting WHERE message = NEW.message)
  OR EXISTS (SELECT 1 FROM search_header WHERE rowid = NEW.message)
  OR EXISTS (SELECT 1 FROM search_unknown WHERE message = NEW.message)`

/**
 * What lies in the queue alone is in no mailbox that anybody searches: it is taken off the list, and comes back to it when a
 * mailbox is to have it too.
 */
const QUEUE = `
CREATE TRIGGER IF NOT EXISTS search_message_queued AFTER INSERT ON queue WHEN NEW.content IS NOT NULL BEGIN
  DELETE FROM search_waiting WHERE message = NEW.content
    AND NOT EXISTS (SELECT 1 FROM shares WHERE message = NEW.content AND extra > 0);
END;
CREATE TRIGGER IF NOT EXISTS search_message_shared AFTER INSERT ON shares WHEN NEW.extra > 0 AND NOT (${IS_KNOWN}) BEGIN
  INSERT INTO search_waiting VALUES (NEW.message);
END;
CREATE TRIGGER IF NOT EXISTS search_message_shared_again AFTER UPDATE ON shares WHEN NEW.extra > OLD.extra AND NOT (${IS_KNOWN})
BEGIN
  INSERT INTO search_waiting VALUES (NEW.message);
END;
`

const NO_TABLES = `
DROP TRIGGER IF EXISTS search_message_queued;
DROP TRIGGER IF EXISTS search_message_shared;
DROP TRIGGER IF EXISTS search_message_shared_again;
DROP TRIGGER IF EXISTS search_message_added;
DROP TRIGGER IF EXISTS search_message_removed;
DROP TABLE IF EXISTS search_header;
DROP TABLE IF EXISTS search_body;
DROP TABLE IF EXISTS search_waiting;
DROP TABLE IF EXISTS search_unknown;
DELETE FROM counters WHERE name = 'search';
`

/** Messages that are indexed in one turn of the event loop: some 5 ms. */
const SLICE = 8

/** Milliseconds until the first are indexed after they came, and between two slices: mail that comes in goes first. */
const PAUSE = 20

/** Messages that a search waits for. What is not indexed by then may be found. */
const MOST_AWAITED = 1000

/**
 * Makes the index where it is wanted, removes it where it is not, and leaves it where nothing is said, as with `readonly`. Gives
 * whether it is there and can be used: not so where this SQLite has no FTS5, or one without what is needed (3.43).
 */
export function prepareSearch(db: Connection, wanted: boolean | undefined, readonly: boolean): boolean {
  const format = (): number => Number(db.prepare("SELECT value FROM counters WHERE name = 'search'").get()?.['value'] ?? 0)
  const target = (wanted ?? format() !== 0) ? FORMAT : 0
  if (target !== format() && !readonly) {
    db.exec('BEGIN IMMEDIATE')
    try {
      db.exec(target === FORMAT ? NO_TABLES + TABLES : NO_TABLES)
      db.exec('COMMIT')
    } catch {
      db.exec('ROLLBACK')
    }
  }
  if (target !== FORMAT || format() !== FORMAT || !isUsable(db)) return false
  if (!readonly) db.exec(QUEUE)
  return true
}

/** Whether the index can be read here; it may have been made with another driver. */
function isUsable(db: Connection): boolean {
  try {
    for (const table of ['search_header', 'search_body']) db.prepare(`SELECT rowid FROM ${table} LIMIT 1`).get()
    return true
  } catch {
    return false
  }
}

/** The full-text index, kept in step a little behind. */
export class Search {
  readonly #commits: GroupCommit | undefined
  readonly #bodies: StoredBodies
  readonly #read: Read
  readonly #mailbox: Statement
  readonly #settled: Statement
  readonly #find: Readonly<Record<'body' | 'text', { readonly settled: Statement; readonly unsettled: Statement }>>
  readonly #waiting: Statement
  readonly #waitingIn: Statement
  readonly #facts: Statement
  readonly #exists: Statement
  readonly #forget: readonly Statement[]
  readonly #put: { readonly header: Statement; readonly body: Statement; readonly unknown: Statement }
  #timer: NodeJS.Timeout | undefined
  #running: Promise<unknown> = Promise.resolve()
  #stopped = false

  /** `commits` is missing where the database is for reading only. */
  constructor(db: Connection, commits: GroupCommit | undefined, bodies: StoredBodies, read: Read) {
    this.#commits = commits
    this.#bodies = bodies
    this.#read = read
    this.#mailbox = db.prepare('SELECT 1 FROM mailboxes WHERE id = ?')
    const [body, header] = ['search_body', 'search_header'].map((table) => `SELECT rowid FROM ${table} WHERE ${table} MATCH ?`)
    const find = (where: string): Statement => db.prepare('SELECT group_concat(uid) AS uids FROM'
      + ` (SELECT uid FROM entries WHERE mailbox = ? AND (${where}) ORDER BY uid)`)
    // All entries of the mailbox are looked at: each further question takes as long again as the first.
    const maybe = 'message IN (SELECT message FROM search_unknown) OR message IN (SELECT message FROM search_waiting)'
    const finds = (known: string) => ({
      settled: find(`message IN (${known})`),
      unsettled: find(`message IN (${known}) OR ${maybe}`),
    })
    this.#settled = db.prepare('SELECT NOT EXISTS (SELECT 1 FROM search_waiting)'
      + ' AND NOT EXISTS (SELECT 1 FROM search_unknown) AS yes')
    this.#find = { body: finds(body!), text: finds(`${body!} UNION ALL ${header!}`) }
    this.#waiting = db.prepare(`SELECT message FROM search_waiting ORDER BY message LIMIT ${SLICE}`)
    // Most of the time none are waiting: then the entries are not looked at.
    this.#waitingIn = db.prepare('SELECT DISTINCT message FROM entries WHERE mailbox = ?'
      + ' AND EXISTS (SELECT 1 FROM search_waiting)'
      + ` AND message IN (SELECT message FROM search_waiting) LIMIT ${SLICE}`)
    this.#facts = db.prepare('SELECT facts FROM messages WHERE id = ?')
    this.#exists = db.prepare('SELECT 1 FROM messages WHERE id = ?')
    this.#forget = [
      'DELETE FROM search_header WHERE rowid = ?',
      'DELETE FROM search_body WHERE rowid = ?',
      'DELETE FROM search_unknown WHERE message = ?',
      'DELETE FROM search_waiting WHERE message = ?',
    ].map((sql) => db.prepare(sql))
    this.#put = {
      header: db.prepare('INSERT INTO search_header (rowid, text) VALUES (?, ?)'),
      body: db.prepare('INSERT INTO search_body (rowid, text) VALUES (?, ?)'),
      unknown: db.prepare('INSERT INTO search_unknown (message) VALUES (?)'),
    }
  }

  /** Messages may have come or gone. */
  wake(): void {
    if (!this.#commits || this.#stopped || this.#timer) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#running = this.#slice(this.#waiting).then((found) => {
        if (found) this.wake()
      }, () => {
        // They stay on the list: the next that comes, or the next open, wakes again.
      })
    }, PAUSE).unref()
  }

  /** Those that may have the words, after indexing what is missing of the mailbox. */
  async search(mailbox: MailboxId, words: string, where: 'body' | 'text'): Promise<UidSet | undefined> {
    const row = rowId(mailbox)
    const query = trigramQuery(words)
    if (row === undefined || !this.#read(() => this.#mailbox.get(row))) {
      throw new MailError('permanent', `There is no mailbox ${mailbox}`)
    }
    if (query === undefined) return undefined
    for (let left = MOST_AWAITED; left > 0; left -= SLICE) {
      if (!this.#commits || this.#stopped || !(await this.#slice(this.#waitingIn, row))) break
      await turn()
    }
    const queries = where === 'body' ? [query] : [query, query]
    const found = this.#read(() => {
      const { settled, unsettled } = this.#find[where]
      return (this.#settled.get()?.['yes'] ? settled : unsettled).get(row, ...queries)
    })
    const uids = found?.['uids']
    return typeof uids === 'string' ? setOfAscending(JSON.parse(`[${uids}]`) as number[]) : []
  }

  /** Ends after what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#running
  }

  /** Indexes some; `false` where there was nothing to do. */
  async #slice(waiting: Statement, ...parameters: readonly number[]): Promise<boolean> {
    const ids = this.#read(() => waiting.all(...parameters)).map(({ message }) => message as number)
    const texts: (SearchText | undefined)[] = []
    for (const id of ids) texts.push(await this.#text(id))
    if (ids.length > 0) await this.#commits?.work(() => ids.forEach((id, index) => this.#index(id, texts[index])))
    return ids.length > 0
  }

  /** `undefined`: who knows what it says. */
  async #text(id: number): Promise<SearchText | undefined> {
    try {
      const body = this.#bodies.open(String(id))
      const facts = this.#read(() => this.#facts.get(id))?.['facts']
      if (!body || typeof facts !== 'string') return undefined
      return await searchText(unpackFacts(facts), async (range) => {
        const chunks: Uint8Array[] = []
        for await (const chunk of body.read(range)) chunks.push(chunk)
        return Buffer.concat(chunks)
      })
    } catch {
      // A body that cannot be read now, or facts that are none of ours.
      return undefined
    }
  }

  #index(id: number, text: SearchText | undefined): void {
    for (const statement of this.#forget) statement.run(id)
    if (!this.#exists.get(id)) return
    if (text) {
      this.#put.header.run(id, text.header)
      this.#put.body.run(id, text.body)
    } else {
      this.#put.unknown.run(id)
    }
  }
}
