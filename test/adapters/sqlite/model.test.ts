import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../../src/adapters/memory/index.ts'
import type { Mailbox, UidSet } from '../../../src/contracts/mailbox.ts'
import type { Entry, FlagChange, MailStore, NewMessage } from '../../../src/contracts/store.ts'
import { isMailError } from '../../../src/protocol/session/errors.ts'
import { allOf, octetsOf } from '../../../src/testing/contracts/checks.ts'
import { drivers } from './drivers.ts'
import { openMail } from './folders.ts'
import { faultsIn, listed, numbered } from './mail.ts'

type Store = Required<Omit<MailStore, 'search'>>

/** What a caller can do. Mailboxes and messages are named by the order of their making, wrapping around. */
type Step =
  | { readonly do: 'create'; readonly account: string; readonly path: readonly string[] }
  | { readonly do: 'append'; readonly to: Boxes; readonly size: number; readonly read: boolean; readonly flags: Flags }
  | { readonly do: 'append again'; readonly to: number; readonly message: number }
  | { readonly do: 'append all'; readonly to: readonly number[]; readonly room: number }
  | { readonly do: 'flag'; readonly box: number; readonly uids: UidSet; readonly change: FlagChange }
  | { readonly do: 'expunge'; readonly box: number; readonly uids: UidSet }
  | { readonly do: 'copy' | 'move'; readonly box: number; readonly uids: UidSet; readonly to: number; readonly room: number }
  | { readonly do: 'rename'; readonly box: number; readonly path: readonly string[] }
  | { readonly do: 'remove' | 'claim' | 'follow'; readonly box: number }
  | { readonly do: 'erase' | 'recount'; readonly account: string }
  | { readonly do: 'list'; readonly box: number; readonly uids: UidSet }
  | { readonly do: 'reopen' }

type Flags = readonly string[]
type Boxes = readonly number[]
type Appending = Extract<Step, { do: 'append' | 'append again' | 'append all' }>

const small = fc.nat({ max: 7 })
const account = fc.constantFrom('alice', 'bob')
const path = fc.array(fc.constantFrom('INBOX', 'a', 'b/c'), { minLength: 1, maxLength: 3 })
const flags = fc.uniqueArray(fc.constantFrom('\\Seen', '\\SEEN', '\\Deleted', '\\Flagged', '$Junk', '$junk'), { maxLength: 3 })
const uids: fc.Arbitrary<UidSet> = fc.oneof(
  fc.constant([{ first: 1, last: 0xffffffff }]),
  fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 6 }).map((found) => (
    found.sort((a, b) => a - b).filter((uid, at, all) => uid - 1 !== all[at - 1]).map((uid) => ({ first: uid, last: uid }))
  )),
  fc.tuple(fc.integer({ min: 1, max: 20 }), fc.nat({ max: 10 })).map(([first, more]) => [{ first, last: first + more }]),
)
const change = fc.record({ kind: fc.constantFrom('add' as const, 'remove' as const, 'replace' as const), flags })
const room = fc.constantFrom(0, 3, 10, 100)

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('create' as const), account, path }),
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      to: fc.array(small, { minLength: 1, maxLength: 3 }),
      size: fc.constantFrom(0, 10, 3000, 9000),
      read: fc.boolean(),
      flags,
    }),
  },
  fc.record({ do: fc.constant('append again' as const), to: small, message: small }),
  fc.record({ do: fc.constant('append all' as const), to: fc.array(small, { maxLength: 12 }), room }),
  { weight: 3, arbitrary: fc.record({ do: fc.constant('flag' as const), box: small, uids, change }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('expunge' as const), box: small, uids }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('copy' as const, 'move' as const), box: small, uids, to: small, room }),
  },
  fc.record({ do: fc.constant('rename' as const), box: small, path }),
  fc.record({ do: fc.constantFrom('remove' as const, 'claim' as const), box: small }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('follow' as const), box: small }) },
  fc.record({ do: fc.constantFrom('erase' as const, 'recount' as const), account }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('list' as const), box: small, uids }) },
  fc.record({ do: fc.constant('reopen' as const) }),
)

