import type { MailStore } from '../../contracts/store.ts'
import { equal, holds, pattern, rejects } from './checks.ts'
import { consistent, entriesOf, everyUid, fill, inbox, type MailStoreContractOptions, message, needing } from './sample-mail.ts'

/** What `usage` says, and what quotas do. */
export function usage({ it, open }: MailStoreContractOptions): void {
  it('counts each message with what the store adds to it', async () => {
    const { store } = await open()
    const { overhead } = store.traits
    holds(Number.isSafeInteger(overhead) && overhead >= 0, `traits.overhead is ${overhead}`)
    equal(await store.usage('alice'), { messages: 0, octets: 0 })
    const { id } = await inbox(store)
    const other = await store.create('alice', ['a'])
    for (const size of [0, 10, 5000]) await store.append(id, message(pattern(size)))
    equal(await store.usage('alice'), { messages: 3, octets: 5010 + 3 * overhead })
    // In two mailboxes it counts twice, however often it is stored.
    await store.copy(id, everyUid, other.id)
    equal(await store.usage('alice'), { messages: 6, octets: 10_020 + 6 * overhead })
    await store.flag(id, everyUid, { kind: 'add', flags: ['\\Deleted'] })
    await store.expunge(id, everyUid)
    equal(await store.usage('alice'), { messages: 3, octets: 5010 + 3 * overhead })
    await store.remove(other.id)
    equal([await store.usage('alice'), await store.usage('bob')], [{ messages: 0, octets: 0 }, { messages: 0, octets: 0 }])
  })

  it('lets an account be filled to its quota, and not beyond', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    await fill(store, (await inbox(store, 'bob')).id, [], [], [])
    const each = 100 + store.traits.overhead
    const add = (size: number, messages: number, octets: number): Promise<unknown> => {
      return store.append(id, message(pattern(size)), { quota: { messages, octets } })
    }
    await rejects(add(100, 1, each - 1), 'quota')
    await rejects(add(100, 0, Infinity), 'quota')
    equal([await entriesOf(store, id), await store.usage('alice')], [[], { messages: 0, octets: 0 }])
    await add(100, 1, each)
    await rejects(add(0, 1, Infinity), 'quota')
    await rejects(add(100, Infinity, 2 * each - 1), 'quota')
    await add(100, 2, 2 * each)
    await add(0, Infinity, Infinity)
    equal((await entriesOf(store, id)).length, 3)
    // Who has more than the quota already keeps it, and gets no more.
    await rejects(add(0, 1, Infinity), 'quota')
    await consistent(store)
  })

  it('makes room where messages go', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    const other = await store.create('alice', ['a'])
    const room = { quota: { messages: 2, octets: 2 * (100 + store.traits.overhead) } }
    const add = (mailbox = id): Promise<unknown> => store.append(mailbox, message(pattern(100)), room)
    await add()
    await add(other.id)
    await rejects(add(), 'quota')
    await rejects(store.copy(id, everyUid, other.id, room), 'quota')
    await store.expunge(id, everyUid)
    await add()
    await rejects(add(), 'quota')
    await store.remove(other.id)
    await add()
    await rejects(add(), 'quota')
    await consistent(store)
  })

  it('lets no two in where there is room for one', async () => {
    const { store } = await open()
    const boxes = [await inbox(store), await store.create('alice', ['a'])]
    const octets = 5 * (100 + store.traits.overhead) + 99
    const bounds = [{ messages: 5, octets: Infinity }, { messages: Infinity, octets }]
    for (const quota of bounds) {
      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => {
        return store.append(boxes[i % 2]?.id as string, message(pattern(100, i)), { quota })
      }))
      for (const one of outcomes) if (one.status === 'rejected') await rejects(Promise.reject(one.reason), 'quota')
      equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 5, 'messages that were let in')
      await consistent(store)
      for (const { id } of boxes) await store.expunge(id, everyUid)
    }
  })
}

/** What `recount` does. */
export function recounting(options: MailStoreContractOptions): void {
  const it = needing(options, 'recount', 'recount')

  it('finds what was counted before', async (store) => {
    const { id } = await inbox(store)
    const other = await store.create('alice', ['a'])
    await fill(store, id, [], ['\\Seen'], ['\\Deleted'])
    await store.copy(id, everyUid, other.id)
    await store.expunge(id, [{ first: 1, last: 2 }])
    await fill(store, (await inbox(store, 'bob')).id, [])
    const seen = async (its: MailStore): Promise<unknown> => [await its.usage('alice'), await its.mailboxes('alice')]
    const before = await seen(store)
    equal(await store.recount('alice'), await store.usage('alice'))
    equal(await seen(store), before)
    await consistent(store)
    await consistent(store, 'bob')
    equal(await store.recount('nobody'), { messages: 0, octets: 0 })
    equal(await store.mailboxes('nobody'), [])
  })
}
