import type { MailStore, StoredMessage } from '../../contracts/store.ts'
import { equal, holds, pattern, rejects } from './checks.ts'
import { changesOf } from './mail-store-changes.ts'
import {
  consistent,
  entriesOf,
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
  storedOf,
  uidsOf,
  unknownIds,
} from './sample-mail.ts'

/** What `replace` does. */
export function replacing(options: MailStoreContractOptions): void {
  const it = needing(options, 'replace', 'replace')
  const filled = async (store: MailStore): Promise<{ readonly id: string; readonly stored: readonly StoredMessage[] }> => {
    const { id } = await inbox(store)
    return { id, stored: await fill(store, id, ['$A'], ['\\Deleted', '\\Seen'], []) }
  }

  it('puts a message in the place of another', async (store) => {
    const { id, stored: [first, second, third] } = await filled(store) as { id: string; stored: StoredMessage[] }
    const { modSeq } = await mailboxOf(store, { account: 'alice', id })
    const by = { mailbox: id, message: message(pattern(50), { flags: ['$B'], received: 5 }) }
    const replaced = await store.replace(id, second!.uid, by) as StoredMessage
    holds(replaced.uid > third!.uid && replaced.modSeq > modSeq, 'its UID and its mod-sequence are above all before')
    equal([replaced.flags, replaced.received, replaced.octets], [['$B'], 5, 50], 'what it is')
    equal(await listed(store, id), [first!, third!, replaced].map(storedOf))
    equal(await octetsIn(store, replaced), pattern(50))
    const { vanished, changed, complete } = await changesOf(store, id, modSeq)
    holds(!complete || isIn(vanished, second!.uid), 'what went is not told as vanished')
    equal(uidsOf(changed), [replaced.uid], 'what came')
    await consistent(store)
  })

  it('puts it into another mailbox', async (store) => {
    const { id, stored } = await filled(store)
    const other = await store.create('alice', ['Sent'])
    await fill(store, other.id, [])
    const replaced = await store.replace(id, stored[0]!.uid, { mailbox: other.id, message: message(pattern(1000)) })
    equal(uidsOf(await entriesOf(store, id)), uidsOf(stored.slice(1)))
    equal((await entriesOf(store, other.id)).at(-1)?.uid, replaced?.uid)
    await consistent(store)
  })

  it('adds nothing where the other is gone', async (store) => {
    const { id, stored } = await filled(store)
    await store.expunge(id, [{ first: 1, last: stored[0]!.uid }])
    const before = [await mailboxOf(store, { account: 'alice', id }), await listed(store, id)]
    for (const uid of [stored[0]!.uid, 999]) {
      equal(await store.replace(id, uid, { mailbox: id, message: message(pattern(2_000_000)) }), undefined)
    }
    equal([await mailboxOf(store, { account: 'alice', id }), await listed(store, id)], before)
    await consistent(store)
  })

  it('refuses mailboxes it does not have, and touches nothing', async (store) => {
    const { id, stored } = await filled(store)
    for (const none of unknownIds(id)) {
      await rejects(store.replace(none, stored[0]!.uid, { mailbox: id, message: message(pattern(5)) }), 'permanent')
      await rejects(store.replace(id, stored[0]!.uid, { mailbox: none, message: message(pattern(5)) }), 'permanent')
    }
    equal(await listed(store, id), stored.map(storedOf))
    await consistent(store)
  })

  it('asks for no more room than the one takes beyond the other', async (store) => {
    const { id } = await inbox(store)
    const [stored] = [await store.append(id, message(pattern(100)))]
    const { messages, octets } = await store.usage('alice')
    const replace = (uid: number, size: number, quota: { messages: number; octets: number }) =>
      store.replace(id, uid, { mailbox: id, message: message(pattern(size)), quota })
    await rejects(replace(stored.uid, 101, { messages, octets }), 'quota')
    equal(uidsOf(await entriesOf(store, id)), [stored.uid])
    const same = await replace(stored.uid, 100, { messages, octets })
    // Who has more than he may is not kept from having less.
    const less = await replace(same!.uid, 50, { messages: 0, octets: 1 })
    await rejects(replace(less!.uid, 51, { messages: 0, octets: 1 }), 'quota')
    equal(uidsOf(await entriesOf(store, id)), [less!.uid])
    await consistent(store)
  })

  it('is seen by nobody half done, and done once however many ask', async (store) => {
    const { id, stored } = await filled(store)
    const by = (at: number) => ({ mailbox: id, message: message(pattern(60 + at, at)) })
    const all = Promise.all(Array.from({ length: 5 }, (_, at) => store.replace(id, stored[1]!.uid, by(at))))
    await meanwhile(all, async () => equal((await entriesOf(store, id)).length, 3, 'messages'))
    equal((await all).filter((one) => one !== undefined).length, 1, 'replacements')
    await consistent(store)
  })
}
