import { describe, expect, it } from 'vitest'
import { memoryBodies, memoryStore } from '../../../src/adapters/memory/index.ts'
import type { MailStore, StoredMessage } from '../../../src/contracts/store.ts'
import { indexMessage } from '../../../src/message/indexer.ts'
import { bodyStoreContract } from '../../../src/testing/contracts/body-store.ts'
import { allOf, pattern } from '../../../src/testing/contracts/checks.ts'
import { mailStoreContract } from '../../../src/testing/contracts/mail-store.ts'
import { everyUid, factsOf, fill, inbox, listed, message, setOf, uidsOf } from '../../../src/testing/contracts/sample-mail.ts'

const skipped: string[] = []
const runner = { describe, it, skipped: (line: string) => void skipped.push(line) }

describe('memoryStore', () => {
  mailStoreContract({ ...runner, open: async () => ({ store: memoryStore() }) })
})

describe('memoryBodies', () => {
  bodyStoreContract({ ...runner, open: async () => ({ store: memoryBodies() }) })
})

it('skips only what needs a disk, or is no cheaper where all is in memory', () => {
  expect(skipped).toEqual([
    'mailStoreContract: mailbox (the store has no mailbox)',
    'mailStoreContract: octets (the store has no octets)',
    'mailStoreContract: after a crash (durability is none)',
    'bodyStoreContract: bodies after a crash (durability is none)',
  ])
})

