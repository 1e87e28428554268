import type { StoredBody } from '../../contracts/bodies.ts'
import { readBody } from '../../contracts/read-body.ts'
import { pageOfFacts } from '../../contracts/page-of-facts.ts'
import type { Mailbox, MailboxId, Quota, SpecialUse, UidSet, Usage } from '../../contracts/mailbox.ts'
import type {
  Append,
  Changes,
  Copied,
  Entry,
  FlagChange,
  Flagged,
  MailStore,
  MessageId,
  NewMessage,
  Room,
  Selection,
  StoredMessage,
} from '../../contracts/store.ts'
import { unpackFacts } from '../../message/packed-facts.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { memoryBody } from './bodies.ts'
import { Account, OVERHEAD } from './store-account.ts'
import { Box, entryOf, type Held } from './store-mailbox.ts'
import { type Message, Messages } from './store-messages.ts'
import { mayContain } from './store-search.ts'
import { setOf } from '../../protocol/bytes/number-set.ts'

/** Settings of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /**
   * Milliseconds since the Unix epoch, for the dates at which messages were saved, and for UIDVALIDITY: what one store forgot,
   * the next must not seem to remember. Default `Date.now`.
   */
  readonly now?: () => number
  /** How many ranges of expunged UIDs each mailbox remembers, for those who ask for changes. Default 10 000. */
  readonly remembered?: number
}

/**
 * A mail store in memory: the reference for what a store does. Gone with the process, so for tests and for mail that nobody
 * keeps.
 */
export function memoryStore({ now = Date.now, remembered = 10_000 }: MemoryStoreOptions = {}): MailStore {
  return new MemoryStore(now, remembered)
}

/** Messages in a page of `entries` and `list`. */
const PAGE = 200

/** Everything happens at once, between two turns; only the bodies that are given are waited for, and before. */
class MemoryStore implements MailStore {
  readonly traits = { durability: 'none', overhead: OVERHEAD } as const
  readonly #now: () => number
  readonly #remembered: number
  readonly #accounts = new Map<string, Account>()
  readonly #boxes = new Map<MailboxId, Box>()
  readonly #messages = new Messages()
  readonly #watchers = new Set<(mailbox: MailboxId) => void>()
  readonly #accountWatchers = new Map<string, Set<() => void>>()
  readonly #reading = new Set<Promise<unknown>>()
  #lastMailbox = 0
  #lastUidValidity = 0
  #closed = false

  constructor(now: () => number, remembered: number) {
    this.#now = now
    this.#remembered = remembered
  }

  async mailboxes(account: string): Promise<readonly Mailbox[]> {
    this.#check()
    return this.#accounts.get(account)?.mailboxes() ?? []
  }

