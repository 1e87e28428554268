import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkSchema, migrate, migrations } from '../../../src/adapters/sqlite/migrations.ts'
import type { Migration } from '../../../src/adapters/sqlite/migration.ts'
import type { Connection } from '../../../src/adapters/sqlite/driver.ts'
import type { Body } from '../../../src/contracts/bodies.ts'
import { isMailError } from '../../../src/protocol/session/errors.ts'
import { octetsOf } from '../../../src/testing/contracts/checks.ts'
import { drivers } from './drivers.ts'
import { freshFolder, openMail } from './folders.ts'
import { faultsIn, listed, numbered } from './mail.ts'
import { raw } from './watched.ts'

function refusal(open: () => unknown): string {
  try {
    open()
  } catch (error) {
    expect(isMailError(error) && error.code).toBe('config')
    return (error as Error).message
  }
  throw new Error('was not refused')
}

/** What the steps of 0.1.0 do is what databases out there were made with: a change is a further step. */
const released = ['e341123055d7e096']

it('never changes a step that was released', () => {
  const found = migrations.map(({ sql }) => createHash('sha256').update(sql).digest('hex').slice(0, 16))
  expect(found.slice(0, released.length)).toEqual(released)
})

describe.each(drivers)('the schema with %s', (_name, driver) => {
  it('starts at the newest version, and says how it got there', async () => {
    const { path, close } = openMail({ driver, now: () => 1_800_000_000_000 })
    await close()
    const db = raw(driver, path)
    expect(db.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: migrations.length })
    expect(db.prepare('SELECT * FROM migrations').all()).toMatchObject(
      migrations.map(({ name }, index) => ({ version: index + 1, name, applied: 1_800_000_000_000 })),
    )
    db.close()
  })

  it.each(['schema-1.sql'])('comes forward from %s, with all its mail', async (file) => {
    const path = join(freshFolder(), 'mail.db')
    const old = raw(driver, path)
    old.exec(readFileSync(new URL(file, import.meta.url), 'utf8'))
    old.close()
    mkdirSync(`${path}-bodies`)
    writeFileSync(join(`${path}-bodies`, '0189aaaa-0000-4000-8000-000000000007'), 'Subject: two\r\n\r\nsome text\r')
    const { store, close } = openMail({ driver, path })
    const boxes = await store.mailboxes('alice@example.test')
    expect(boxes).toEqual([
      {
        ...{ id: '3', account: 'alice@example.test', path: ['Archive', '2026'], uidValidity: 1_800_000_001, uidNext: 8 },
        ...{ modSeq: 12, messages: 1, unseen: 1, deleted: 0, octets: 19, recentFrom: 1 },
      },
      {
        ...{ id: '1', account: 'alice@example.test', path: ['INBOX'], uidValidity: 1_800_000_000, uidNext: 5 },
        ...{ modSeq: 5, messages: 2, unseen: 1, deleted: 0, octets: 45, recentFrom: 1 },
      },
    ])
    expect(await store.usage('alice@example.test')).toEqual({ messages: 3, octets: 64 + 3 * store.traits.overhead })
    const at = (time: number): object => ({ received: time, saved: time })
    const one = { id: '5', ...at(1_800_000_000_123), octets: 19, facts: { octets: 19, subject: 'one' } }
    const two = { id: '1007', ...at(1_800_000_000_456), octets: 26, facts: { octets: 26, subject: 'two' } }
    expect(await listed(store, '1')).toEqual([
      { ...one, mailbox: '1', uid: 2, modSeq: 2, flags: ['\\Seen', '$Junk'] },
      { ...two, mailbox: '1', uid: 4, modSeq: 5, flags: [] },
    ])
    expect(await listed(store, '3')).toEqual([{ ...one, mailbox: '3', uid: 7, modSeq: 9, flags: [] }])
    const octets = await Promise.all(['5', '1007'].map(async (id) => octetsOf((await store.body(id)) as Body)))
    const texts = octets.map((one) => Buffer.from(one).toString())
    expect(texts).toEqual(['Subject: one\r\n\r\na\r\n', 'Subject: two\r\n\r\nsome text\r'])
    // Nobody knows what the step before did not write down.
    expect(await store.changes('1', 2)).toMatchObject({ modSeq: 5, complete: false, changed: [{ uid: 4 }] })
    // UIDs and mod-sequences that were given out and removed since stay used.
    expect(await store.append('3', numbered(1, 10))).toMatchObject({ uid: 8, modSeq: 13, id: '2001' })
    expect((await store.create('alice@example.test', ['Sent'])).id).toBe('4')
    await close()
    expect(faultsIn(driver, path)).toEqual([])
    expect(shape(driver, path)).toEqual(shape(driver, openMail({ driver }).path))
  })

  it('takes each step in a transaction: one that fails leaves the version before it', () => {
    const path = join(freshFolder(), 'mail.db')
    const db = raw(driver, path) as unknown as Connection
    const steps: Migration[] = [...migrations, { name: 'more', sql: 'CREATE TABLE more (a)' }]
    const broken = [...steps, { name: 'broken', sql: 'CREATE TABLE half (a); INSERT INTO nowhere VALUES (1)' }]
    expect(() => migrate(db, path, 1, broken)).toThrow('could not be brought up to date')
    const made = db.prepare('SELECT name FROM sqlite_schema WHERE name IN (?, ?)').all('more', 'half')
    expect(made).toMatchObject([{ name: 'more' }])
    expect(db.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: steps.length })
    checkSchema(db, path, true, steps)
    migrate(db, path, 1, steps)
    expect(refusal(() => checkSchema(db, path, true, broken))).toContain('Open it once for writing')
    expect(refusal(() => checkSchema(db, path, false))).toBe(
      `${path} was written by a newer posthorn (schema ${steps.length}; this one knows ${migrations.length}). Update posthorn`,
    )
    db.close()
    expect(refusal(() => openMail({ driver, path }))).toContain('was written by a newer posthorn')
    expect(refusal(() => openMail({ driver, path, readonly: true }))).toContain('was written by a newer posthorn')
  })

  it('leaves the files of others as they are', () => {
    const folder = freshFolder()
    const [theirs, named, text] = [join(folder, 'theirs.db'), join(folder, 'named.db'), join(folder, 'text.db')]
    const made = [[theirs, 'CREATE TABLE t (a)'], [named, 'PRAGMA application_id = 7; PRAGMA user_version = 1']] as const
    for (const [path, sql] of made) {
      const db = raw(driver, path)
      db.exec(sql)
      db.close()
    }
    writeFileSync(text, 'This is not a database at all.\n'.repeat(100))
    for (const path of [theirs, named, text]) {
      const before = readFileSync(path)
      expect(refusal(() => openMail({ driver, path }))).toMatch(/is a database of another program|cannot be opened/)
      expect(readFileSync(path).equals(before)).toBe(true)
    }
  })
})

/** Tables and indexes, as they are, whatever way they came about. */
function shape(driver: Parameters<typeof raw>[0], path: string): unknown {
  const db = raw(driver, path)
  const columns = 'SELECT m.name, c.name AS col, c.type, c."notnull", c.pk FROM sqlite_schema AS m, pragma_table_info(m.name) c'
  const names = 'SELECT type, name, tbl_name FROM sqlite_schema'
  const found = [columns, names].map((sql) => db.prepare(`${sql} ORDER BY 1, 2, 3`).all())
  db.close()
  return JSON.parse(JSON.stringify(found, (key, value: unknown) => (key === '_metadata' ? undefined : value)))
}
