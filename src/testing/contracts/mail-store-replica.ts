import { turn } from '../../adapters/node/event-loop.ts'
import type { UidSet } from '../../contracts/mailbox.ts'
import type { Copied, Entry, MailStore } from '../../contracts/store.ts'
import { type SeededRandom, seededRandom } from '../random.ts'
import { equal, holds, pattern } from './checks.ts'
import { changesOf } from './mail-store-changes.ts'
import { consistent, entriesOf, inbox, isIn, type MailStoreContractOptions, message, setOf, uidsOf } from './sample-mail.ts'

/**
 * Messages of a mailbox as they are known to one who has nothing but `changes`. It knows them as they were at `since`, or none
 * where that is 0.
 */
export class Replica {
  readonly #store: MailStore
  readonly #mailbox: string
  readonly #known: Map<number, Entry>
  #since: number

  constructor(store: MailStore, mailbox: string, since = 0, known: readonly Entry[] = []) {
    this.#store = store
    this.#mailbox = mailbox
    this.#since = since
    this.#known = new Map(known.map((entry) => [entry.uid, entry]))
  }

  /** Asks once, for so many changes at most. Gives whether there is more. */
  async ask(most: number): Promise<boolean> {
    const { changed, vanished, modSeq, more, complete } = await changesOf(this.#store, this.#mailbox, this.#since, most)
    // What is not told as vanished is found by looking (RFC 7162 §3.2.5.2), before what is told is added: it may be newer.
    const there = complete ? undefined : new Set(uidsOf(await entriesOf(this.#store, this.#mailbox)))
    for (const uid of [...this.#known.keys()]) if (isIn(vanished, uid) || there?.has(uid) === false) this.#known.delete(uid)
    for (const entry of changed) this.#known.set(entry.uid, entry)
    this.#since = modSeq
    return more
  }

  /** Throws unless it knows all that is there, once it has asked for the rest. */
  async check(most: number, what: string): Promise<void> {
    while (await this.ask(most)) continue
    const known = [...this.#known.values()].sort((a, b) => a.uid - b.uid)
    equal(known, await entriesOf(this.#store, this.#mailbox), what)
  }
}

/** What came and went, as those were told who did it. */
class Tally {
  readonly #arrived = new Set<string>()
  readonly #left = new Set<string>()

  arrived(mailbox: string, uid: number): void {
    const name = `${mailbox} ${uid}`
    holds(!this.#arrived.has(name), `UID ${uid} was given twice`)
    this.#arrived.add(name)
  }

  left(mailbox: string, uid: number): void {
    const name = `${mailbox} ${uid}`
    holds(!this.#left.has(name), `UID ${uid} went twice`)
    this.#left.add(name)
  }

  expunged(mailbox: string, uids: UidSet): void {
    for (const { first, last } of uids) for (let uid = first; uid <= last; uid++) this.left(mailbox, uid)
  }

  moved(from: string, to: string, moved: readonly Copied[]): void {
    for (const one of moved) {
      this.left(from, one.from)
      this.arrived(to, one.to)
    }
  }

  /** UIDs that have to be there. */
  in(mailbox: string): number[] {
    const there = [...this.#arrived].filter((name) => name.startsWith(`${mailbox} `) && !this.#left.has(name))
    return there.map((name) => Number(name.slice(mailbox.length + 1))).sort((a, b) => a - b)
  }
}

const KEYWORDS = ['\\Seen', '\\Deleted', '$A', '$B', '$C']

/** Does one thing by chance to one of two mailboxes. */
async function act(store: MailStore, boxes: readonly [string, string], random: SeededRandom, tally: Tally): Promise<void> {
  const at = random.below(2)
  const [here, there] = [boxes[at] as string, boxes[1 - at] as string]
  const some = (): UidSet => setOf(Array.from({ length: 5 }, () => 1 + random.below(40)))
  switch (random.below(8)) {
    case 0:
      return tally.expunged(here, await store.expunge(here, some()))
    case 1:
      for (const { to } of await store.copy(here, some(), there)) tally.arrived(there, to)
      return
    case 2:
      if (store.move) return tally.moved(here, there, await store.move(here, some(), there))
      return
    case 3:
    case 4: {
      const kind = (['add', 'remove', 'replace'] as const)[random.below(3)] as 'add'
      await store.flag(here, some(), { kind, flags: [KEYWORDS[random.below(5)] as string] })
      return
    }
    default: {
      const flags = random.below(2) === 0 ? [] : [KEYWORDS[random.below(5)] as string]
      const stored = await store.append(here, message(pattern(random.below(500)), { flags }))
      tally.arrived(here, stored.uid)
    }
  }
}

/** Looks at a mailbox until it is over: whoever has seen a UID never sees a lower one appear. */
async function look(store: MailStore, mailbox: string, over: () => boolean): Promise<void> {
  const seen = new Set<number>()
  let highest = 0
  while (!over()) {
    const uids = uidsOf(await entriesOf(store, mailbox))
    for (const uid of uids) holds(seen.has(uid) || uid > highest, `UID ${uid} appeared after ${highest}`)
    for (const uid of uids) seen.add(uid)
    highest = Math.max(highest, ...uids)
    await turn()
  }
}

/** What a store is for many who do not wait for each other. */
export function replicating({ it, open }: MailStoreContractOptions): void {
  for (const seed of [1, 2, 3]) {
    it(`loses nothing, and tells all who follow (seed ${seed})`, async () => {
      const { store } = await open()
      const boxes = [(await inbox(store)).id, (await store.create('alice', ['a'])).id] as const
      const tally = new Tally()
      let over = false
      const workers = Array.from({ length: 6 }, async (_, worker) => {
        const random = seededRandom(seed * 100 + worker)
        for (let i = 0; i < 25; i++) {
          await act(store, boxes, random, tally)
          if (random.below(3) === 0) await turn()
        }
      })
      const followers = boxes.flatMap((id) => [1, 3, 1000].map((most) => ({ most, replica: new Replica(store, id) })))
      const watching = followers.map(async ({ most, replica }) => {
        while (!over) {
          await replica.ask(most)
          await turn()
        }
      })
      const looking = boxes.map((mailbox) => look(store, mailbox, () => over))
      void Promise.allSettled(workers).then(() => void (over = true))
      await Promise.all([...workers, ...watching, ...looking])
      for (const { most, replica } of followers) await replica.check(most, `what was told, ${most} at a time`)
      for (const id of boxes) equal(uidsOf(await entriesOf(store, id)), tally.in(id), 'UIDs that are there')
      await consistent(store)
    })
  }
}