/** Who follows a mailbox by what `changes` tells. */
interface Follower {
  modSeq: number
  readonly known: Map<number, Entry>
}

/** A store, and what it gave, in order. What it gives is told without the numbers that are its own. */
class Subject {
  store: Store
  readonly boxes: Mailbox[] = []
  readonly #followers = new Map<string, Follower>()
  readonly #reopen: (before: Store) => Promise<Store>

  constructor(store: Store, reopen: (before: Store) => Promise<Store>) {
    this.store = store
    this.#reopen = reopen
  }

  /** Does it, and tells what came of it. */
  async take(one: Step, messages: readonly NewMessage[]): Promise<unknown> {
    try {
      return await this.#take(one, messages)
    } catch (error) {
      return isMailError(error) ? error.code : error
    }
  }

  async #take(one: Step, messages: readonly NewMessage[]): Promise<unknown> {
    const { store } = this
    switch (one.do) {
      case 'create':
        return this.#create(one.account, one.path)
      case 'append':
      case 'append again':
      case 'append all':
        return this.#append(one, messages)
      case 'flag':
        return this.#flag(this.#box(one.box), one.uids, one.change)
      case 'expunge':
        return store.expunge(this.#box(one.box), one.uids)
      case 'copy':
        return store.copy(this.#box(one.box), one.uids, this.#box(one.to), { quota: this.#quota(one.room) })
      case 'move':
        return this.#move(one.box, one.uids, one.to)
      case 'rename':
        return store.rename(this.#box(one.box), one.path)
      case 'remove':
        return store.remove(this.#box(one.box))
      case 'claim':
        return store.claim(this.#box(one.box))
      case 'follow':
        return this.follow(this.#box(one.box))
      case 'erase':
        return store.erase(one.account)
      case 'recount':
        return store.recount(one.account)
      case 'list':
        return this.list(this.#box(one.box), one.uids)
      case 'reopen':
        this.store = await this.#reopen(store)
        return undefined
    }
  }

  /** What an account has, as anybody sees it. */
  async shown(account: string): Promise<unknown> {
    const shown: unknown[] = [await this.store.usage(account)]
    for (const { id, uidValidity: _validity, modSeq: _modSeq, ...box } of await this.store.mailboxes(account)) {
      const all = [{ first: 1, last: 0xffffffff }]
      shown.push(box, await this.list(id, all))
      await this.follow(id)
    }
    return shown
  }

  async list(box: string, uids: UidSet): Promise<unknown> {
    const found = await listed(this.store, box, { uids })
    const entries = (await allOf(this.store.entries(box, { uids }))).flat()
    expect(entries).toEqual(found.map(({ mailbox: _mailbox, facts: _facts, ...entry }) => entry))
    const bodies = await Promise.all(found.map(async ({ id }) => {
      const body = await this.store.body(id)
      return body && Buffer.from(await octetsOf(body)).toString('latin1')
    }))
    return found.map(({ uid, flags, octets, received, facts }, at) => (
      { uid, flags: [...flags].sort(), octets, received, facts, body: bodies[at] }
    ))
  }

  /** Learns what has happened, a few changes at a time; then knows what is there. */
  async follow(box: string): Promise<void> {
    const follower = this.#followers.get(box) ?? { modSeq: 0, known: new Map<number, Entry>() }
    this.#followers.set(box, follower)
    for (let more = true; more;) {
      const changes = await this.store.changes(box, follower.modSeq, 3)
      expect(changes.complete).toBe(true)
      expect(changes.changed.length).toBeLessThanOrEqual(3)
      for (const { first, last } of changes.vanished) for (let uid = first; uid <= last; uid++) follower.known.delete(uid)
      changes.changed.reduce((last, { modSeq }) => (expect(modSeq).toBeGreaterThan(last), modSeq), follower.modSeq)
      for (const entry of changes.changed) follower.known.set(entry.uid, entry)
      expect(changes.modSeq > follower.modSeq || !changes.more).toBe(true)
      follower.modSeq = changes.modSeq
      more = changes.more
    }
    const known = [...follower.known.values()].sort((a, b) => a.uid - b.uid)
    expect(known).toEqual((await allOf(this.store.entries(box))).flat())
  }

  #box(index: number): string {
    return this.boxes[index % this.boxes.length]?.id ?? 'none'
  }

  #quota(messages: number): { messages: number; octets: number } {
    return { messages, octets: messages * 5000 }
  }

  async #create(account: string, path: readonly string[]): Promise<unknown> {
    const made = await this.store.create(account, path)
    if (!this.boxes.some(({ id }) => id === made.id)) this.boxes.push(made)
    const { id: _id, uidValidity: _validity, modSeq: _modSeq, ...rest } = made
    return rest
  }

  async #append(one: Appending, messages: readonly NewMessage[]): Promise<unknown> {
    if (one.do === 'append again') {
      const message = messages[one.message % messages.length]
      return message && (await this.store.append(this.#box(one.to), message)).uid
    }
    const message = messages.at(-1) as NewMessage
    if (one.do === 'append') return (await Promise.all(one.to.map((to) => this.store.append(this.#box(to), message)))).length
    const appends = one.to.map((to) => ({ mailbox: this.#box(to), message, quota: this.#quota(one.room) }))
    return (await this.store.appendAll(appends)).map(({ uid }) => uid)
  }

  async #flag(box: string, uids: UidSet, change: FlagChange): Promise<unknown> {
    // Mod-sequences are the store's own; their order is not.
    const [, second] = (await allOf(this.store.entries(box))).flat()
    const unchangedSince = change.flags.length % 2 === 0 ? second?.modSeq : undefined
    const { changed, modified } = await this.store.flag(box, uids, change, unchangedSince)
    return [changed.map(({ uid, flags }) => [uid, [...flags].sort()]), modified]
  }

  async #move(box: number, uids: UidSet, to: number): Promise<unknown> {
    const [from, target] = [this.boxes[box % this.boxes.length], this.boxes[to % this.boxes.length]]
    // Only between mailboxes of one account.
    if (from?.account !== target?.account) return undefined
    return this.store.move(this.#box(box), uids, this.#box(to))
  }
}

class World {
  readonly #subjects: readonly Subject[]
  readonly #messages: NewMessage[] = []

  constructor(subjects: readonly Subject[]) {
    this.#subjects = subjects
  }

  async take(one: Step): Promise<void> {
    if (one.do === 'append') {
      this.#messages.push({ ...numbered(this.#messages.length, one.size, one.read), flags: one.flags })
    } else if (one.do === 'append all') {
      this.#messages.push(numbered(this.#messages.length, 2000))
    }
    await this.#same(one.do, (subject) => subject.take(one, this.#messages))
  }

  async end(): Promise<void> {
    for (const account of ['alice', 'bob', 'carol']) await this.#same(account, (subject) => subject.shown(account))
  }

  async #same(what: string, act: (subject: Subject) => Promise<unknown>): Promise<void> {
    const [first, ...others] = await Promise.all(this.#subjects.map(act))
    for (const other of others) expect(other, what).toEqual(first)
  }
}

describe.each(drivers)('sqlite with %s', (_name, driver) => {
  it('does what memoryStore does, and its followers know all of it', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), async (steps) => {
      const memory = memoryStore() as Store
      const first = openMail({ driver, bodyThreshold: 4096 })
      const options = { driver, bodyThreshold: 4096, path: first.path }
      const subject = new Subject(first.store, async (before) => {
        await before.close()
        return openMail(options).store
      })
      const world = new World([new Subject(memory, async () => memory), subject])
      for (const name of ['alice', 'bob']) await world.take({ do: 'create', account: name, path: ['INBOX'] })
      for (const one of steps) await world.take(one)
      await world.end()
      await subject.store.close()
      expect(faultsIn(driver, first.path)).toEqual([])
    }), { numRuns: 20 })
  })
})
