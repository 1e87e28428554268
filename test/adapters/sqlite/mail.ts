import { readdirSync } from 'node:fs'
import type { SqliteDriver } from '../../../src/adapters/sqlite/index.ts'
import type { MailStore, NewMessage, Selection, StoredMessage } from '../../../src/contracts/store.ts'
import { allOf } from '../../../src/testing/contracts/checks.ts'
import { type Database, raw } from './watched.ts'

/** A message whose octets tell its number; at hand, unless it is to be read. */
export function numbered(number: number, size: number, read = false): NewMessage {
  const bytes = new Uint8Array(size).map((_, i) => number * 31 + i)
  return {
    body: {
      size,
      ...(read ? {} : { bytes }),
      async *read() {
        yield bytes
      },
    },
    facts: { octets: size, number } as unknown as NewMessage['facts'],
    received: number,
  }
}

/** The number that {@link numbered} was given. */
export function numberOf({ facts }: { facts: NewMessage['facts'] }): number {
  return (facts as unknown as { number: number }).number
}

/** All that is listed, in one piece. */
export async function listed(store: MailStore, mailbox: string, which?: Selection): Promise<StoredMessage[]> {
  return (await allOf(store.list(mailbox, which))).flat()
}

/** What is wrong with the database and its files by any rule that must always hold; empty when all is well. */
export function faultsIn(driver: SqliteDriver, path: string): string[] {
  const db = raw(driver, path)
  try {
    return [...faults(db, path)]
  } finally {
    db.close()
  }
}

/** Queries that find what must not be, and what to say of the first column. */
const rules: readonly (readonly [sql: string, what: string])[] = [
  ["SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'", 'integrity'],
  ['SELECT "table" FROM pragma_foreign_key_check', 'foreign key in'],
  [
    'SELECT id FROM messages AS m LEFT JOIN shares ON message = id'
      + ' WHERE refs <> 1 OR 1 + ifnull(extra, 0) <> (SELECT count(*) FROM entries WHERE message = m.id)'
      + ' + (SELECT count(*) FROM queue WHERE content = m.id)',
    'entries and mail that is owed counted wrong in message',
  ],
  [
    'SELECT message FROM shares WHERE extra < -1 OR message NOT IN (SELECT id FROM messages)',
    'shared without being there: message',
  ],
  ['SELECT uid FROM entries JOIN messages ON id = message WHERE entries.octets <> messages.octets', 'other octets in entry'],
  [
    'SELECT mailbox FROM entries WHERE mailbox NOT IN (SELECT id FROM mailboxes UNION SELECT mailbox FROM removed)',
    'entries left of mailbox',
  ],
  [
    'SELECT id FROM mailboxes AS m WHERE (messages, octets) <> (SELECT count(*), ifnull(sum(octets), 0) FROM entries'
      + ' WHERE mailbox = m.id) OR uid_next <= (SELECT max(uid) FROM entries WHERE mailbox = m.id)'
      + ' OR mod_seq < ifnull((SELECT max(mod_seq) FROM entries WHERE mailbox = m.id), 0)'
      + ' OR mod_seq < ifnull((SELECT max(mod_seq) FROM flag_blocks WHERE mailbox = m.id), 0)',
    'numbers are wrong of mailbox',
  ],
  ['SELECT uid FROM entries WHERE message NOT IN (SELECT id FROM messages)', 'no message for entry'],
  ['SELECT id FROM messages WHERE (file IS NULL) = (id NOT IN (SELECT id FROM bodies))', 'no body, or two, in message'],
  [
    'SELECT a.uid FROM entries AS a JOIN entries AS b USING (mailbox) WHERE a.uid < b.uid AND a.mod_seq >= b.mod_seq',
    'mod-sequences do not ascend after entry',
  ],
  ["SELECT id FROM messages WHERE id >= (SELECT value FROM counters WHERE name = 'next_message')", 'above the counter: message'],
  ["SELECT id FROM queue WHERE id >= (SELECT value FROM counters WHERE name = 'next_job')", 'above the counter: job'],
  ['SELECT id FROM queue WHERE content IS NOT NULL AND content NOT IN (SELECT id FROM messages)', 'no body for job'],
  [
    'SELECT id FROM queue WHERE (id = message) <> (about IS NOT NULL) OR (about IS NULL) <> (octets IS NULL)'
      + ' OR (content IS NOT NULL) + (data IS NOT NULL) <> (id = message) OR (data IS NULL) <> (facts IS NULL)',
    'not what a job is: job',
  ],
  ['SELECT DISTINCT message FROM queue WHERE message NOT IN (SELECT id FROM queue)', 'jobs without their message'],
  ['SELECT message FROM queue GROUP BY message HAVING count(destination) = 0', 'nothing left to do for message'],
  ['SELECT id FROM queue WHERE destination IS NULL AND (token > 0 OR held IS NOT NULL)', 'done and leased or held: job'],
]

function* faults(db: Database, path: string): Generator<string> {
  const list = (sql: string): string[] => db.prepare(sql).all().map((row) => String(Object.values(row)[0]))
  for (const [sql, what] of rules) for (const found of list(sql)) yield `${what} ${found}`
  const files = new Set(readdirSync(`${path}-bodies`))
  for (const file of list('SELECT file FROM messages WHERE file IS NOT NULL')) if (!files.delete(file)) yield `no file ${file}`
  for (const file of files) yield `orphan ${file}`
}
