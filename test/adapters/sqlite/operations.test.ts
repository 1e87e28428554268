import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../../src/adapters/memory/index.ts'
import type { SqliteDriver } from '../../../src/adapters/sqlite/index.ts'
import type { MailStore } from '../../../src/contracts/store.ts'
import { isMailError } from '../../../src/protocol/session/errors.ts'
import { drivers } from './drivers.ts'
import { openMail } from './folders.ts'
import { faultsIn, listed, numbered } from './mail.ts'
import { watched } from './watched.ts'

type Store = Required<Omit<MailStore, 'search'>>

/** The mailbox of that name. */
async function box(store: Store, name: string): Promise<string> {
  for await (const account of store.accounts()) {
    for (const { id, path } of await store.mailboxes(account)) if (path.join('/') === name) return id
  }
  return 'none'
}

const all = [{ first: 1, last: 0xffffffff }]
const some = [{ first: 2, last: 4 }, { first: 6, last: 6 }]
const large = numbered(1, 5000)

/** One of everything that writes, each upon what those before it have done. */
const operations: readonly (readonly [name: string, act: (store: Store) => Promise<unknown>])[] = [
  ['create', (store) => store.create('alice', ['a'])],
  ['create with a use', (store) => store.create('alice', ['b'], '\\Trash')],
  ['create below', (store) => store.create('alice', ['b', 'c'])],
  ['append', async (store) => store.append(await box(store, 'a'), numbered(1, 100))],
  ['append a file', async (store) => store.append(await box(store, 'a'), large)],
  ['append all', async (store) => {
    const mailbox = await box(store, 'a')
    return store.appendAll([3, 4, 5, 6, 7, 8].map((number) => ({ mailbox, message: numbered(number, 600 * number) })))
  }],
  ['flag', async (store) => store.flag(await box(store, 'a'), some, { kind: 'add', flags: ['\\Seen', '$x'] })],
  ['flag again', async (store) => store.flag(await box(store, 'a'), all, { kind: 'replace', flags: ['\\Deleted'] })],
  ['copy', async (store) => store.copy(await box(store, 'a'), some, await box(store, 'b'))],
  ['move', async (store) => store.move(await box(store, 'a'), some, await box(store, 'b/c'))],
  ['move within', async (store) => store.move(await box(store, 'b'), some, await box(store, 'b'))],
  ['expunge', async (store) => store.expunge(await box(store, 'b'), [{ first: 1, last: 6 }])],
  ['expunge the last of them', async (store) => store.expunge(await box(store, 'b/c'), some)],
  ['rename', async (store) => store.rename(await box(store, 'b'), ['d'])],
  ['rename to a path that was used', async (store) => store.rename(await box(store, 'a'), ['b'])],
  ['claim', async (store) => store.claim(await box(store, 'd/c'))],
  ['subscribe', (store) => store.subscribe('alice', ['x'], true)],
  ['recount', (store) => store.recount('alice')],
  ['unsubscribe', (store) => store.subscribe('alice', ['x'], false)],
  ['remove', async (store) => store.remove(await box(store, 'd'))],
  ['erase', (store) => store.erase('alice')],
  ['begin anew', (store) => store.create('alice', ['a'])],
]

/** What anybody sees. */
async function shown(store: Store): Promise<unknown> {
  const seen: unknown[] = [await store.usage('alice'), await store.subscriptions('alice')]
  for (const { id, uidValidity: _validity, modSeq: _modSeq, ...mailbox } of await store.mailboxes('alice')) {
    seen.push({ ...mailbox, id: undefined })
    for (const { uid, flags, octets, facts } of await listed(store, id)) seen.push({ uid, flags, octets, facts })
  }
  return seen
}

/** A driver whose `n`th statement from now on fails. */
function failing(driver: SqliteDriver): { driver: SqliteDriver; fail(n: number, code: string): void; readonly failed: boolean } {
  let left = Infinity
  let code = ''
  return {
    driver: watched(driver, () => {
      if (--left === 0) throw Object.assign(new Error('disk trouble'), { code })
    }),
    fail: (n, which) => {
      left = n
      code = which
    },
    get failed() {
      return left <= 0
    },
  }
}

describe.each(drivers)('sqlite with %s, when a statement fails', (_name, driver) => {
  it('has done nothing or all of an operation, whichever statement it is', async () => {
    const memory = memoryStore() as Store
    const faulty = failing(driver)
    const { store, path, close } = openMail({ driver: faulty.driver, bodyThreshold: 4096 })
    let failures = 0
    for (const [name, act] of operations) {
      for (let n = 1, done = false; !done; n++) {
        const before = await shown(store)
        faulty.fail(n, n % 2 === 0 ? 'SQLITE_IOERR' : 'SQLITE_FULL')
        const result = await act(store).then(() => undefined, (error: unknown) => error)
        done = result === undefined
        if (faulty.failed) failures++
        faulty.fail(Infinity, '')
        if (result) {
          expect(isMailError(result) && result.code, `${name}, statement ${n}: ${String(result)}`).toBe('temporary')
          expect(await shown(store), `${name}, statement ${n}`).toEqual(before)
        }
        // In WAL a reader sees what is committed, whatever the store still has to do.
        expect(faultsIn(driver, path).filter((fault) => !fault.startsWith('orphan')), `${name}, statement ${n}`).toEqual([])
      }
      await act(memory)
      expect(await shown(store), name).toEqual(await shown(memory))
    }
    expect(failures).toBeGreaterThan(100)
    await close()
    const again = openMail({ driver, path, bodyThreshold: 4096 })
    expect(await shown(again.store)).toEqual(await shown(memory))
    await again.close()
    expect(faultsIn(driver, path)).toEqual([])
  })

  it('removes at the next open what it could not remove before', async () => {
    let isBroken = false
    const broken = watched(driver, (sql) => {
      if (isBroken && sql.startsWith('DELETE FROM messages')) throw new Error('disk I/O error')
    })
    const { store, path, close } = openMail({ driver: broken, bodyThreshold: 4096 })
    const { id } = await store.create('alice', ['INBOX'])
    for (let number = 0; number < 5; number++) await store.append(id, numbered(number, 3000 * number))
    isBroken = true
    await store.erase('alice')
    expect(await store.body('1')).toBeUndefined()
    await close()
    expect(faultsIn(driver, path)).toEqual([])
    const again = openMail({ driver, path })
    await again.store.erase('alice')
    await again.close()
    expect(faultsIn(driver, path)).toEqual([])
    const db = new driver(path)
    for (const table of ['messages', 'bodies', 'entries', 'shares', 'removed']) {
      expect(db.prepare(`SELECT count(*) AS count FROM ${table}`).get()).toMatchObject({ count: 0 })
    }
    db.close()
  })
})
