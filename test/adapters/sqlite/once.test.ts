import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Body } from '../../../src/contracts/bodies.ts'
import { octetsOf, rejects } from '../../../src/testing/contracts/checks.ts'
import { drivers } from './drivers.ts'
import { openMail } from './folders.ts'
import { faultsIn, listed, numbered } from './mail.ts'
import { raw } from './watched.ts'

/** The same octets and facts as {@link numbered}, as other objects: as if it came another time. */
function again(number: number, size: number, read = false): ReturnType<typeof numbered> {
  const message = numbered(number, size, read)
  return { ...message, facts: { ...message.facts } }
}

describe.each(drivers)('a message that comes twice, with %s', (_name, driver) => {
  it.each([
    ['a row', 40_000, 1], ['a file', 200_000, 1], ['too small to be looked for', 30_000, 2],
  ])('is kept once: %s', async (_what, size, kept) => {
    const { store, path, close } = openMail({ driver, bodyThreshold: 100_000 })
    const [alice, bob] = await Promise.all(['alice', 'bob'].map((account) => store.create(account, ['INBOX'])))
    const first = await store.append(alice?.id as string, again(1, size))
    const second = await store.append(bob?.id as string, again(1, size, true))
    const [third] = await store.appendAll([{ mailbox: bob?.id as string, message: again(1, size) }])
    const other = await store.append(bob?.id as string, { ...again(1, size), facts: again(2, size).facts })
    expect(new Set([first.id, second.id, third?.id]).size).toBe(kept === 1 ? 1 : 3)
    expect(other.id).not.toBe(first.id)
    expect((await listed(store, bob?.id as string)).length).toBe(3)
    expect(readdirSync(`${path}-bodies`).length).toBe(size > 100_000 ? 2 : 0)
    await store.erase('alice')
    expect((await octetsOf((await store.body(second.id)) as Body)).length).toBe(size)
    await store.erase('bob')
    expect(await store.body(second.id)).toBeUndefined()
    expect(readdirSync(`${path}-bodies`)).toEqual([])
    await close()
    expect(faultsIn(driver, path)).toEqual([])
  })

  it('is kept once in one transaction, and as often as it comes where it is not wanted', async () => {
    const { store } = openMail({ driver })
    const { id } = await store.create('alice', ['INBOX'])
    const together = await Promise.all([1, 1, 1, 2].map((number) => store.append(id, again(number, 50_000))))
    expect(new Set(together.map((one) => one.id)).size).toBe(2)
    const without = openMail({ driver, dedupeFrom: Infinity })
    const box = await without.store.create('alice', ['INBOX'])
    const apart = [await without.store.append(box.id, again(1, 50_000)), await without.store.append(box.id, again(1, 50_000))]
    expect(apart[0]?.id).not.toBe(apart[1]?.id)
  })

  it('stays while any mailbox has it, and comes back where it was about to go', async () => {
    const { store, path, close } = openMail({ driver })
    const { id } = await store.create('alice', ['INBOX'])
    const message = numbered(1, 1000)
    const first = await store.append(id, message)
    // Gone, and not yet collected, when the same body comes again.
    const [, second] = await Promise.all([store.expunge(id, [{ first: 1, last: 1 }]), store.append(id, message)])
    expect(second.id).toBe(first.id)
    expect((await octetsOf((await store.body(second.id)) as Body)).length).toBe(1000)
    await store.copy(id, [{ first: 2, last: 2 }], id)
    await store.expunge(id, [{ first: 2, last: 2 }])
    expect(await store.body(second.id)).toBeDefined()
    await store.expunge(id, [{ first: 3, last: 3 }])
    expect(await store.body(second.id)).toBeUndefined()
    await close()
    expect(faultsIn(driver, path)).toEqual([])
  })
})

describe.each(drivers)('what was expunged, with %s', (_name, driver) => {
  it('is told however often there was something, of long ago together', async () => {
    const { store, path } = openMail({ driver })
    const { id } = await store.create('alice', ['INBOX'])
    await store.appendAll(Array.from({ length: 300 }, (_, number) => ({ mailbox: id, message: numbered(number, 1) })))
    const [{ modSeq } = { modSeq: 0 }] = await store.mailboxes('alice')
    const expunged = Array.from({ length: 280 }, (_, at) => 300 - at)
    await Promise.all(expunged.map((uid) => store.expunge(id, [{ first: uid, last: uid }])))
    expect(await store.changes(id, modSeq, 1000)).toMatchObject({ vanished: [{ first: 21, last: 300 }], complete: true })
    const recent = await store.changes(id, modSeq + 275)
    expect(recent).toMatchObject({ vanished: [{ first: 21, last: 25 }], complete: true, more: false })
    const rows = raw(driver, path).prepare('SELECT count(*) AS count FROM expunged').get()
    expect(rows?.['count']).toBeLessThan(150)
  })

  it('is forgotten where it is too scattered, and then says so', async () => {
    const { store } = openMail({ driver })
    const { id } = await store.create('alice', ['INBOX'])
    const message = numbered(1, 1)
    const appends = Array.from({ length: 34_000 }, () => ({ mailbox: id, message }))
    await store.appendAll(appends)
    const before = await store.changes(id, 33_990)
    await store.expunge(id, Array.from({ length: 17_000 }, (_, at) => ({ first: 2 * at + 1, last: 2 * at + 1 })))
    expect((await store.changes(id, before.modSeq)).vanished.length).toBe(17_000)
    for (let uid = 2; uid < 270; uid += 2) await store.expunge(id, [{ first: uid, last: uid }])
    const after = await store.changes(id, before.modSeq)
    expect(after.complete).toBe(false)
    expect((await store.changes(id, after.modSeq)).complete).toBe(true)
  })
})

it('has quotas that hold, whatever comes in the same transaction', async () => {
  const { store } = openMail()
  const { overhead } = store.traits
  const { id } = await store.create('alice', ['INBOX'])
  const other = await store.create('alice', ['Archive'])
  const room = { quota: { messages: 4, octets: 4 * (100 + overhead) } }
  const appends = await Promise.allSettled([1, 2, 3, 4, 5, 6].map((number) => store.append(id, numbered(number, 100), room)))
  expect(appends.map(({ status }) => status === 'fulfilled')).toEqual([true, true, true, true, false, false])
  await rejects(store.copy(id, [{ first: 1, last: 1 }], other.id, room), 'quota')
  await store.move(id, [{ first: 1, last: 2 }], other.id)
  expect(await store.usage('alice')).toEqual({ messages: 4, octets: 4 * (100 + overhead) })
  const [removed, appended] = await Promise.all([store.remove(other.id), store.append(id, numbered(7, 100), room)])
  expect([removed, appended.uid]).toEqual([undefined, 5])
})
