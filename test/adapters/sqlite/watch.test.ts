import { describe, expect, it } from 'vitest'
import { drivers } from './drivers.ts'
import { openMail } from './folders.ts'
import { numbered } from './mail.ts'

describe.each(drivers)('watch with %s', (_name, driver) => {
  it('tells of its own changes at once, each mailbox of a transaction once', async () => {
    const { store } = openMail({ driver })
    const [{ id: a }, { id: b }] = [await store.create('a', ['INBOX']), await store.create('b', ['INBOX'])]
    const told: string[] = []
    const end = store.watch((mailbox) => told.push(mailbox))
    await Promise.all([1, 2, 3].map((number) => store.append(a, numbered(number, 10))))
    expect(told).toEqual([a])
    await store.flag(a, [{ first: 1, last: 1 }], { kind: 'add', flags: [] })
    await store.copy(a, [{ first: 1, last: 1 }], b)
    await store.remove(b)
    expect(told).toEqual([a, b, b])
    end()
    await store.append(a, numbered(1, 10))
    expect(told.length).toBe(3)
  })

  it('tells of what another process does, also to one that only reads', async () => {
    const { store, path } = openMail({ driver })
    const { id } = await store.create('a', ['INBOX'])
    const other = openMail({ driver, path })
    const told = new Map([store, openMail({ driver, path, readonly: true }).store].map((one) => {
      const seen: string[] = []
      one.watch((mailbox) => seen.push(mailbox))
      return [one, seen]
    }))
    await other.store.append(id, numbered(1, 10))
    for (const seen of told.values()) await expect.poll(() => seen, { timeout: 10_000 }).toEqual([id])
    await other.store.remove(id)
    for (const seen of told.values()) await expect.poll(() => seen, { timeout: 10_000 }).toEqual([id, id])
  })
})
