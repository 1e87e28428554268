import type { Mailbox } from '../../contracts/mailbox.ts'
import type { Flagged, FlagChange, MailStore } from '../../contracts/store.ts'
import { equal, holds, rejects } from './checks.ts'
import {
  consistent,
  entriesOf,
  everyUid,
  fill,
  inbox,
  mailboxOf,
  type MailStoreContractOptions,
  setOf,
  uidsOf,
  unknownIds,
  wellFormed,
} from './sample-mail.ts'

type Flags = readonly string[]

/** A flag change of one message: the flags before, the change, and the flags after, where they are others. */
const table: readonly (readonly [Flags, FlagChange['kind'], Flags, Flags?])[] = [
  [[], 'add', ['\\Seen'], ['\\Seen']],
  [['\\Seen'], 'add', ['\\Seen']],
  [['\\Seen'], 'add', []],
  [['\\Seen'], 'add', ['$A', 'b', '\\Deleted'], ['$A', '\\Deleted', '\\Seen', 'b']],
  [['\\Seen', '$A'], 'remove', ['\\Seen', '$B'], ['$A']],
  [['\\Seen', '$A'], 'remove', ['$B']],
  [['\\Seen', '$A'], 'remove', ['\\Seen', '$A'], []],
  [['\\Seen', '$A'], 'replace', ['$B', '\\Deleted'], ['$B', '\\Deleted']],
  [['\\Seen', '$A'], 'replace', ['$A', '\\Seen']],
  [['\\Seen', '$A'], 'replace', [], []],
  [[], 'replace', []],
  // System flags have no case and one spelling (RFC 9051 §2.3.2); keywords are octets.
  [[], 'add', ['\\SEEN', '\\aNSWERED'], ['\\Answered', '\\Seen']],
  [['\\Seen'], 'add', ['\\seen']],
  [['\\Seen', '\\Draft'], 'remove', ['\\sEEN'], ['\\Draft']],
  [['\\Flagged'], 'replace', ['\\FLAGGED']],
  [['\\Flagged'], 'replace', ['\\deleted'], ['\\Deleted']],
  [['$a'], 'add', ['$A'], ['$A', '$a']],
  [['$a', '$A'], 'remove', ['$A'], ['$a']],
  [['__proto__'], 'add', ['constructor'], ['__proto__', 'constructor']],
]

/** What `flag` did, with flags in order. */
async function flagged(
  store: MailStore,
  { id }: Pick<Mailbox, 'id'>,
  uids: readonly number[],
  change: FlagChange,
  unchangedSince?: number,
): Promise<Flagged> {
  const { changed, modified } = await store.flag(id, setOf(uids), change, unchangedSince)
  wellFormed(modified, 'modified')
  return { changed: changed.map(({ uid, modSeq, flags }) => ({ uid, modSeq, flags: [...flags].sort() })), modified }
}

