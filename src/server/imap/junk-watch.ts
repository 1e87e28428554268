import type { JunkMarks, LearnJunk } from '../../contracts/junk.ts'
import type { Mailbox, MailboxId, SpecialUse, UidSet } from '../../contracts/mailbox.ts'
import { isAtOrBelow } from '../../contracts/mailbox-path.ts'
import type { Copied, Entry, FlagChange, Flagged, MailStore } from '../../contracts/store.ts'
import type { Observer } from '../../observe/events.ts'
import { setOfAscending } from '../../protocol/bytes/number-set.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { whence } from '../whence.ts'
import type { Who } from './who.ts'

/** Mailboxes of which is remembered what they are for, and the milliseconds for which that is believed. */
const MOST_KNOWN = 10_000
const BELIEVED = 60_000
/** Marks that wait to be learnt from. */
const MOST_WAITING = 1000

/** What a mailbox is for, as far as it matters here; one that is below another is for the same. */
type Purpose = 'junk' | 'trash' | 'mail'

/** The keywords of RFC 9051 §2.3.2, as bits. */
const JUNK = 1
const NOT_JUNK = 2

/** Which of the messages that are named bore keywords of these, by UID, before anything was changed. */
export type Before = ReadonlyMap<number, number>

/** Sees what people mark as junk and as not junk, tells it, and has it learnt from. Never rejects: what fails is told. */
export class JunkWatch {
  private readonly store: MailStore
  private readonly clock: Clock
  private readonly observe: Observer | undefined
  private readonly learn: LearnJunk | undefined
  private readonly known = new Map<MailboxId, { readonly purpose: Purpose; readonly asked: number }>()
  private learning: Promise<void> = Promise.resolve()
  private waiting = 0

  constructor(store: MailStore, clock: Clock, observe: Observer | undefined, learn: LearnJunk | undefined) {
    this.store = store
    this.clock = clock
    this.observe = observe
    this.learn = learn
  }

  /** Messages have been copied or moved. */
  copied(who: Who, from: MailboxId, to: MailboxId, copied: readonly Copied[]): Promise<void> {
    return this.trying(async () => {
      if (copied.length === 0 || from === to) return
      const as = marksOf(...(await this.purposesOf(who, from, to)))
      if (as) await this.marked(who, as, to, setOfAscending(copied.map((one) => one.to)))
    })
  }

  /** Messages have come from the client, in the place of one of `from` or of none. */
  appended(who: Who, mailbox: MailboxId, stored: readonly Entry[], from?: MailboxId): Promise<void> {
    return this.trying(async () => {
      const [before, now] = await this.purposesOf(who, from ?? mailbox, mailbox)
      const as = marksOf(from === undefined ? 'mail' : before, now)
      if (as) this.tell(who, as, mailbox, stored)
      else this.tell(who, 'junk', mailbox, stored.filter(({ flags }) => bitsOf(flags) === JUNK))
    })
  }

  /** What flags are about to be changed, if the change may mark anything. */
  before(mailbox: MailboxId, uids: UidSet, { kind, flags }: FlagChange): Promise<Before | undefined> {
    return this.trying(async () => {
      // What is replaced goes without being named.
      if (kind !== 'replace' && bitsOf(flags) === 0) return undefined
      const before = new Map<number, number>()
      for await (const page of this.store.entries(mailbox, { uids })) {
        for (const { uid, flags: borne } of page) {
          const bits = bitsOf(borne)
          if (bits !== 0) before.set(uid, bits)
        }
      }
      return before
    })
  }

  /** Flags have been changed. */
  flagged(who: Who, mailbox: MailboxId, before: Before, changed: Flagged['changed']): Promise<void> {
    return this.trying(async () => {
      const uids: Record<JunkMarks['as'], number[]> = { junk: [], notJunk: [] }
      for (const { uid, flags } of changed) {
        const as = marksOfFlags(before.get(uid) ?? 0, bitsOf(flags))
        if (as) uids[as].push(uid)
      }
      for (const as of ['junk', 'notJunk'] as const) {
        if (uids[as].length > 0) await this.marked(who, as, mailbox, setOfAscending(uids[as]))
      }
    })
  }

