import { turn } from '../../adapters/node/event-loop.ts'
import { readRange } from '../../contracts/read-body.ts'
import type { BodyStore } from '../../contracts/bodies.ts'
import type { Mailbox, MailboxId, SpecialUse } from '../../contracts/mailbox.ts'
import type { MailStore } from '../../contracts/store.ts'
import type { Conversation, Host } from '../../protocol/session/drive.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { AbandonedEvent, BodyRange } from '../../protocol/session/session.ts'
import type {
  AnnotateQuestion, AnnotationsQuestion, AppendQuestion, BodyEvent, CandidatesQuestion, ChangesQuestion, ClaimQuestion,
  ColumnsPage, ColumnsQuestion, CopyQuestion, CreateQuestion, EntriesQuestion, ExpungeQuestion, FlagQuestion, ImapServerEvent,
  ImapServerSession, MailboxQuestion, MessagesQuestion, OctetsQuestion, Opened, OpenQuestion, Refusal, RemoveQuestion,
  RenameQuestion, ReplaceQuestion, SubscribeQuestion, UnselectedEvent, WatchEvent,
} from '../../protocol/imap/index.ts'
import type { LiveConnection } from '../connection.ts'
import { Reader, type ReaderAccess, type ReaderCodes } from '../reader.ts'
import type { Annotations } from './annotations.ts'
import { firstPage, refusalFor, selection } from './answers.ts'
import type { Filing } from './filing.ts'
import type { JointLooks } from './joint-looks.ts'
import type { KeptColumns } from './kept-columns.ts'
import type { Keywords } from './keywords.ts'
import type { Openings } from './open.ts'
import { Uploads } from './uploads.ts'
import type { Watcher, Watchers } from './watchers.ts'
import type { Who } from './who.ts'

/** What all connections of one server share. */
export interface Access extends ReaderAccess {
  readonly store: MailStore
  readonly bodies: BodyStore
  /** Octets of a message from which on it goes to `bodies` while it comes in. */
  readonly spillAt: number
  readonly watchers: Watchers
  readonly looks: JointLooks
  readonly openings: Openings
  readonly columns: KeptColumns
  readonly keywords: Keywords
  /** What clients note of mailboxes, where that is kept. */
  readonly annotations: Annotations | undefined
  readonly filing: Filing
  /** What clients are told of the server by ID. */
  readonly name: ReadonlyMap<string, string>
}

/** Milliseconds that a command may go on before others have their turn. */
const TURN = 10

const noLonger: Refusal = { code: 'UNAVAILABLE', refused: 'The account is not served any more' }

/** Octets that a store is asked for at once. */
const MOST_AT_HAND = 1024 * 1024

/** Octets that are sent in one go. */
const SLICE = 256 * 1024

const codes: ReaderCodes = { wrong: 'AUTHENTICATIONFAILED', temporary: 'UNAVAILABLE', limit: 'LIMIT', door: 'BYE', no: 'NO' }

/** Answers what an IMAP session asks, out of a store and a directory. One for each connection. */
export class ImapHost extends Reader<Access> implements Host<ImapServerEvent>, Watcher {
  /** Made for the first message that comes in. */
  private made: Uploads | undefined
  private session: ImapServerSession | undefined
  private conversation: Conversation | undefined
  private selected: MailboxId | undefined
  /** When others had their turn last, in ticks. */
  private turnBegan = -Infinity

  constructor(access: Access, connection: LiveConnection) {
    super(access, connection, codes)
  }

  /** What it answers, and what drives that. */
  attach(session: ImapServerSession, conversation: Conversation): void {
    this.session = session
    this.conversation = conversation
  }

  /** A hint of the store's. */
  changed(mailbox: MailboxId): void {
    this.session?.changed(mailbox)
    this.conversation?.touch()
  }

  changedAnywhere(): void {
    this.session?.changedAnywhere(this.access.clock.ticks())
    this.conversation?.touch()
  }

  noted(mailbox: MailboxId | undefined, entries: readonly string[]): void {
    this.session?.noted(this.access.clock.ticks(), mailbox, entries)
    this.conversation?.touch()
  }

  watch({ wanted }: WatchEvent): void {
    this.access.watchers[wanted ? 'addAccount' : 'removeAccount'](this.owner, this)
  }

  unauthenticated(): void {
    const { access, connection } = this
    access.watchers.removeAccount(this.owner, this)
    this.account = connection.account = undefined
    access.seats.leave(connection)
    // Its address has as many connections meanwhile as it may have without logging in.
    if (this.takeSeat()) this.conversation?.reset()
  }

  id(): ReadonlyMap<string, string> {
    return this.access.name
  }