/** What `flag` does. */
export function flagging({ it, open }: MailStoreContractOptions): void {
  it('adds, removes and replaces, by the case rule of flags', async () => {
    const { store } = await open()
    const made = await inbox(store)
    for (const [before, kind, flags, after] of table) {
      const [stored] = await fill(store, made.id, before)
      const uid = stored?.uid as number
      const { modSeq } = await mailboxOf(store, made)
      const { changed } = await flagged(store, made, [uid], { kind, flags })
      const what = `${kind} ${flags.join(' ')} to ${before.join(' ')}`
      equal(changed.map((one) => one.flags), after ? [after] : [], what)
      const [entry] = await entriesOf(store, made.id, { uids: setOf([uid]) })
      equal(entry?.flags, after ?? [...before].sort(), what)
      const now = (await mailboxOf(store, made)).modSeq
      equal([entry?.modSeq, now], after ? [changed[0]?.modSeq, changed[0]?.modSeq] : [stored?.modSeq, modSeq], `${what}, modSeq`)
      holds(!after || now > modSeq, `${what} took no mod-sequence`)
      await consistent(store)
    }
  })

  it('changes those that are there, tells those that it changed, and leaves the others', async () => {
    const { store } = await open()
    const made = await inbox(store)
    const uids = uidsOf(await fill(store, made.id, [], ['$A'], [], [], []))
    await store.expunge(made.id, setOf([uids[2] as number]))
    const before = await entriesOf(store, made.id)
    const { modSeq } = await mailboxOf(store, made)
    const { changed, modified } = await flagged(store, made, uids.filter((_, i) => i < 4), { kind: 'add', flags: ['$A'] })
    equal([uidsOf(changed), modified], [[uids[0], uids[3]], []])
    holds(changed.every((one) => one.modSeq > modSeq), 'a mod-sequence is not above those before')
    const after = new Map(changed.map((one) => [one.uid, one]))
    equal(await entriesOf(store, made.id), before.map((entry) => ({ ...entry, ...after.get(entry.uid) })))
    await consistent(store)
  })

  it('changes none of none', async () => {
    const { store } = await open()
    const made = await inbox(store)
    await fill(store, made.id, [])
    const before = await mailboxOf(store, made)
    for (const uids of [[], [before.uidNext, before.uidNext + 7]]) {
      equal(await flagged(store, made, uids, { kind: 'add', flags: ['$A'] }), { changed: [], modified: [] })
    }
    equal(await mailboxOf(store, made), before)
  })

  it('leaves those that have changed since, and says so', async () => {
    const { store } = await open()
    const made = await inbox(store)
    const [first, second, third] = uidsOf(await fill(store, made.id, [], [], [])) as [number, number, number]
    const { modSeq } = await mailboxOf(store, made)
    const { changed: [newer] } = await flagged(store, made, [second], { kind: 'add', flags: ['$B'] })
    const uids = [first, second, third]
    const change = { kind: 'add', flags: ['$A'] } as const
    const some = await flagged(store, made, uids, change, modSeq)
    equal([uidsOf(some.changed), some.modified], [[first, third], setOf([second])])
    // Not above is enough.
    const more = await flagged(store, made, [second], change, newer?.modSeq as number)
    equal([uidsOf(more.changed), more.modified], [[second], []])
    const none = await flagged(store, made, uids, { kind: 'replace', flags: [] }, 0)
    equal([none.changed, none.modified], [[], setOf(uids)])
    const flags = (await entriesOf(store, made.id)).map((entry) => entry.flags)
    equal(flags, [['$A'], ['$A', '$B'], ['$A']])
    await consistent(store)
  })

  it('loses none of many changes at once', async () => {
    const { store } = await open()
    const made = await inbox(store)
    const uids = uidsOf(await fill(store, made.id, [], [], []))
    const keywords = Array.from({ length: 20 }, (_, i) => `k${i}`)
    await Promise.all(keywords.map((keyword) => store.flag(made.id, setOf(uids), { kind: 'add', flags: [keyword] })))
    for (const { flags } of await entriesOf(store, made.id)) equal(flags, [...keywords].sort())
    await Promise.all(keywords.map((keyword) => store.flag(made.id, everyUid, { kind: 'replace', flags: [keyword] })))
    const left = (await entriesOf(store, made.id)).map(({ flags }) => flags.join())
    equal([left.length, new Set(left).size], [3, 1], 'messages, and sets of flags')
  })

  it('lets one of many win who all saw the same', async () => {
    const { store } = await open()
    const made = await inbox(store)
    const [uid] = uidsOf(await fill(store, made.id, [])) as [number]
    const { modSeq } = await mailboxOf(store, made)
    const tries = await Promise.all(Array.from({ length: 10 }, (_, i) => {
      return flagged(store, made, [uid], { kind: 'add', flags: [`k${i}`] }, modSeq)
    }))
    equal(tries.filter(({ changed }) => changed.length === 1).length, 1, 'changes that won')
    equal(tries.filter(({ modified }) => modified.length === 1).length, 9, 'changes that lost')
    equal((await entriesOf(store, made.id))[0]?.flags.length, 1, 'number of flags')
  })

  it('refuses a mailbox it does not have', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    for (const none of unknownIds(id)) await rejects(store.flag(none, everyUid, { kind: 'add', flags: ['$A'] }), 'permanent')
  })
}
