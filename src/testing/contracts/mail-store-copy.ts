import type { Mailbox } from '../../contracts/mailbox.ts'
import type { Copied, Entry, MailStore } from '../../contracts/store.ts'
import { equal, holds, pattern, rejects } from './checks.ts'
import { changesOf } from './mail-store-changes.ts'
import {
  ascending,
  consistent,
  entriesOf,
  everyUid,
  fill,
  inbox,
  isIn,
  listed,
  mailboxOf,
  type MailStoreContractOptions,
  meanwhile,
  message,
  needing,
  octetsIn,
  plainFacts,
  setOf,
  uidsOf,
  unknownIds,
} from './sample-mail.ts'

/** Throws unless the messages are where they were said to go, with all that goes along. */
async function arrived(store: MailStore, to: Mailbox, from: readonly Entry[], copied: readonly Copied[]): Promise<void> {
  equal(copied.map((one) => one.from), uidsOf(from), 'UIDs of what went')
  ascending(copied.map((one) => one.to), 'UIDs where it went')
  const there = await entriesOf(store, to.id, { uids: setOf(copied.map((one) => one.to)) })
  const kept = ({ id, received, flags, octets }: Entry): unknown => ({ id, received, flags, octets })
  equal(there.map(kept), from.map(kept), 'what arrived')
  equal(uidsOf(there), copied.map((one) => one.to), 'UIDs of what arrived')
}

/** What `copy` does. */
export function copying({ it, open }: MailStoreContractOptions): void {
  it('copies messages with all that is known of them', async () => {
    const { store } = await open()
    const [from, to] = [await inbox(store), await store.create('alice', ['a'])]
    await fill(store, to.id, [], [])
    for (const [i, flags] of [[], ['\\Seen', '$A'], ['\\Deleted'], ['x']].entries()) {
      await store.append(from.id, message(pattern(100 + i, i), { flags, received: 1_600_000_000_000 + i }))
    }
    const before = [await listed(store, from.id), await mailboxOf(store, from)] as const
    const chosen = before[0].filter((_, i) => i !== 0)
    const target = await mailboxOf(store, to)
    const copied = await store.copy(from.id, setOf(uidsOf(chosen)), to.id)
    await arrived(store, to, chosen, copied)
    equal([await listed(store, from.id), await mailboxOf(store, from)], before)
    const copies = (await listed(store, to.id)).slice(2)
    equal(copies.map(plainFacts), chosen.map(plainFacts))
    holds(copies.every(({ uid, modSeq }) => uid >= target.uidNext && modSeq > target.modSeq), 'a number was used before')
    ascending(copies.map(({ modSeq }) => modSeq), 'mod-sequences')
    equal(await octetsIn(store, copies[0] as Entry), pattern(101, 1))
    await consistent(store)
  })

  it('copies between accounts, and within a mailbox', async () => {
    const { store } = await open()
    const [alice, bob] = [await inbox(store), await inbox(store, 'bob')]
    const stored = await fill(store, alice.id, ['$A'], ['\\Seen'])
    await arrived(store, bob, stored, await store.copy(alice.id, everyUid, bob.id))
    await arrived(store, alice, stored, await store.copy(alice.id, everyUid, alice.id))
    equal((await entriesOf(store, alice.id)).map(({ flags }) => flags), [['$A'], ['\\Seen'], ['$A'], ['\\Seen']])
    for (const account of ['alice', 'bob']) await consistent(store, account)
    // From here on they are two.
    await store.flag(bob.id, everyUid, { kind: 'replace', flags: [] })
    await store.expunge(alice.id, setOf([stored[0]?.uid as number]))
    equal((await entriesOf(store, alice.id)).map(({ flags }) => flags), [['\\Seen'], ['$A'], ['\\Seen']])
    equal((await entriesOf(store, bob.id)).map(({ flags }) => flags), [[], []])
    for (const account of ['alice', 'bob']) await consistent(store, account)
  })

  it('copies those that are there, none of none', async () => {
    const { store } = await open()
    const [from, to] = [await inbox(store), await store.create('alice', ['a'])]
    const stored = await fill(store, from.id, [], [], [])
    await store.expunge(from.id, setOf([stored[1]?.uid as number]))
    const empty = await mailboxOf(store, to)
    equal(await store.copy(from.id, [], to.id), [])
    equal(await store.copy(from.id, setOf([stored[1]?.uid as number]), to.id), [])
    equal(await mailboxOf(store, to), empty)
    await arrived(store, to, stored.filter((_, i) => i !== 1), await store.copy(from.id, everyUid, to.id))
  })

  it('refuses mailboxes it does not have', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    await fill(store, id, [])
    for (const none of unknownIds(id)) {
      await rejects(store.copy(id, everyUid, none), 'permanent')
      await rejects(store.copy(none, everyUid, id), 'permanent')
    }
    equal((await entriesOf(store, id)).length, 1)
  })

  it('copies all or none where there is a bound', async () => {
    const { store } = await open()
    const [from, to] = [await inbox(store), await inbox(store, 'bob')]
    const stored = await fill(store, from.id, [], [], [])
    const octets = stored.reduce((sum, one) => sum + one.octets + store.traits.overhead, 0)
    const before = await mailboxOf(store, to)
    for (const quota of [{ messages: 2, octets: Infinity }, { messages: Infinity, octets: octets - 1 }]) {
      await rejects(store.copy(from.id, everyUid, to.id, { quota }), 'quota')
    }
    equal([await entriesOf(store, to.id), await mailboxOf(store, to)], [[], before])
    await consistent(store, 'bob')
    await arrived(store, to, stored, await store.copy(from.id, everyUid, to.id, { quota: { messages: 3, octets } }))
    await consistent(store, 'bob')
  })

  it('is seen by nobody half done', async () => {
    const { store } = await open()
    const [from, to] = [await inbox(store), await store.create('alice', ['a'])]
    await fill(store, from.id, ...Array.from({ length: 30 }, () => []))
    await meanwhile(store.copy(from.id, everyUid, to.id), async () => {
      const { messages } = await mailboxOf(store, to)
      holds(messages === 0 || messages === 30, `${messages} of 30 messages`)
    })
  })

  it('is in order with what comes in and goes', async () => {
    const { store } = await open()
    const [from, to] = [await inbox(store), await store.create('alice', ['a'])]
    const stored = await fill(store, from.id, ...Array.from({ length: 10 }, () => []))
    const [copied, , gone] = await Promise.all([
      store.copy(from.id, everyUid, to.id),
      fill(store, to.id, [], []),
      store.expunge(from.id, setOf(uidsOf(stored).slice(5))),
      fill(store, to.id, [], []),
    ])
    holds(gone.length > 0, 'nothing was expunged')
    holds(copied.length === 10 || copied.length === 5, `${copied.length} of 10 messages`)
    equal((await entriesOf(store, to.id)).length, copied.length + 4)
    await consistent(store)
  })
}

