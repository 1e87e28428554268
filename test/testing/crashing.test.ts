import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../src/adapters/memory/index.ts'
import type { MailStore } from '../../src/contracts/store.ts'
import { isMailError } from '../../src/protocol/session/errors.ts'
import { octetsOf, pattern } from '../../src/testing/contracts/checks.ts'
import { mailStoreContract } from '../../src/testing/contracts/mail-store.ts'
import { Replica } from '../../src/testing/contracts/mail-store-replica.ts'
import { bodyOf, entriesOf, everyUid, inbox, message, setOf } from '../../src/testing/contracts/sample-mail.ts'
import { crashing, type Mishap } from '../../src/testing/crashing.ts'

/** Tries until it works: how often it did not. */
async function insist(run: () => Promise<unknown>): Promise<number> {
  for (let failures = 0;; failures++) {
    const error: unknown = await run().then(() => undefined, (reason: unknown) => reason)
    if (error === undefined) return failures
    expect(isMailError(error) && error.code).toBe('temporary')
  }
}

/** Appends 200 messages to a crashing store, without trying any again. */
async function appends(
  seed: number,
  often?: number,
): Promise<{ store: MailStore; id: string; mishaps: Mishap[]; heard: number }> {
  const store = memoryStore()
  const { id } = await inbox(store)
  const mishaps: Mishap[] = []
  const told = (mishap: Mishap): void => void mishaps.push(mishap)
  const risky = crashing(store, seed, often === undefined ? { told } : { told, often })
  const outcomes = await Promise.allSettled(Array.from({ length: 200 }, (_, i) => risky.append(id, message(pattern(10, i)))))
  return { store, id, mishaps, heard: outcomes.filter(({ status }) => status === 'fulfilled').length }
}

