import { equal, holds, rejects } from './checks.ts'
import {
  ascending,
  consistent,
  entriesOf,
  everyUid,
  fill,
  inbox,
  listed,
  mailboxOf,
  type MailStoreContractOptions,
  setOf,
  uidsOf,
  unknownIds,
} from './sample-mail.ts'

/** What `expunge` does. */
export function expunging({ it, open }: MailStoreContractOptions): void {
  it('removes those that are there, and tells which', async () => {
    const { store } = await open()
    const made = await inbox(store)
    const other = await store.create('alice', ['a'])
    const uids = uidsOf(await fill(store, made.id, [], ['\\Seen'], ['\\Deleted'], [], ['\\Seen', '\\Deleted'], []))
    await fill(store, other.id, [], [], [])
    const before = await listed(store, made.id)
    const { modSeq } = await mailboxOf(store, made)
    const at = (index: number): number => uids[index] as number
    equal(await store.expunge(made.id, setOf([at(1)])), setOf([at(1)]))
    equal(await store.expunge(made.id, [{ first: at(0), last: at(2) }]), setOf([at(0), at(2)]))
    equal(await store.expunge(made.id, setOf([at(0), at(4), at(5) + 10])), setOf([at(4)]))
    equal(await listed(store, made.id), [before[3], before[5]])
    equal((await entriesOf(store, other.id)).length, 3)
    holds((await mailboxOf(store, made)).modSeq >= modSeq + 3, 'an expunge took no mod-sequence')
    await consistent(store)
    equal(await store.expunge(made.id, everyUid), setOf([at(3), at(5)]))
    equal(await entriesOf(store, made.id), [])
    await consistent(store)
  })

  it('removes none of none', async () => {
    const { store } = await open()
    const made = await inbox(store)
    await fill(store, made.id, [])
    const before = await mailboxOf(store, made)
    equal(await store.expunge(made.id, []), [])
    equal(await store.expunge(made.id, [{ first: before.uidNext, last: 2 ** 32 - 1 }]), [])
    equal(await mailboxOf(store, made), before)
  })

  it('never lets a UID or a mod-sequence come back', async () => {
    const { store } = await open()
    const made = await inbox(store)
    const [uids, modSeqs]: [number[], number[]] = [[], []]
    for (let i = 0; i < 5; i++) {
      const [stored] = await fill(store, made.id, [])
      uids.push(stored?.uid as number)
      modSeqs.push(stored?.modSeq as number)
      await store.expunge(made.id, everyUid)
      modSeqs.push((await mailboxOf(store, made)).modSeq)
      holds((await mailboxOf(store, made)).uidNext > (stored?.uid as number), 'uidNext fell')
    }
    ascending(uids, 'UIDs')
    ascending(modSeqs, 'mod-sequences')
  })

  it('gives each message to one of many at once', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    const uids = uidsOf(await fill(store, id, ...Array.from({ length: 20 }, () => [])))
    const gone = await Promise.all(Array.from({ length: 8 }, (_, i) => store.expunge(id, setOf(uids.slice(i, i + 8)))))
    const told = gone.flatMap((set) => set.flatMap(({ first, last }) => {
      return Array.from({ length: last - first + 1 }, (_, index) => first + index)
    }))
    equal(told.sort((a, b) => a - b), uids.slice(0, 15))
    equal(uidsOf(await entriesOf(store, id)), uids.slice(15))
    await consistent(store)
  })

  it('refuses a mailbox it does not have', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    for (const none of unknownIds(id)) await rejects(store.expunge(none, everyUid), 'permanent')
  })
}
