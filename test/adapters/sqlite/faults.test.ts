import { describe, expect, it } from 'vitest'
import type { MailStore, StoredMessage } from '../../../src/contracts/store.ts'
import { isMailError } from '../../../src/protocol/session/errors.ts'
import { memoryFolder } from '../maildir/folders.ts'
import { drivers } from './drivers.ts'
import { openMail } from './folders.ts'
import { faultsIn, listed, numbered, numberOf } from './mail.ts'
import { watched } from './watched.ts'

/** What happened to the messages, by number. */
class Outcome {
  readonly stored = new Map<number, StoredMessage>()
  readonly failed = new Map<number, unknown>()

  async of(appends: readonly (readonly [number: number, append: Promise<StoredMessage>])[]): Promise<void> {
    await Promise.all(appends.map(([number, append]) => append.then(
      (stored) => this.stored.set(number, stored),
      (error: unknown) => this.failed.set(number, error),
    )))
  }
}

/** Appends of every kind: alone, in groups, streamed, as files, one to two mailboxes, to none. */
async function load(store: MailStore, outcome: Outcome): Promise<void> {
  const made = await Promise.allSettled([store.create('alice', ['INBOX']), store.create('bob', ['INBOX'])])
  const [alice, bob] = made.map((one) => (one.status === 'fulfilled' ? one.value.id : 'none')) as [string, string]
  for (const first of [100, 200]) {
    const shared = numbered(first + 5, 700)
    const file = numbered(first + 7, 5000)
    await outcome.of([[first, store.append(alice, numbered(first, 300))]])
    await outcome.of([
      [first + 1, store.append(alice, numbered(first + 1, 300))],
      [first + 2, store.append(bob, numbered(first + 2, 300))],
      [first + 3, store.append(alice, numbered(first + 3, 300, true))],
      [first + 4, store.append('none', numbered(first + 4, 300))],
      [first + 5, store.append(alice, shared)],
      [first + 6, store.append(bob, shared)],
      [first + 7, store.append(alice, file)],
      [first + 8, store.append(bob, file)],
    ])
  }
}

const sharedBy = new Map([[106, 105], [108, 107], [206, 205], [208, 207]])

/** Opens what is left and compares it with what was told. */
async function expectTruth(driver: Parameters<typeof faultsIn>[0], path: string, outcome: Outcome): Promise<void> {
  const { store, close } = openMail({ driver, path, bodyThreshold: 4096 })
  const there: StoredMessage[] = []
  for (const account of ['alice', 'bob']) {
    for (const { id } of await store.mailboxes(account)) there.push(...(await listed(store, id)))
  }
  const place = ({ mailbox, uid }: StoredMessage): string => `${mailbox} ${uid}`
  expect(there.map(place).sort()).toEqual([...outcome.stored.values()].map(place).sort())
  for (const [number, stored] of outcome.stored) {
    const found = there.find((one) => place(one) === place(stored)) as StoredMessage
    expect(found).toEqual(stored)
    expect(numberOf(found)).toBe(sharedBy.get(number) ?? number)
  }
  const box = await store.create('carol', ['INBOX'])
  expect((await store.append(box.id, numbered(1, 10))).uid).toBe(1)
  await close()
  expect(faultsIn(driver, path)).toEqual([])
}

describe.each(drivers)('sqlite with %s, when statements fail', (_name, driver) => {
  it('tells the truth, whichever statement it is', async () => {
    let calls = 0
    const counting = openMail({ driver: watched(driver, () => void calls++), bodyThreshold: 4096 })
    const before = calls
    await load(counting.store, new Outcome())
    const statements = calls - before
    expect(statements).toBeGreaterThan(50)
    for (let n = 1; n <= statements; n++) {
      let left = Infinity
      const failing = watched(driver, () => {
        if (--left === 0) throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR' })
      })
      const { store, path, close } = openMail({ driver: failing, path: memoryFolder(), bodyThreshold: 4096 })
      left = n
      const outcome = new Outcome()
      await load(store, outcome)
      left = Infinity
      for (const error of outcome.failed.values()) expect(isMailError(error) && error.code).toMatch(/^(temporary|permanent)$/)
      await close()
      await expectTruth(driver, path, outcome)
    }
  })

  it.each(['COMMIT', 'BEGIN IMMEDIATE'])('fails all of a group, temporarily, when %s does, and goes on', async (statement) => {
    let failures = 0
    const failing = watched(driver, (sql) => {
      if (sql === statement && failures-- > 0) throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
    })
    const { store, path, close } = openMail({ driver: failing })
    const { id } = await store.create('alice', ['INBOX'])
    const first = await store.append(id, numbered(1, 100))
    failures = 1
    const outcome = new Outcome()
    await outcome.of([2, 3, 4].map((number) => [number, store.append(id, numbered(number, 100))]))
    const codes = [...outcome.failed.values()].map((error) => isMailError(error) && error.code)
    expect(codes).toEqual(['temporary', 'temporary', 'temporary'])
    const again = await store.append(id, numbered(5, 100))
    expect(again.uid).toBeGreaterThan(first.uid)
    expect(await listed(store, id)).toEqual([first, again])
    await close()
    expect(faultsIn(driver, path)).toEqual([])
  })

  it('fails one row alone when it is that row that fails', async () => {
    let inserts = 0
    const failing = watched(driver, (sql) => {
      // The body of the third message, each time it is tried: its message row is written by then.
      if (sql.startsWith('INSERT INTO bodies') && (++inserts === 3 || inserts === 6)) throw new Error('string or blob too big')
    })
    const { store, path, close } = openMail({ driver: failing })
    const { id } = await store.create('alice', ['INBOX'])
    const outcome = new Outcome()
    await outcome.of([1, 2, 3, 4, 5].map((number) => [number, store.append(id, numbered(number, 100))]))
    expect([...outcome.failed.keys()]).toEqual([3])
    expect((await listed(store, id)).map(numberOf)).toEqual([1, 2, 4, 5])
    await close()
    expect(faultsIn(driver, path)).toEqual([])
  })

  it('answers temporarily while the disk is full, loses nothing, and goes on when there is room', async () => {
    let room: number | undefined
    const small = watched(driver, (sql, db) => {
      if (sql === 'BEGIN IMMEDIATE' && room !== undefined) db.exec(`PRAGMA max_page_count = ${room}`)
    })
    const { store, path, close } = openMail({ driver: small })
    const { id } = await store.create('alice', ['INBOX'])
    room = 60
    const outcome = new Outcome()
    for (let group = 0; group < 10; group++) {
      const numbers = Array.from({ length: 5 }, (_, i) => group * 5 + i)
      await outcome.of(numbers.map((number) => [number, store.append(id, numbered(number, 20_000))]))
    }
    expect(outcome.stored.size).toBeGreaterThan(5)
    expect(outcome.failed.size).toBeGreaterThan(20)
    for (const error of outcome.failed.values()) expect(isMailError(error) && error.code).toBe('temporary')
    room = 10_000
    await outcome.of([[99, store.append(id, numbered(99, 20_000))]])
    expect((await listed(store, id)).map(numberOf)).toEqual([...outcome.stored.keys()])
    await close()
    expect(faultsIn(driver, path)).toEqual([])
  })
})
