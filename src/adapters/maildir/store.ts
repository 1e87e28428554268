import type { StoredBody } from '../../contracts/bodies.ts'
import type { Mailbox, MailboxId, Quota, SpecialUse, UidSet, Usage } from '../../contracts/mailbox.ts'
import { comparePaths } from '../../contracts/mailbox-path.ts'
import { pageOfFacts } from '../../contracts/page-of-facts.ts'
import type {
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
import { MailError } from '../../protocol/session/errors.ts'
import { type Account, noMailbox, type Place } from './account.ts'
import type { Accounts } from './accounts.ts'
import { Appending } from './appending.ts'
import { bodyOf, withFacts } from './body.ts'
import { copyAll } from './copying.ts'
import { isMissing, storageError } from './disk.ts'
import { parseRecord } from './facts.ts'
import { mailboxesOf } from './listing.ts'
import { OVERHEAD } from './room.ts'
import type { Shared } from './shared.ts'
import { baseOf, Staging } from './staging.ts'
import { entryOf, type State } from './state.ts'
import { readSubscriptions, writeSubscriptions } from './subscriptions.ts'
import { removeMessages, setFlags } from './transact.ts'
import { uidsOf } from './uids.ts'
import { type Turn, Turns } from './turns.ts'
import type { Watching } from './watching.ts'

/** Messages in a page of `entries`, and in one of `list`, whose facts are read from the disk. */
const PAGE = 1000
const LIST_PAGE = 200

/** The mail store in Maildirs. */
export class MaildirStore implements MailStore {
  readonly traits = { durability: 'disk', overhead: OVERHEAD } as const
  readonly #shared: Shared
  readonly #accounts: Accounts
  readonly #watching: Watching
  readonly #staging: Staging
  readonly #appending = new Appending()
  readonly #turns = new Turns()
  /** What was begun is finished before the store is closed. */
  readonly #begun = new Set<Promise<unknown>>()
  #closed = false

  constructor(shared: Shared, accounts: Accounts, watching: Watching) {
    this.#shared = shared
    this.#accounts = accounts
    this.#watching = watching
    this.#staging = new Staging(shared)
  }

  mailboxes(account: string): Promise<readonly Mailbox[]> {
    return this.#run(async () => {
      const its = this.#accounts.of(account)
      this.#watching.followAccount(its.tag, its.dir)
      const found = await mailboxesOf(its, this.#shared.disk)
      return found.map(({ place, state }) => this.#mailbox(its, place, state))
    })
  }

  create(account: string, path: readonly string[], use?: SpecialUse): Promise<Mailbox> {
    return this.#run(async () => {
      const its = this.#accounts.of(account)
      const { box } = await its.create(path, use)
      const there = await its.viewOf(box.id)
      if (!there) throw noMailbox()
      this.#shared.tell(box.id)
      return this.#mailbox(its, there.place, there.state)
    })
  }

  rename(mailbox: MailboxId, path: readonly string[]): Promise<void> {
    return this.#run(async () => (await this.#account(mailbox)).rename(mailbox, path))
  }

  remove(mailbox: MailboxId): Promise<void> {
    return this.#run(async () => {
      const account = await this.#accounts.withMailbox(mailbox)
      if (await account?.place(mailbox)) await account?.remove(mailbox)
    })
  }

  append(mailbox: MailboxId, message: NewMessage, { quota }: Room = {}): Promise<StoredMessage> {
    const turn = message.body.bytes ? this.#turns.next(mailbox) : undefined
    const appended = this.#append(mailbox, message, quota, turn)
    return turn ? appended.finally(turn.over) : appended
  }

  #append(mailbox: MailboxId, message: NewMessage, quota: Quota | undefined, turn: Turn | undefined): Promise<StoredMessage> {
    return this.#run(async () => {
      if (!Number.isSafeInteger(message.received)) throw new MailError('misuse', 'received: give whole milliseconds')
      const flags = [...(message.flags ?? [])]
      const account = await this.#account(mailbox)
      for (let tries = 0; ; tries++) {
        const place = await account.place(mailbox)
        if (!place) throw noMailbox()
        try {
          return await this.#appendTo(account, place, { ...message, flags }, quota, turn)
        } catch (error) {
          // Another process has given the mailbox another folder, or removed it.
          if (tries > 0 || !isMissing(error)) throw error
          account.lookAround()
        }
      }
    })
  }

  async #appendTo(
    account: Account,
    { box }: Place,
    message: NewMessage,
    quota: Quota | undefined,
    turn: Turn | undefined,
  ): Promise<StoredMessage> {
    const { received, body: { size: octets }, flags = [] } = message
    const mailbox = box.id
    let record: Uint8Array = new Uint8Array(0)
    const added = await this.#staging.with(box, message, async (stage) => {
      await turn?.before
      const { path: source, id } = stage
      record = stage.record
      const base = baseOf(this.#shared, octets, stage.crlfOctets)
      const adding = { source, base, id, received, flags, octets, bareLf: false, record }
      const adds = this.#appending.add(account, mailbox, adding, quota)
      turn?.over()
      return adds
    })
    return { ...entryOf(added), mailbox, facts: parseRecord(record) }
  }

  async *entries(mailbox: MailboxId, which: Selection = {}): AsyncGenerator<readonly Entry[], void, undefined> {
    for (let after = 0;;) {
      const page = await this.#run(async () => (await this.#view(mailbox))?.state.select(which, after, PAGE) ?? [])
      const last = page.at(-1)
      if (!last) return
      yield page.map(entryOf)
      after = last.uid
    }
  }

  async *list(mailbox: MailboxId, which: Selection = {}): AsyncGenerator<readonly StoredMessage[], void, undefined> {
    for (let after = 0;;) {
      const page = await this.#run(async () => {
        const there = await this.#view(mailbox)
        const most = there?.state.select(which, after, LIST_PAGE) ?? []
        if (!there || most.length === 0) return undefined
        const messages = most.slice(0, pageOfFacts(most.map(({ factsLength }) => factsLength)))
        after = messages.at(-1)?.uid ?? after
        return withFacts(there.place.box, there.state, messages)
      })
      if (!page) return
      if (page.length > 0) yield page
    }
  }

  changes(mailbox: MailboxId, since: number, most = 1000): Promise<Changes> {
    return this.#run(async () => {
      const there = await this.#view(mailbox)
      if (!there) throw noMailbox()
      return there.state.changes(since, most)
    })
  }

  flag(mailbox: MailboxId, uids: UidSet, change: FlagChange, unchangedSince?: number): Promise<Flagged> {
    return this.#change(mailbox, ({ box }, state) => setFlags(box, state, state.find(uids), change, unchangedSince))
  }

  expunge(mailbox: MailboxId, uids: UidSet): Promise<UidSet> {
    return this.#change(mailbox, async ({ box }, state) => {
      const found = state.find(uids)
      await removeMessages(box, state, found)
      return uidsOf(found)
    })
  }

  copy(mailbox: MailboxId, uids: UidSet, to: MailboxId, { quota }: Room = {}): Promise<readonly Copied[]> {
    return this.#run(async () => {
      const [from, target] = [await this.#account(mailbox), await this.#account(to)]
      // Both locks, always in the same order, so that nobody waits for one who waits for him.
      const [first, second] = [from, target].sort((a, b) => (a.tag < b.tag ? -1 : 1)) as [Account, Account]
      const copy = (): Promise<readonly Copied[]> => this.#again(from, mailbox, async (place, state) => {
        return copyAll(this.#shared, { place, state, uids }, { account: target, mailbox: to }, quota)
      })
      return first === second ? first.locked(copy) : first.locked(() => second.locked(copy))
    })
  }

  move(mailbox: MailboxId, uids: UidSet, to: MailboxId): Promise<readonly Copied[]> {
    return this.#change(mailbox, (place, state, account) => {
      return copyAll(this.#shared, { place, state, uids }, { account, mailbox: to }, 'move')
    })
  }

  body(id: MessageId): Promise<StoredBody | undefined> {
    return this.#run(async () => {
      const found = await this.#accounts.withMessage(id)
      return found && bodyOf(id, found, () => this.#run(() => this.#accounts.withMessage(id)))
    })
  }

  usage(account: string): Promise<Usage> {
    return this.#run(() => this.#accounts.of(account).usage())
  }

  recount(account: string): Promise<Usage> {
    return this.#run(async () => {
      const its = this.#accounts.of(account)
      its.forget()
      return its.usage()
    })
  }

  erase(account: string): Promise<void> {
    return this.#run(async () => {
      const its = this.#accounts.of(account)
      if (await this.#shared.disk.stat(its.dir)) await its.erase()
      this.#watching.tellAccount(its.tag)
    })
  }

  async *accounts(): AsyncGenerator<string, void, undefined> {
    const names = this.#accounts.names()
    for (;;) {
      const next = await this.#run(() => names.next())
      if (next.done === true) return
      const name = next.value
      if ((await this.#run(() => this.#accounts.of(name).places())).length > 0) yield name
    }
  }

  subscriptions(account: string): Promise<readonly (readonly string[])[]> {
    return this.#run(() => readSubscriptions(this.#shared.disk, this.#accounts.of(account).dir))
  }

  subscribe(account: string, path: readonly string[], wanted: boolean): Promise<void> {
    return this.#run(async () => {
      const { disk } = this.#shared
      const its = this.#accounts.of(account)
      if (!wanted && !(await disk.stat(its.dir))) return
      await its.makeFolder()
      await its.locked(async () => {
        const paths = await readSubscriptions(disk, its.dir)
        const others = paths.filter((one) => comparePaths(one, path) !== 0)
        if (wanted ? others.length === paths.length : others.length < paths.length) {
          await writeSubscriptions(disk, its.dir, wanted ? [...others, path] : others)
        }
      })
      this.#watching.tellAccount(its.tag)
    })
  }

  claim(mailbox: MailboxId): Promise<number> {
    return this.#change(mailbox, async ({ box }, state) => {
      const from = state.recentFrom
      if (from === state.uidNext) return from
      await box.write(state, [['claim', state.uidNext]], true)
      await box.settle(state)
      return from
    })
  }

  watch(told: (mailbox: MailboxId) => void): () => void {
    if (this.#closed) throw closedError()
    const end = this.#watching.add(told)
    for (const { box } of this.#accounts.known()) this.#watching.follow(box.id, box.dir)
    return end
  }

  watchAccount(account: string, told: () => void): () => void {
    if (this.#closed) throw closedError()
    const its = this.#accounts.of(account)
    const end = this.#watching.addAccount(its.tag, told)
    this.#watching.followAccount(its.tag, its.dir)
    for (const { box } of its.known) this.#watching.follow(box.id, box.dir)
    return end
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#watching.close()
    while (this.#begun.size > 0) await Promise.allSettled(this.#begun)
  }

  /** Runs something that is waited for by `close`; what goes wrong is a MailError. */
  async #run<T>(run: () => Promise<T>): Promise<T> {
    if (this.#closed) throw closedError()
    const running = run()
    this.#begun.add(running)
    try {
      return await running
    } catch (error) {
      throw storageError(error)
    } finally {
      this.#begun.delete(running)
    }
  }

  /** Runs with the lock of the account, on a mailbox that was looked at. */
  #change<T>(mailbox: MailboxId, run: (place: Place, state: State, account: Account) => Promise<T>): Promise<T> {
    return this.#run(async () => {
      const account = await this.#account(mailbox)
      return account.locked(() => this.#again(account, mailbox, run))
    })
  }

  /** Once more, after another look, where another program was quicker to rename or remove a file. */
  async #again<T>(
    account: Account,
    mailbox: MailboxId,
    run: (place: Place, state: State, account: Account) => Promise<T>,
  ): Promise<T> {
    for (let tries = 0; ; tries++) {
      const { place, state } = await account.lookOf(mailbox, tries > 0)
      try {
        return await run(place, state, account)
      } catch (error) {
        if (tries === 3 || !isMissing(error)) throw error
      }
    }
  }

  async #account(mailbox: MailboxId): Promise<Account> {
    const account = await this.#accounts.withMailbox(mailbox)
    if (!account) throw noMailbox()
    return account
  }

  async #view(mailbox: MailboxId): Promise<{ readonly place: Place; readonly state: State } | undefined> {
    const there = await (await this.#accounts.withMailbox(mailbox))?.viewOf(mailbox)
    if (there) this.#watching.follow(mailbox, there.place.box.dir)
    return there
  }

  #mailbox(account: Account, { path, use, box }: Place, state: State): Mailbox {
    this.#watching.follow(box.id, box.dir)
    const { uidValidity, uidNext, modSeq, messages, unseen, deleted, octets, recentFrom } = state
    const numbers = { uidValidity, uidNext, modSeq, messages: messages.length, unseen, deleted, octets, recentFrom }
    return { id: box.id, account: account.name, path: [...path], ...numbers, ...(use !== undefined && { use }) }
  }
}

function closedError(): MailError {
  return new MailError('closed', 'The store was closed')
}