  mailboxes(): Promise<{ mailboxes: readonly Mailbox[]; subscribed: readonly (readonly string[])[] } | Refusal> {
    const { store } = this.access
    return this.asked(async () => {
      const [mailboxes, subscribed] = await Promise.all([store.mailboxes(this.owner), store.subscriptions?.(this.owner)])
      // Where subscriptions are not kept everything is subscribed to.
      return { mailboxes, subscribed: subscribed ?? mailboxes.map(({ path }) => path) }
    })
  }

  mailbox({ path }: MailboxQuestion): Promise<Mailbox | null | Refusal> {
    const { store } = this.access
    return this.asked(async () => {
      if (store.mailbox) return (await store.mailbox(this.owner, path)) ?? null
      const name = JSON.stringify(path)
      const all = await store.mailboxes(this.owner)
      return all.find((mailbox) => JSON.stringify(mailbox.path) === name) ?? null
    })
  }

  create({ path, use }: CreateQuestion): Promise<Mailbox | Refusal> {
    return this.asked(() => this.access.store.create(this.owner, path, use as SpecialUse | undefined))
  }

  rename({ mailbox, path }: RenameQuestion): Promise<true | Refusal> {
    return this.asked(() => this.access.store.rename(mailbox, path).then(() => true as const))
  }

  remove({ mailbox }: RemoveQuestion): Promise<true | Refusal> {
    const { store, annotations } = this.access
    return this.asked(async () => {
      await store.remove(mailbox)
      await annotations?.forget(this.owner, mailbox)
      return true as const
    })
  }

  subscribe({ path, wanted }: SubscribeQuestion): Promise<true | Refusal> {
    const { store } = this.access
    if (!store.subscribe) return Promise.resolve({ code: 'CANNOT', refused: 'Subscriptions are not kept here' })
    return this.asked(() => store.subscribe!(this.owner, path, wanted).then(() => true as const))
  }

  async open({ mailbox, readOnly }: OpenQuestion): Promise<Opened | Refusal> {
    const { keywords, openings, watchers } = this.access
    // One whose answer came too late.
    if (this.selected !== undefined) watchers.remove(this.selected, this)
    this.selected = mailbox
    // Before it is looked at: what happens meanwhile must not be missed.
    watchers.add(mailbox, this)
    const opened = await this.asked(() => openings.open(this.owner, mailbox, readOnly))
    if ('refused' in opened) this.unselected({ kind: 'unselected', mailbox })
    else keywords.looked(opened)
    return opened
  }

  claim({ mailbox }: ClaimQuestion): Promise<number | null | Refusal> {
    return this.asked(() => this.access.looks.claim(mailbox))
  }

  unselected(event: UnselectedEvent): void {
    this.access.watchers.remove(event.mailbox, this)
    this.selected = undefined
  }

  entries({ mailbox, uids, since }: EntriesQuestion) {
    return this.asked(() => firstPage(this.access.store.entries(mailbox, selection(uids, since))))
  }

  messages({ mailbox, uids, since }: MessagesQuestion) {
    return this.asked(() => firstPage(this.access.store.list(mailbox, selection(uids, since))))
  }

  columns(question: ColumnsQuestion): Promise<ColumnsPage | null | Refusal> {
    return this.asked(() => this.access.columns.columns(question))
  }

  octets({ ranges }: OctetsQuestion): Promise<readonly (Uint8Array | null)[] | Refusal> {
    return this.asked(async () => {
      const known = await this.atHand(ranges)
      return Promise.all(ranges.map((range, at) => known[at] ?? this.gathered(range)))
    })
  }

  changes({ mailbox, since }: ChangesQuestion) {
    const { keywords, looks } = this.access
    return this.asked(async () => {
      const changes = await looks.changes(mailbox, since)
      keywords.heard(mailbox, since, changes)
      return changes
    })
  }

  flag({ mailbox, uids, change, flags, unchangedSince }: FlagQuestion) {
    return this.asked(async () => {
      const { filing, keywords } = this.access
      const spelt = change === 'remove' ? flags : await keywords.admit(this.owner, mailbox, flags)
      return filing.flag(this.who, mailbox, uids, { kind: change, flags: spelt }, unchangedSince)
    })
  }

  expunge({ mailbox, uids }: ExpungeQuestion) {
    return this.asked(() => this.access.store.expunge(mailbox, uids))
  }

  copy({ mailbox, uids, to, move }: CopyQuestion) {
    const { filing, keywords } = this.access
    return this.asked(async () => {
      await keywords.admitCopies(this.owner, mailbox, uids, to)
      return filing[move ? 'move' : 'copy'](this.who, mailbox, uids, to)
    })
  }

  upload(): void {
    this.uploads.begin()
  }

  body({ bytes }: BodyEvent): void | Promise<void> {
    return this.uploads.write(bytes)
  }

  append({ mailbox, messages }: AppendQuestion): Promise<{ readonly uids: readonly number[] } | Refusal> {
    const { clock, filing, keywords } = this.access
    return this.asked(async () => {
      const spelt = await keywords.admitAll(this.owner, mailbox, messages)
      const stored = await this.uploads.appended(spelt, clock.now(), (all) => filing.append(this.who, mailbox, all))
      return { uids: stored.map(({ uid }) => uid) }
    })
  }