  async create(name: string, path: readonly string[], use?: SpecialUse): Promise<Mailbox> {
    this.#check()
    const account = this.#account(name)
    const there = account.at(path)
    if (there) return there.mailbox()
    if (use !== undefined && [...account.boxes.values()].some((box) => box.use === use)) {
      throw new MailError('permanent', `There is a mailbox for ${use} already`)
    }
    const box = new Box(
      { id: String(++this.#lastMailbox), account: name, path, uidValidity: this.#nextValidity() },
      use,
      this.#remembered,
    )
    account.settle(box, path, () => this.#nextValidity())
    this.#boxes.set(box.id, box)
    this.#tell(box)
    return box.mailbox()
  }

  async rename(mailbox: MailboxId, path: readonly string[]): Promise<void> {
    const box = this.#box(mailbox)
    this.#account(box.account).rename(box, path, () => this.#nextValidity())
    this.#tell(box)
  }

  async remove(mailbox: MailboxId): Promise<void> {
    this.#check()
    const box = this.#boxes.get(mailbox)
    if (box) this.#remove(box)
  }

  async append(mailbox: MailboxId, message: NewMessage, room: Room = {}): Promise<StoredMessage> {
    const [stored] = await this.appendAll([{ ...room, mailbox, message }])
    return stored as StoredMessage
  }

  async appendAll(appends: readonly Append[]): Promise<readonly StoredMessage[]> {
    this.#check()
    const reading = Promise.all(appends.map(({ message }) => readBody(message.body)))
    this.#reading.add(reading)
    try {
      return this.#add(appends, await reading)
    } finally {
      this.#reading.delete(reading)
    }
  }

  async replace(mailbox: MailboxId, uid: number, by: Append): Promise<StoredMessage | undefined> {
    this.#check()
    const reading = readBody(by.message.body)
    this.#reading.add(reading)
    try {
      return this.#replace(mailbox, uid, by, await reading)
    } finally {
      this.#reading.delete(reading)
    }
  }

  async *entries(mailbox: MailboxId, which: Selection = {}): AsyncGenerator<readonly Entry[], void, undefined> {
    for await (const page of this.#pages(mailbox, which)) yield page.map(entryOf)
  }

  async *list(mailbox: MailboxId, which: Selection = {}): AsyncGenerator<readonly StoredMessage[], void, undefined> {
    for await (const page of this.#pages(mailbox, which)) {
      const lengths = page.map(({ message }) => message.facts.length)
      for (let at = 0; at < page.length;) {
        const count = pageOfFacts(lengths.slice(at))
        yield page.slice(at, at + count).map((held) => storedOf(mailbox, held))
        at += count
      }
    }
  }

  async changes(mailbox: MailboxId, since: number, most = 1000): Promise<Changes> {
    return this.#box(mailbox).changes(since, most)
  }

  async flag(mailbox: MailboxId, uids: UidSet, change: FlagChange, unchangedSince?: number): Promise<Flagged> {
    const box = this.#box(mailbox)
    const flagged = box.flag(uids, change, unchangedSince)
    this.#tell(box)
    return flagged
  }

  async expunge(mailbox: MailboxId, uids: UidSet): Promise<UidSet> {
    const box = this.#box(mailbox)
    return setOf(this.#expunge(box, uids).map(({ uid }) => ({ first: uid, last: uid })))
  }

  async copy(mailbox: MailboxId, uids: UidSet, to: MailboxId, { quota }: Room = {}): Promise<readonly Copied[]> {
    const [from, target] = [this.#box(mailbox), this.#box(to)]
    const found = from.find(uids)
    this.#account(target.account).check(found.length, octetsIn(found.map(({ message }) => message)), quota)
    return this.#copy(found, target)
  }

  async move(mailbox: MailboxId, uids: UidSet, to: MailboxId): Promise<readonly Copied[]> {
    const [from, target] = [this.#box(mailbox), this.#box(to)]
    const found = from.find(uids)
    const copied = this.#copy(found, target)
    this.#expunge(from, found.map(({ uid }) => ({ first: uid, last: uid })))
    return copied
  }

  async body(id: MessageId): Promise<StoredBody | undefined> {
    this.#check()
    const message = this.#messages.get(id)
    return message && memoryBody(id, message.bytes)
  }

  async usage(account: string): Promise<Usage> {
    this.#check()
    return this.#accounts.get(account)?.usage ?? { messages: 0, octets: 0 }
  }

  async recount(account: string): Promise<Usage> {
    this.#check()
    this.#accounts.get(account)?.recount()
    return this.usage(account)
  }

  async erase(account: string): Promise<void> {
    this.#check()
    for (const box of [...(this.#accounts.get(account)?.boxes.values() ?? [])]) this.#remove(box)
    this.#accounts.delete(account)
  }

  async *accounts(): AsyncGenerator<string, void, undefined> {
    this.#check()
    for (const [name, { boxes }] of [...this.#accounts]) if (boxes.size > 0) yield name
  }

  async subscriptions(account: string): Promise<readonly (readonly string[])[]> {
    this.#check()
    return this.#accounts.get(account)?.subscriptions() ?? []
  }

  async subscribe(account: string, path: readonly string[], wanted: boolean): Promise<void> {
    this.#check()
    this.#account(account).subscribe(path, wanted)
    this.#tellOf(account)
  }

  async claim(mailbox: MailboxId): Promise<number> {
    return this.#box(mailbox).claim()
  }

  async search(mailbox: MailboxId, words: string, where: 'body' | 'text'): Promise<UidSet> {
    const found = this.#box(mailbox).all().filter(({ message }) => mayContain(message, words, where))
    return setOf(found.map(({ uid }) => ({ first: uid, last: uid })))
  }

  watch(told: (mailbox: MailboxId) => void): () => void {
    this.#check()
    const watcher = (mailbox: MailboxId): void => told(mailbox)
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  watchAccount(account: string, told: () => void): () => void {
    this.#check()
    const watcher = (): void => told()
    const there = this.#accountWatchers.get(account) ?? new Set()
    this.#accountWatchers.set(account, there.add(watcher))
    return () => {
      there.delete(watcher)
      if (there.size === 0) this.#accountWatchers.delete(account)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#reading)
    this.#watchers.clear()
    this.#accountWatchers.clear()
  }

  #check(): void {
    if (this.#closed) throw new MailError('closed', 'The store was closed')
  }

  #box(mailbox: MailboxId): Box {
    this.#check()
    return this.#known(mailbox)
  }

  /** The mailbox, for what was begun before the store was closed too. */

  #known(mailbox: MailboxId): Box {
    const box = this.#boxes.get(mailbox)
    if (!box) throw new MailError('permanent', `There is no mailbox ${mailbox}`)
    return box
  }

  #account(name: string): Account {
    const account = this.#accounts.get(name) ?? new Account()
    this.#accounts.set(name, account)
    return account
  }

  #nextValidity(): number {
    this.#lastUidValidity = Math.max(this.#lastUidValidity + 1, Math.floor(this.#now() / 1000) || 0)
    return this.#lastUidValidity
  }

  #add(appends: readonly Append[], bodies: readonly Uint8Array[]): StoredMessage[] {
    const boxes = appends.map(({ mailbox }) => this.#known(mailbox))
    const messages = appends.map(({ message }, index) => this.#message(message, bodies[index] as Uint8Array))
    for (const [index, { quota }] of appends.entries()) if (quota) this.#checkQuota(boxes, messages, index, quota)
    return appends.map(({ message: { received, flags = [] } }, index) => {
      const box = boxes[index] as Box
      return storedOf(box.id, this.#put(box, { message: messages[index] as Message, received, flags }))
    })
  }

  #replace(mailbox: MailboxId, uid: number, by: Append, bytes: Uint8Array): StoredMessage | undefined {
    const { mailbox: to, message: given, quota } = by
    const [from, target] = [this.#known(mailbox), this.#known(to)]
    const uids = [{ first: uid, last: uid }]
    const [old] = from.find(uids)
    const message = this.#message(given, bytes)
    if (!old) return undefined
    this.#account(target.account).check(0, bytes.length - old.message.bytes.length, quota)
    const { received, flags = [] } = given
    const held = this.#put(target, { message, received, flags })
    this.#expunge(from, uids)
    return storedOf(target.id, held)
  }

  #message(given: NewMessage, bytes: Uint8Array): Message {
    if (!Number.isSafeInteger(given.received)) throw new MailError('misuse', 'received: give whole milliseconds')
    return this.#messages.of(given, bytes)
  }

  /** There has to be room for one of several, after those before it. */
  #checkQuota(boxes: readonly Box[], messages: readonly Message[], last: number, quota: Quota): void {
    const { account } = boxes[last] as Box
    const its = messages.filter((_, index) => index <= last && boxes[index]?.account === account)
    this.#account(account).check(its.length, octetsIn(its), quota)
  }

  #put(box: Box, message: Pick<Held, 'message' | 'received' | 'flags'>): Held {
    const held = box.add({ ...message, saved: this.#now() })
    this.#messages.hold(held.message)
    this.#account(box.account).count(1, held.message.bytes.length)
    this.#tell(box)
    return held
  }

  #copy(found: readonly Held[], target: Box): Copied[] {
    return found.map((held) => ({ from: held.uid, to: this.#put(target, held).uid }))
  }

  #expunge(box: Box, uids: UidSet): readonly Held[] {
    const gone = box.expunge(uids)
    for (const { message } of gone) this.#messages.release(message)
    this.#account(box.account).count(-gone.length, -octetsIn(gone.map(({ message }) => message)))
    this.#tell(box)
    return gone
  }

  #remove(box: Box): void {
    const account = this.#account(box.account)
    const { messages, octets } = box.mailbox()
    account.count(-messages, -octets)
    for (const { message } of box.all()) this.#messages.release(message)
    account.boxes.delete(box.id)
    this.#boxes.delete(box.id)
    this.#tell(box)
  }

  async *#pages(mailbox: MailboxId, which: Selection): AsyncGenerator<readonly Held[], void, undefined> {
    for (let after = 0;;) {
      this.#check()
      const page = this.#boxes.get(mailbox)?.select(which, after, PAGE) ?? []
      const last = page.at(-1)
      if (!last) return
      yield page
      after = last.uid
    }
  }

  /** Not from inside a call: whoever is told may call. */
  #tell({ id, account }: Box): void {
    this.#tellOf(account)
    for (const watcher of this.#watchers) {
      queueMicrotask(() => {
        if (this.#watchers.has(watcher)) watcher(id)
      })
    }
  }

  #tellOf(account: string): void {
    for (const watcher of this.#accountWatchers.get(account) ?? []) {
      queueMicrotask(() => {
        if (this.#accountWatchers.get(account)?.has(watcher)) watcher()
      })
    }
  }
}

function octetsIn(messages: readonly Message[]): number {
  return messages.reduce((octets, { bytes }) => octets + bytes.length, 0)
}

function storedOf(mailbox: MailboxId, held: Held): StoredMessage {
  return { ...entryOf(held), mailbox, facts: unpackFacts(held.message.facts) }
}