describe('memoryStore beyond the contract', () => {
  it('takes dates from its clock', async () => {
    let now = 1_700_000_000_000
    const store = memoryStore({ now: () => now })
    const { id } = await inbox(store)
    const [first] = await fill(store, id, [])
    now += 5
    await store.copy(id, everyUid, id)
    now += 5
    await store.move?.(id, setOf([first?.uid as number]), id)
    await store.flag(id, everyUid, { kind: 'add', flags: ['$A'] })
    expect((await listed(store, id)).map(({ saved }) => saved)).toEqual([1_700_000_000_005, 1_700_000_000_010])
  })

  it('lets UIDVALIDITY tell one store from the next', async () => {
    const [before, after] = [memoryStore({ now: () => 1_700_000_000_999 }), memoryStore({ now: () => 1_700_000_001_000 })]
    expect((await inbox(before)).uidValidity).toBe(1_700_000_000)
    expect((await inbox(after)).uidValidity).toBe(1_700_000_001)
    const odd = memoryStore({ now: () => NaN })
    expect([(await inbox(odd)).uidValidity, (await inbox(odd, 'bob')).uidValidity]).toEqual([1, 2])
  })

  it('changes UIDVALIDITY at a rename only where another had the path', async () => {
    const store = memoryStore({ now: () => 0 })
    const [a, b] = [await store.create('alice', ['a']), await store.create('alice', ['b'])]
    const validities = async (): Promise<unknown> => {
      return (await store.mailboxes('alice')).map(({ path, uidValidity }) => [path.join(), uidValidity])
    }
    expect([a.uidValidity, b.uidValidity]).toEqual([1, 2])
    await store.rename(b.id, ['c'])
    await store.rename(b.id, ['b'])
    await store.rename(a.id, ['d'])
    expect(await validities()).toEqual([['b', 2], ['d', 1]])
    // Whoever knows `a` knows it by 1: 2 is above. Whoever knows `b` knows it by 2: 1 is not.
    await store.rename(b.id, ['a'])
    await store.rename(a.id, ['b'])
    expect(await validities()).toEqual([['a', 2], ['b', 3]])
  })

  it('remembers as much of what was expunged as it is told to', async () => {
    const store = memoryStore({ remembered: 2 })
    const { id } = await inbox(store)
    const stored = await fill(store, id, ...Array.from({ length: 8 }, () => []))
    const since = stored.at(-1)?.modSeq as number
    const expunge = async (...at: number[]): Promise<void> => {
      await store.expunge(id, setOf(at.map((index) => stored[index]?.uid as number)))
    }
    await expunge(0, 1, 2)
    await expunge(4)
    const ranges = [{ first: 1, last: 3 }, { first: 5, last: 5 }]
    expect(await store.changes(id, since)).toMatchObject({ vanished: ranges, complete: true })
    await expunge(6)
    const newest = [{ first: 5, last: 5 }, { first: 7, last: 7 }]
    expect(await store.changes(id, since)).toMatchObject({ vanished: newest, complete: false })
    expect(await store.changes(id, since + 1)).toMatchObject({ complete: true })
  })

  it('keeps one copy of what is appended to many, for as long as one has it', async () => {
    const store = memoryStore()
    const [alice, bob] = [await inbox(store), await inbox(store, 'bob')]
    const given = message(pattern(500))
    const stored = await store.appendAll?.([alice, bob].map(({ id }) => ({ mailbox: id, message: given }))) as StoredMessage[]
    const [first, second] = [stored[0] as StoredMessage, stored[1] as StoredMessage]
    expect(second.id).toBe(first.id)
    const other = await store.append(alice.id, { ...given, facts: factsOf(7) })
    expect(other.id).not.toBe(first.id)
    await store.expunge(alice.id, setOf([first.uid]))
    expect(await store.body(first.id)).toBeDefined()
    await store.expunge(bob.id, everyUid)
    expect(await store.body(first.id)).toBeUndefined()
    expect((await store.append(alice.id, given)).octets).toBe(500)
  })

  it('refuses what no caller may give', async () => {
    const store = memoryStore()
    const { id } = await inbox(store)
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    for (const wrong of [{ received: 1.5 }, { received: NaN }, { facts: circle as never }]) {
      await expect(store.append(id, message(pattern(5), wrong))).rejects.toMatchObject({ code: 'misuse' })
    }
    expect(await listed(store, id)).toEqual([])
  })

  it('finds words by the text of parts, and all of which it knows nothing', async () => {
    const store = memoryStore()
    const { id } = await inbox(store)
    const texts = [
      'Subject: folded\r\n  words here\r\n\r\nbody\r\n',
      'Content-Type: application/pdf\r\n\r\nlemons\r\n',
      'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX-Part: lemons\r\n\r\n\r\n--b--\r\n',
      'Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nplums\r\n',
    ]
    for (const text of texts) {
      const bytes = new TextEncoder().encode(text)
      await store.append(id, message(bytes, { facts: indexMessage(bytes) }))
    }
    const opaque = await store.append(id, message(pattern(5)))
    const found = async (words: string, where: 'body' | 'text'): Promise<number[]> => {
      const set = await store.search?.(id, words, where) ?? []
      const uids = set.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i))
      return uids.filter((uid) => uid !== opaque.uid)
    }
    expect(await found('folded  words', 'text')).toEqual([1])
    expect(await found('folded', 'body')).toEqual([])
    expect(await found('lemons', 'body')).toEqual([3])
    expect(await found('INNER', 'body')).toEqual([4])
    expect(await found('plums', 'text')).toEqual([4])
    expect((await store.search?.(id, 'anything', 'body'))?.at(-1)).toEqual({ first: opaque.uid, last: opaque.uid })
  })

  it('tells watchers from outside of any call, and none of them once it is closed', async () => {
    const store = memoryStore()
    const { id } = await inbox(store)
    await Promise.resolve()
    const told: string[] = []
    store.watch?.((mailbox) => told.push(mailbox))
    const append = store.append(id, message(pattern(5)))
    expect(told).toEqual([])
    await append
    await Promise.resolve()
    expect(told).toEqual([id])
    await store.expunge(id, everyUid)
    await store.close?.()
    await Promise.resolve()
    expect(told.length).toBeLessThanOrEqual(2)
    expect(() => store.watch?.(() => {})).toThrow('closed')
  })

  it('lists in pages of two hundred', async () => {
    const store: MailStore = memoryStore()
    const { id } = await inbox(store)
    await Promise.all(Array.from({ length: 450 }, () => fill(store, id, [])))
    expect((await allOf(store.entries(id))).map((page) => page.length)).toEqual([200, 200, 50])
    const uids = [{ first: 100, last: 350 }, { first: 449, last: 9999 }]
    expect((await allOf(store.list(id, { uids }))).map((page) => [page.length, uidsOf(page)[0]])).toEqual([[200, 100], [53, 300]])
  })
})
