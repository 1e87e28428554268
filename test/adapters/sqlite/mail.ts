import { readdirSync } from 'node:fs'
import type { SqliteDriver } from '../../../src/adapters/sqlite/index.ts'
import type { NewMessage } from '../../../src/contracts/store.ts'
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
    'SELECT id FROM messages AS m WHERE refs <> (SELECT count(*) FROM entries WHERE message = m.id) OR refs = 0',
    'entries counted wrong in message',
  ],
  ['SELECT uid FROM entries WHERE message NOT IN (SELECT id FROM messages)', 'no message for entry'],
  ['SELECT id FROM messages WHERE (file IS NULL) = (id NOT IN (SELECT id FROM bodies))', 'no body, or two, in message'],
  [
    'SELECT a.uid FROM entries AS a JOIN entries AS b USING (mailbox) WHERE a.uid < b.uid AND a.mod_seq >= b.mod_seq',
    'mod-sequences do not ascend after entry',
  ],
  ["SELECT id FROM messages WHERE id >= (SELECT value FROM counters WHERE name = 'next_message')", 'above the counter: message'],
]

function* faults(db: Database, path: string): Generator<string> {
  const list = (sql: string): string[] => db.prepare(sql).all().map((row) => String(Object.values(row)[0]))
  for (const [sql, what] of rules) for (const found of list(sql)) yield `${what} ${found}`
  const files = new Set(readdirSync(`${path}-bodies`))
  for (const file of list('SELECT file FROM messages WHERE file IS NOT NULL')) if (!files.delete(file)) yield `no file ${file}`
  for (const file of files) yield `orphan ${file}`
}