  replace({ mailbox, uid, to, message }: ReplaceQuestion): Promise<{ readonly uid: number } | null | Refusal> {
    const { clock, filing, keywords } = this.access
    return this.asked(async () => {
      const spelt = await keywords.admitAll(this.owner, to, [message])
      const stored = await this.uploads.appended(spelt, clock.now(), ([by]) => filing.replace(this.who, mailbox, uid, to, by!))
      return stored ? { uid: stored.uid } : null
    })
  }

  candidates({ mailbox, words, where }: CandidatesQuestion) {
    return this.asked(async () => (await this.access.store.search?.(mailbox, words, where)) ?? null)
  }

  clock(): number {
    return this.access.clock.now()
  }

  quota() {
    return this.asked(async () => {
      const { quota: limit } = this.account!
      // Clients are told nothing of what has no bound, and an APPEND asks each time.
      if (limit.octets === Infinity && limit.messages === Infinity) return null
      return { used: await this.access.store.usage(this.owner), limit }
    })
  }

  annotations({ mailbox }: AnnotationsQuestion): Promise<ReadonlyMap<string, string> | Refusal> {
    return this.asked(() => this.access.annotations!.read(this.owner, mailbox))
  }

  annotate({ mailbox, changes }: AnnotateQuestion): Promise<true | Refusal> {
    const { annotations, watchers } = this.access
    return this.asked(async () => {
      const written = await annotations!.write(this.owner, mailbox, changes)
      if (written === true) watchers.noted(this.owner, mailbox, changes.map(([entry]) => entry), this)
      return written
    })
  }

  /** Both sides compress from here on. */
  compress(): void {
    this.access.observe?.({ kind: 'compressed', ...this.whence(), mechanism: 'DEFLATE' })
  }

  override async abandoned(event: AbandonedEvent): Promise<void> {
    void super.abandoned(event)
    await this.made?.discard()
  }

  /** The octets of ranges that are few and that the store has at hand. */
  async atHand(ranges: readonly BodyRange[]): Promise<readonly (Uint8Array | undefined)[]> {
    const { store } = this.access
    let octets = 0
    for (const { start, end } of ranges) octets += end - start
    if (!store.octets || octets > MOST_AT_HAND) return []
    if (this.isLong) await this.rest()
    return store.octets(ranges)
  }

  /** The octets of a range, for the driver. */
  async read({ message, start, end }: BodyRange): Promise<AsyncIterable<Uint8Array>> {
    if (this.isLong) await this.rest()
    const body = await this.access.store.body(message)
    if (!body) throw new MailError('permanent', `Message ${message} is gone`)
    return this.paced(body.read({ start, end }))
  }

  /** However much a store has at hand, others have their turns while it is compressed, encrypted and sent (I65). */
  private async *paced(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += SLICE) {
        if (this.isLong) await this.rest()
        yield chunk.subarray(at, at + SLICE)
      }
    }
  }

  override async left(error: Error | undefined): Promise<void> {
    if (this.selected !== undefined) this.access.watchers.remove(this.selected, this)
    if (this.account) this.access.watchers.removeAccount(this.account.id, this)
    await super.left(error)
    await this.made?.discard()
  }

  private get uploads(): Uploads {
    this.made ??= new Uploads(this.access.spillAt, this.access.bodies)
    return this.made
  }

  private get owner(): string {
    return this.account!.id
  }

  private get who(): Who {
    return { account: this.account!, connection: this.connection }
  }

  private async gathered({ message, start, end }: BodyRange): Promise<Uint8Array | null> {
    const body = await this.access.store.body(message)
    return body ? readRange(body, { start: start, end: end }) : null
  }

  /** A store that answers at once would let a long command go on for as long as it likes (I65). */
  private get isLong(): boolean {
    return this.access.clock.ticks() - this.turnBegan > TURN
  }

  /** Lets others have their turn. */
  private async rest(): Promise<void> {
    await turn()
    this.turnBegan = this.access.clock.ticks()
    const looking = this.lookAgain(this.turnBegan)
    if (looking) await looking
    if (this.isDismissed) this.session?.dismiss(this.turnBegan, noLonger.refused)
  }

  /** The answer of the store, or what the client is told of its error. */
  private async asked<Value>(ask: () => Promise<Value>): Promise<Value | Refusal> {
    if (this.isLong) await this.rest()
    if (this.isDismissed) return noLonger
    try {
      return await ask()
    } catch (error) {
      const refusal = refusalFor(error)
      if (refusal.code === 'UNAVAILABLE') this.access.observe?.({ kind: 'failed', ...this.whence(), what: 'store', error })
      return refusal
    }
  }
}
