import { print } from '../../adapters/node/print.ts'
import type { Mailbox } from '../../contracts/mailbox.ts'
import type { MailStore, StoredMessage } from '../../contracts/store.ts'
import { allOf, equal, holds, pattern, rejects } from './checks.ts'
import { changesOf } from './mail-store-changes.ts'
import { modelCrashes } from './mail-store-model.ts'
import {
  consistent,
  entriesOf,
  everyUid,
  fill,
  inbox,
  isIn,
  listed,
  mailboxOf,
  type MailStoreContractOptions,
  message,
  needing,
  octetsIn,
  setOf,
  storedOf,
  uidsOf,
} from './sample-mail.ts'

/** What a crash leaves. */
export function surviving({ it, open, skipped = print }: MailStoreContractOptions): void {
  let told = false
  const crash = (name: string, run: (store: MailStore, reopen: () => Promise<MailStore>) => Promise<void>): void => {
    it(name, async () => {
      const { store, reopen } = await open()
      const { durability } = store.traits
      if (durability !== 'none' && !reopen) throw new Error(`durability is ${durability}: give reopen, so that it can be shown`)
      if (durability !== 'none' && reopen) return run(store, reopen)
      if (!told) skipped('mailStoreContract: after a crash (durability is none)')
      told = true
    })
  }

  crash('has all that was acknowledged, and goes on counting', async (store, reopen) => {
    const made = await inbox(store)
    const empty = await store.create('alice', ['Drafts'], '\\Drafts')
    const stored: StoredMessage[] = []
    for (const size of [10, 100_000, 2_000_000]) stored.push(await store.append(made.id, message(pattern(size))))
    const before = await store.mailboxes('alice')
    const again = await reopen()
    equal(await again.mailboxes('alice'), before)
    equal(await listed(again, made.id), stored.map(storedOf))
    for (const one of stored) equal(await octetsIn(again, one), pattern(one.octets))
    const next = await again.append(made.id, message(pattern(5)))
    holds(next.uid > (stored[2] as StoredMessage).uid, 'the UID was used before')
    holds(next.modSeq > (stored[2] as StoredMessage).modSeq, 'the mod-sequence was used before')
    holds(stored.every(({ id }) => id !== next.id), 'the message id was used before')
    const other = await again.create('alice', ['Sent'])
    holds(other.id !== made.id && other.id !== empty.id, 'the mailbox id was used before')
    await consistent(again)
  })

  crash('has what was done to messages and mailboxes', async (store, reopen) => {
    const made = await inbox(store)
    const [old, gone] = [await store.create('alice', ['a', 'b']), await store.create('alice', ['gone'])]
    const [first, second, third] = await fill(store, made.id, [], ['$A'], []) as [StoredMessage, StoredMessage, StoredMessage]
    const { modSeq: since } = await mailboxOf(store, made)
    await store.flag(made.id, setOf([first.uid]), { kind: 'add', flags: ['\\Seen', '$B'] })
    await store.copy(made.id, everyUid, old.id)
    await store.expunge(made.id, setOf([third.uid]))
    await store.rename(old.id, ['c'])
    await store.remove(gone.id)
    await store.subscribe?.('alice', ['c'], true)
    await store.claim?.(made.id)
    const seen = async (its: MailStore): Promise<unknown> => [
      await its.mailboxes('alice'), await listed(its, made.id), await listed(its, old.id), await its.usage('alice'),
      await changesOf(its, made.id, since), await its.subscriptions?.('alice'),
    ]
    const before = await seen(store)
    const again = await reopen()
    equal(await seen(again), before)
    equal(uidsOf(await entriesOf(again, made.id)), [first.uid, second.uid])
    const [next] = await fill(again, made.id, [])
    holds(next?.uid as number > third.uid, 'the UID of what was expunged was given again')
    const fresh = await again.create('alice', ['gone'])
    holds(fresh.id !== gone.id, 'the mailbox id was used before')
    holds(fresh.uidValidity > gone.uidValidity, 'UIDVALIDITY did not grow')
    await consistent(again)
  })

  crash('is what was done to it, crash after crash', modelCrashes)

  crash('has of what was under way all that was acknowledged, and nothing by halves', async (store, reopen) => {
    const made = await inbox(store)
    const other = await store.create('alice', ['a'])
    const kept = await fill(store, made.id, ...Array.from({ length: 10 }, () => []))
    const acknowledged: StoredMessage[] = []
    const since = (await mailboxOf(store, made)).modSeq
    const work = [
      ...Array.from({ length: 20 }, async (_, i) => {
        acknowledged.push(await store.append(made.id, message(pattern(100 * i * i, i))))
      }),
      store.copy(made.id, setOf(uidsOf(kept)), other.id),
      store.flag(made.id, setOf(uidsOf(kept)), { kind: 'add', flags: ['$A'] }),
    ]
    // The first that is done is when the rest is cut short.
    await work[0]
    const safe = [...acknowledged]
    const again = await reopen()
    await Promise.allSettled(work)
    await whole(again, made, other, safe, since)
  })
}

/** Throws unless ten messages were copied or none, ten flagged or none, and what was acknowledged is there. */
async function whole(
  store: MailStore,
  made: Mailbox,
  other: Mailbox,
  safe: readonly StoredMessage[],
  since: number,
): Promise<void> {
  const there = await listed(store, made.id)
  for (const one of safe) equal(there.find(({ uid }) => uid === one.uid), storedOf(one), 'what was acknowledged')
  for (const one of there.slice(10)) equal((await octetsIn(store, one)).length, one.octets, 'octets of what is there')
  const copies = (await entriesOf(store, other.id)).length
  holds(copies === 0 || copies === 10, `${copies} of 10 messages were copied`)
  const flagged = there.filter(({ flags }) => flags.includes('$A')).length
  holds(flagged === 0 || flagged === 10, `${flagged} of 10 messages were flagged`)
  const { changed, vanished } = await changesOf(store, made.id, since)
  equal(changed.length, flagged + there.length - 10, 'number of changes')
  holds(!there.some(({ uid }) => isIn(vanished, uid)), 'what is there has vanished')
  await consistent(store)
}

/** What `close` does. */
export function closing(options: MailStoreContractOptions): void {
  const it = needing(options, 'close', 'close')

  it('finishes what it has, then takes no more', async (store) => {
    const { id } = await inbox(store)
    const appends = Array.from({ length: 10 }, (_, i) => store.append(id, message(pattern(50, i))))
    await store.close()
    equal(new Set(uidsOf(await Promise.all(appends))).size, 10, 'appends that were finished')
    const late = [
      () => store.append(id, message(pattern(5))),
      () => store.append(id, message(pattern(2_000_000))),
      () => inbox(store),
      () => store.mailboxes('alice'),
      () => store.rename(id, ['a']),
      () => store.remove(id),
      () => allOf(store.list(id)),
      () => allOf(store.entries(id)),
      () => store.changes(id, 0),
      () => store.flag(id, everyUid, { kind: 'add', flags: ['$A'] }),
      () => store.expunge(id, everyUid),
      () => store.copy(id, everyUid, id),
      () => store.body('1'),
      () => store.usage('alice'),
      () => store.erase('alice'),
    ]
    for (const call of late) await rejects(call(), 'closed')
    await store.close()
  })
}
