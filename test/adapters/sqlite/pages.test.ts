import { describe, expect, it } from 'vitest'
import type { UidSet } from '../../../src/contracts/mailbox.ts'
import type { Entry, MailStore, Selection } from '../../../src/contracts/store.ts'
import { allOf, rejects } from '../../../src/testing/contracts/checks.ts'
import { drivers } from './drivers.ts'
import { openMail } from './folders.ts'
import { faultsIn, listed, numbered } from './mail.ts'
import { watched } from './watched.ts'

async function entries(store: MailStore, id: string, which?: Selection): Promise<Entry[]> {
  return (await allOf(store.entries(id, which))).flat()
}

async function filled(store: MailStore, count: number): Promise<string> {
  const { id } = await store.create('alice', ['INBOX'])
  await store.appendAll?.(Array.from({ length: count }, (_, number) => ({ mailbox: id, message: numbered(number, number % 7) })))
  return id
}

const range = (first: number, last: number): UidSet => [{ first, last }]

describe.each(drivers)('pages of entries with %s', (_name, driver) => {
  it('tell what is there now, however it was read before', async () => {
    const { store, path, close } = openMail({ driver })
    const id = await filled(store, 6500)
    const other = openMail({ driver, path }).store
    const both = async (): Promise<Entry[]> => {
      const found = await entries(store, id)
      expect(found).toEqual(await entries(openMail({ driver, path, readonly: true }).store, id))
      const [box] = await store.mailboxes('alice')
      expect(found.length).toBe(box?.messages)
      return found
    }
    expect((await both()).map(({ uid }) => uid)).toEqual(Array.from({ length: 6500 }, (_, at) => at + 1))
    await store.flag(id, range(1, 0xffffffff), { kind: 'add', flags: ['\\Flagged'] })
    expect((await both()).every(({ flags }) => flags.includes('\\Flagged'))).toBe(true)
    await store.append(id, numbered(1, 10))
    await other.expunge(id, range(2000, 2001))
    expect((await both()).some(({ uid }) => uid === 2000)).toBe(false)
    await other.flag(id, range(1, 4500), { kind: 'replace', flags: ['x', 'y'] })
    expect((await both()).filter(({ flags }) => flags.includes('x')).length).toBe(4498)
    await store.move(id, range(4001, 4100), id)
    await other.expunge(id, range(1, 1))
    const { changed } = await store.flag(id, range(1, 0xffffffff), { kind: 'remove', flags: ['x'] })
    expect(changed.length).toBe(4497)
    expect((await both()).at(-1)?.uid).toBe(6601)
    await close()
    expect(faultsIn(driver, path)).toEqual([])
  })

  it('are not those of a transaction that was rolled back', async () => {
    let failing = false
    const { store } = openMail({
      driver: watched(driver, (sql) => {
        if (failing && sql === 'COMMIT') throw new Error('disk I/O error')
      }),
    })
    const id = await filled(store, 4500)
    await entries(store, id)
    failing = true
    // Whatever the one expunge let the flags that follow it see is not what the next expunge leaves.
    const lost = [store.expunge(id, range(10, 10)), store.flag(id, range(1, 4500), { kind: 'add', flags: ['x'] })]
    for (const one of lost) await rejects(one, 'temporary')
    failing = false
    await store.expunge(id, range(20, 20))
    const found = await entries(store, id)
    expect([found.length, found[9]?.uid, found.some(({ uid }) => uid === 20)]).toEqual([4499, 10, false])
  })

  it('hold what is selected, and cost what is selected', async () => {
    let statements = 0
    const { store } = openMail({ driver })
    const counted = openMail({ driver: watched(driver, () => void statements++) })
    const id = await filled(counted.store, 5000)
    await counted.store.expunge(id, Array.from({ length: 2000 }, (_, at) => ({ first: 2 * at + 1, last: 2 * at + 1 })))
    await counted.store.flag(id, range(3000, 3010), { kind: 'add', flags: ['x'] })
    const [{ modSeq } = { modSeq: 0 }] = await counted.store.mailboxes('alice')
    statements = 0
    expect((await entries(counted.store, id, { uids: range(3990, 4003) })).map(({ uid }) => uid)).toEqual(
      [3990, 3992, 3994, 3996, 3998, 4000, 4001, 4002, 4003],
    )
    expect((await entries(counted.store, id, { since: modSeq - 3 })).map(({ uid }) => uid)).toEqual([3006, 3008, 3010])
    const both = { uids: range(3000, 3004), since: modSeq - 4 }
    expect((await listed(counted.store, id, both)).map(({ uid }) => uid)).toEqual([3004])
    expect(statements).toBeLessThan(80)
    const scattered = Array.from({ length: 100 }, (_, at) => ({ first: 40 * at + 40, last: 40 * at + 40 }))
    const found = await entries(counted.store, id, { uids: scattered })
    expect(found.map(({ uid }) => uid)).toEqual(scattered.map(({ first }) => first))
    expect(await entries(store, id)).toEqual([])
  })
})