  private async marked(who: Who, as: JunkMarks['as'], mailbox: MailboxId, uids: UidSet): Promise<void> {
    for await (const page of this.store.entries(mailbox, { uids })) this.tell(who, as, mailbox, page)
  }

  private tell({ account, connection }: Who, as: JunkMarks['as'], mailbox: MailboxId, entries: readonly Entry[]): void {
    if (entries.length === 0) return
    const uids = setOfAscending(entries.map(({ uid }) => uid))
    const marks: JunkMarks = { as, account: account.id, mailbox, uids, messages: entries.map(({ id }) => id) }
    this.observe?.({ kind: 'marked', ...whence(connection, this.clock.now()), ...marks })
    if (this.learn) this.teach(this.learn, marks)
  }

  /** One after the other: who moves a thousand messages is not to start a thousand programs. */
  private teach(learn: LearnJunk, marks: JunkMarks): void {
    if (this.waiting >= MOST_WAITING) {
      this.failed(new MailError('temporary', 'Too much waits to be learnt from; these marks are passed over.'))
      return
    }
    this.waiting++
    const learnt = this.learning.then(() => learn(marks)).catch((error: unknown) => this.failed(error))
    this.learning = learnt.then(() => void this.waiting--)
  }

  private async purposesOf({ account }: Who, one: MailboxId, other: MailboxId): Promise<[one: Purpose, other: Purpose]> {
    const [first, second] = [this.believed(one), this.believed(other)]
    if (first && second) return [first, second]
    const all = await this.store.mailboxes(account.id)
    return [this.remember(one, all), this.remember(other, all)]
  }

  private believed(mailbox: MailboxId): Purpose | undefined {
    const known = this.known.get(mailbox)
    return known && this.clock.ticks() - known.asked < BELIEVED ? known.purpose : undefined
  }

  private remember(mailbox: MailboxId, all: readonly Mailbox[]): Purpose {
    const purpose = purposeAmong(all, mailbox)
    // The oldest goes.
    this.known.delete(mailbox)
    if (this.known.size >= MOST_KNOWN) this.known.delete(this.known.keys().next().value!)
    this.known.set(mailbox, { purpose, asked: this.clock.ticks() })
    return purpose
  }

  private async trying<Value>(look: () => Promise<Value>): Promise<Value | undefined> {
    try {
      return await look()
    } catch (error) {
      this.failed(error)
      return undefined
    }
  }

  private failed(error: unknown): void {
    this.observe?.({ kind: 'failed', at: this.clock.now(), what: 'learn', error })
  }
}

/** What it means that messages have come from one mailbox into another. What is thrown away is not said to be wanted. */
function marksOf(from: Purpose, to: Purpose): JunkMarks['as'] | undefined {
  if (to === 'junk') return from === 'junk' ? undefined : 'junk'
  return from === 'junk' && to === 'mail' ? 'notJunk' : undefined
}

/** What it means that keywords have changed. The latest counts; who gives both says nothing (RFC 9051 §2.3.2). */
function marksOfFlags(was: number, is: number): JunkMarks['as'] | undefined {
  const added = is & ~was
  if (added === JUNK) return 'junk'
  return added === NOT_JUNK || (was === JUNK && is === 0) ? 'notJunk' : undefined
}

function bitsOf(flags: readonly string[]): number {
  let bits = 0
  for (const flag of flags) {
    // Most flags are none of these, and this is looked at for each message.
    if (flag.charCodeAt(0) !== 36) continue
    const keyword = flag.toLowerCase()
    if (keyword === '$junk') bits |= JUNK
    else if (keyword === '$notjunk') bits |= NOT_JUNK
  }
  return bits
}

function purposeAmong(mailboxes: readonly Mailbox[], id: MailboxId): Purpose {
  const path = mailboxes.find((one) => one.id === id)?.path
  const isIn = (use: SpecialUse): boolean =>
    path !== undefined && mailboxes.some((one) => one.use === use && isAtOrBelow(path, one.path))
  return isIn('\\Junk') ? 'junk' : isIn('\\Trash') ? 'trash' : 'mail'
}