describe('crashing', () => {
  it('fails before or after, as it says', async () => {
    const { store, id, mishaps, heard } = await appends(1)
    const after = mishaps.filter(({ when }) => when === 'after').length
    expect(mishaps.every(({ method }) => method === 'append')).toBe(true)
    expect(after).toBeGreaterThan(0)
    expect(mishaps.length).toBeGreaterThan(after)
    expect(heard).toBe(200 - mishaps.length)
    expect((await entriesOf(store, id)).length).toBe(heard + after)
  })

  it('fails by the seed', async () => {
    const [one, same, other] = [await appends(7), await appends(7), await appends(8)]
    expect(same.mishaps).toEqual(one.mishaps)
    expect((await entriesOf(same.store, same.id)).length).toBe((await entriesOf(one.store, one.id)).length)
    expect(other.mishaps).not.toEqual(one.mishaps)
  })

  it('fails as often as it is told to', async () => {
    expect((await appends(1, 1)).heard).toBe(0)
    const [often, seldom] = [(await appends(1, 2)).mishaps.length, (await appends(1, 50)).mishaps.length]
    expect(often).toBeGreaterThan(60)
    expect(often).toBeLessThan(140)
    expect(seldom).toBeLessThan(20)
  })

  it('lets every method fail, and lets who insists come through', async () => {
    const store = memoryStore()
    const mishaps: Mishap[] = []
    const risky = crashing(store, 3, { often: 2, told: (mishap) => void mishaps.push(mishap) })
    const { id } = await inbox(store)
    const other = await store.create('alice', ['a'])
    const all = async (items: AsyncIterable<unknown>): Promise<void> => {
      for await (const _ of items) continue
    }
    const { id: body } = await store.append(other.id, message(pattern(1000)))
    const calls: Record<string, () => Promise<unknown>> = {
      mailboxes: () => risky.mailboxes('alice'),
      create: () => risky.create('alice', ['b']),
      rename: () => risky.rename(other.id, ['c']),
      append: () => risky.append(id, message(pattern(5))),
      appendAll: async () => risky.appendAll?.([{ mailbox: id, message: message(pattern(5)) }]),
      entries: () => all(risky.entries(id)),
      list: () => all(risky.list(id)),
      changes: () => risky.changes(id, 0),
      flag: () => risky.flag(id, everyUid, { kind: 'add', flags: ['$A'] }),
      copy: () => risky.copy(id, everyUid, id),
      move: async () => risky.move?.(id, everyUid, id),
      expunge: () => risky.expunge(id, everyUid),
      body: () => risky.body(body),
      read: async () => octetsOf(await bodyOf(risky, body)),
      usage: () => risky.usage('alice'),
      recount: async () => risky.recount?.('alice'),
      accounts: () => all(risky.accounts?.() as AsyncIterable<string>),
      subscribe: async () => risky.subscribe?.('alice', ['a'], true),
      subscriptions: async () => risky.subscriptions?.('alice'),
      claim: async () => risky.claim?.(id),
      search: async () => risky.search?.(id, 'words', 'body'),
      remove: async () => risky.remove((await store.create('bob', ['a'])).id),
      erase: () => risky.erase('bob'),
    }
    for (let round = 0; round < 8; round++) for (const call of Object.values(calls)) await insist(call)
    const missing = Object.keys(calls).filter((name) => !mishaps.some(({ method }) => method === name))
    expect(missing).toEqual([])
  })

  it('misleads nobody who follows the changes and insists', async () => {
    const store = memoryStore()
    const { id } = await inbox(store)
    const risky = crashing(store, 11, { often: 3 })
    const follower = new Replica(risky, id)
    for (let i = 0; i < 60; i++) {
      await risky.append(id, message(pattern(5))).catch(() => {})
      if (i % 3 === 0) await risky.flag(id, setOf([1 + (i % 17)]), { kind: 'add', flags: [`k${i}`] }).catch(() => {})
      if (i % 7 === 0) await risky.expunge(id, setOf([1 + i / 7])).catch(() => {})
      await insist(() => follower.ask(4))
    }
    await insist(() => follower.check(4, 'what was told'))
  })

  it('has the methods that the store has', () => {
    const store = memoryStore()
    const names = (its: MailStore): string[] => Object.keys(its).sort()
    const required = [
      'traits', 'mailboxes', 'create', 'rename', 'remove', 'append', 'entries', 'list', 'changes', 'flag', 'expunge', 'copy',
      'body', 'usage', 'erase',
    ]
    const optional = [
      'accounts', 'appendAll', 'claim', 'close', 'move', 'recount', 'search', 'subscribe', 'subscriptions', 'watch',
    ]
    const least = Object.fromEntries(required.map((name) => [name, Reflect.get(store, name)])) as unknown as MailStore
    expect(names(crashing(least, 1))).toEqual([...required].sort())
    expect(names(crashing(store, 1))).toEqual([...required, ...optional].sort())
  })

  it('loses some hints and doubles some', async () => {
    const store = memoryStore()
    const { id } = await inbox(store)
    let heard = 0
    const mishaps: Mishap[] = []
    crashing(store, 5, { told: (mishap) => void mishaps.push(mishap) }).watch?.(() => void heard++)
    for (let i = 0; i < 100; i++) await store.append(id, message(pattern(5)))
    const lost = mishaps.filter(({ when }) => when === 'before').length
    const doubled = mishaps.length - lost
    expect([lost > 0, doubled > 0, heard]).toEqual([true, true, 100 - lost + doubled])
  })

  it('closes, whatever the seed', async () => {
    for (let seed = 0; seed < 30; seed++) {
      const risky = crashing(memoryStore(), seed, { often: 1 })
      await risky.close?.()
      await expect(risky.mailboxes('alice')).rejects.toThrow()
    }
  })
})

describe('crashing, where nothing fails', () => {
  mailStoreContract({
    describe,
    it,
    skipped: () => {},
    open: async () => ({ store: crashing(memoryStore(), 1, { often: Infinity }) }),
  })
})
