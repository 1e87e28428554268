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

function* faults(db: Database, path: string): Generator<string> {
  const list = (sql: string): unknown[] => db.prepare(sql).all().map((row) => Object.values(row)[0])
  for (const line of list('PRAGMA integrity_check')) if (line !== 'ok') yield `integrity: ${String(line)}`
  for (const table of list('PRAGMA foreign_key_check')) yield `foreign key in ${String(table)}`
  const references = 'SELECT id FROM messages AS m WHERE refs <> (SELECT count(*) FROM entries WHERE message = m.id) OR refs = 0'
  for (const id of list(references)) yield `message ${String(id)} counts its entries wrong`
  for (const uid of list('SELECT uid FROM entries WHERE message NOT IN (SELECT id FROM messages)')) yield `entry ${String(uid)} has no message`
  const bodies = 'SELECT id FROM messages AS m WHERE (file IS NULL) = (id NOT IN (SELECT id FROM bodies))'
  for (const id of list(bodies)) yield `message ${String(id)} has no body, or two`
  for (const uid of list('SELECT a.uid FROM entries AS a JOIN entries AS b USING (mailbox) WHERE a.uid < b.uid AND a.mod_seq >= b.mod_seq')) {
    yield `entry ${String(uid)}: mod-sequences do not ascend`
  }
  for (const id of list('SELECT max(id) FROM messages HAVING max(id) >= (SELECT value FROM counters WHERE name = \'next_message\')')) {
    yield `message ${String(id)} is above the counter`
  }
  const files = new Set(readdirSync(`${path}-bodies`))
  for (const file of list('SELECT file FROM messages WHERE file IS NOT NULL')) if (!files.delete(String(file))) yield `no file ${String(file)}`
  for (const file of files) yield `orphan ${file}`
}