/** What `move` does. */
export function moving(options: MailStoreContractOptions): void {
  const it = needing(options, 'move', 'move')

  it('takes messages from here to there', async (store) => {
    const [from, to] = [await inbox(store), await store.create('alice', ['a'])]
    await fill(store, to.id, [])
    const stored = (await fill(store, from.id, ['$A'], ['\\Seen'], ['\\Deleted'], [])).slice(1)
    const { modSeq } = await mailboxOf(store, from)
    const usage = await store.usage('alice')
    const moved = await store.move(from.id, setOf(uidsOf(stored)), to.id)
    await arrived(store, to, stored.map((one) => ({ ...one, flags: [...one.flags].sort() })), moved)
    equal((await entriesOf(store, from.id)).map(({ flags }) => flags), [['$A']])
    equal(await store.usage('alice'), usage)
    holds((await mailboxOf(store, from)).modSeq > modSeq, 'what went took no mod-sequence')
    const { vanished, complete } = await changesOf(store, from.id, modSeq)
    holds(!complete || stored.every(({ uid }) => isIn(vanished, uid)), 'what went is not told as vanished')
    equal(await octetsIn(store, stored[0] as Entry), new Uint8Array(11).fill(1))
    await consistent(store)
  })

  it('gives new UIDs within a mailbox', async (store) => {
    const made = await inbox(store)
    const stored = await fill(store, made.id, ['$A'], ['$B'], ['$C'])
    const moved = await store.move(made.id, setOf(uidsOf(stored).slice(0, 2)), made.id)
    await arrived(store, made, stored.slice(0, 2), moved)
    equal((await entriesOf(store, made.id)).map(({ flags }) => flags), [['$C'], ['$A'], ['$B']])
    await consistent(store)
  })

  it('moves those that are there, none of none', async (store) => {
    const [from, to] = [await inbox(store), await store.create('alice', ['a'])]
    const stored = await fill(store, from.id, [], [], [])
    await store.expunge(from.id, setOf([stored[1]?.uid as number]))
    const before = await store.mailboxes('alice')
    equal(await store.move(from.id, setOf([stored[1]?.uid as number]), to.id), [])
    equal(await store.mailboxes('alice'), before)
    await arrived(store, to, stored.filter((_, i) => i !== 1), await store.move(from.id, everyUid, to.id))
    equal(await entriesOf(store, from.id), [])
  })

  it('refuses mailboxes it does not have', async (store) => {
    const { id } = await inbox(store)
    await fill(store, id, [])
    for (const none of unknownIds(id)) {
      await rejects(store.move(id, everyUid, none), 'permanent')
      await rejects(store.move(none, everyUid, id), 'permanent')
    }
    equal((await entriesOf(store, id)).length, 1)
  })

  it('gives each message to one of many at once', async (store) => {
    const [from, to] = [await inbox(store), await store.create('alice', ['a'])]
    const stored = await fill(store, from.id, ...Array.from({ length: 12 }, () => []))
    const [first, second, gone] = await Promise.all([
      store.move(from.id, everyUid, to.id),
      store.move(from.id, everyUid, to.id),
      store.expunge(from.id, everyUid),
    ])
    const went = [...first, ...second].map((one) => one.from)
    equal(stored.filter(({ uid }) => went.includes(uid) === isIn(gone, uid)), [], 'messages that went twice, or nowhere')
    equal([await entriesOf(store, from.id), (await entriesOf(store, to.id)).length], [[], went.length])
    await consistent(store)
  })
}
