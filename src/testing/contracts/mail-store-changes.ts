import { print } from '../../adapters/node/print.ts'
import type { Changes, MailStore } from '../../contracts/store.ts'
import { equal, holds, rejects } from './checks.ts'
import {
  ascending,
  entriesOf,
  entryOf,
  fill,
  inbox,
  isIn,
  mailboxOf,
  type MailStoreContractOptions,
  setOf,
  uidsOf,
  unknownIds,
  wellFormed,
} from './sample-mail.ts'

/** What changed after a mod-sequence, checked as far as one answer can be. */
export async function changesOf(store: MailStore, mailbox: string, since: number, most?: number): Promise<Changes> {
  const changes = await store.changes(mailbox, since, most)
  const { changed, vanished, modSeq, more } = changes
  wellFormed(vanished, 'vanished')
  const sequence = changed.map((entry) => entry.modSeq)
  holds(sequence.every((one, index) => one >= (sequence[index - 1] ?? since + 1)), `not by mod-sequence: ${sequence.join(', ')}`)
  holds(sequence.every((one) => one <= modSeq), 'a change is above what was told')
  holds(new Set(sequence).size <= (most ?? 1000), `${sequence.length} changes, where at most ${most ?? 1000} were asked for`)
  holds(new Set(uidsOf(changed)).size === changed.length, 'a message is told twice')
  holds(!changed.some(({ uid }) => isIn(vanished, uid)), 'a message is there and has vanished')
  holds(!more || modSeq > since, 'there is more, but asking again would give the same')
  return { ...changes, changed: changed.map(entryOf) }
}

/** What `changes` tells. */
export function changing({ it, open, skipped = print }: MailStoreContractOptions): void {
  it('tells nothing of a new mailbox', async () => {
    const { store } = await open()
    const { id, modSeq } = await inbox(store)
    const { complete: _, ...changes } = await changesOf(store, id, modSeq)
    equal(changes, { modSeq, changed: [], vanished: [], more: false })
    // Whoever asks from a mod-sequence that was never given out is told nothing, not refused.
    const { changed, vanished, more } = await store.changes(id, modSeq + 1000)
    equal([changed, vanished, more], [[], [], false])
  })

  it('tells all that is there from 0 on', async () => {
    const { store } = await open()
    const made = await inbox(store)
    await fill(store, made.id, [], ['\\Seen'], [])
    const { changed, modSeq, more } = await changesOf(store, made.id, 0)
    equal(changed, await entriesOf(store, made.id))
    equal([modSeq, more], [(await mailboxOf(store, made)).modSeq, false])
  })

  it('tells each message as it stands, once', async () => {
    const { store } = await open()
    const made = await inbox(store)
    const [first, second, third] = uidsOf(await fill(store, made.id, [], [], [], [])) as [number, number, number]
    const since = (await mailboxOf(store, made)).modSeq
    await store.flag(made.id, setOf([third]), { kind: 'add', flags: ['$A'] })
    await store.flag(made.id, setOf([first, second]), { kind: 'add', flags: ['$B'] })
    await store.flag(made.id, setOf([third]), { kind: 'add', flags: ['$C'] })
    const { changed, modSeq } = await changesOf(store, made.id, since)
    equal(changed.map(({ uid, flags }) => [uid, flags]), [[first, ['$B']], [second, ['$B']], [third, ['$A', '$C']]])
    equal(changed, await entriesOf(store, made.id, { since }))
    equal(modSeq, (await mailboxOf(store, made)).modSeq)
    equal((await changesOf(store, made.id, modSeq)).changed, [])
  })

  it('tells what vanished, and no more of it', async () => {
    const { store } = await open()
    const made = await inbox(store)
    const uids = uidsOf(await fill(store, made.id, [], [], [], [], []))
    const { modSeq: since } = await mailboxOf(store, made)
    await store.flag(made.id, setOf([uids[0] as number]), { kind: 'add', flags: ['$A'] })
    await store.expunge(made.id, setOf([uids[0] as number, uids[3] as number]))
    const [passing] = await fill(store, made.id, [], [])
    await store.expunge(made.id, setOf([passing?.uid as number]))
    const { changed, vanished, complete, more } = await changesOf(store, made.id, since)
    equal([changed.length, more], [1, false])
    if (!complete) {
      skipped('mailStoreContract: changes, what vanished (the store has forgotten it)')
      return
    }
    equal(uids.map((uid) => isIn(vanished, uid)), [true, false, false, true, false])
    const later = await changesOf(store, made.id, (await mailboxOf(store, made)).modSeq)
    equal([later.changed, later.vanished], [[], []])
  })

  it('tells it in parts', async () => {
    const { store } = await open()
    const made = await inbox(store)
    const uids = uidsOf(await fill(store, made.id, ...Array.from({ length: 12 }, () => [])))
    const gone: number[] = []
    for (const [index, uid] of uids.entries()) {
      if (index % 3 === 0) await store.flag(made.id, setOf([uid]), { kind: 'add', flags: ['$A'] })
      if (index % 4 === 1) await store.expunge(made.id, setOf([uid]))
      if (index % 4 === 1) gone.push(uid)
    }
    const there = await entriesOf(store, made.id)
    for (const most of [1, 2, 5, 1000]) {
      const told = new Map<number, unknown>()
      const modSeqs: number[] = []
      for (let since = 0, more = true; more;) {
        const changes = await changesOf(store, made.id, since, most)
        for (const entry of changes.changed) told.set(entry.uid, entry)
        for (const uid of [...told.keys()]) if (isIn(changes.vanished, uid)) told.delete(uid)
        since = changes.modSeq
        more = changes.more
        modSeqs.push(since)
      }
      ascending(modSeqs, 'mod-sequences of the parts')
      equal(modSeqs.at(-1), (await mailboxOf(store, made)).modSeq, 'mod-sequence of the last part')
      holds(most > 5 || modSeqs.length > 1, `all came in one part, where at most ${most} at a time were asked for`)
      equal([...told.values()].sort(byUid), there, `what was told, ${most} at a time`)
    }
  })

  it('tells a thousand at a time unless it is asked for more', async () => {
    const { store } = await open()
    const made = await inbox(store)
    await Promise.all(Array.from({ length: 1010 }, () => fill(store, made.id, [])))
    const { modSeq, more } = await changesOf(store, made.id, 0)
    equal(more, true, 'whether there is more')
    const rest = await changesOf(store, made.id, modSeq)
    equal([rest.modSeq, rest.more], [(await mailboxOf(store, made)).modSeq, false])
  })

  it('refuses a mailbox it does not have', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    for (const none of unknownIds(id)) await rejects(store.changes(none, 0), 'permanent')
  })
}

function byUid(a: unknown, b: unknown): number {
  return (a as { uid: number }).uid - (b as { uid: number }).uid
}
