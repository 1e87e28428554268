import type { MailboxId, Quota, UidSet } from '../../contracts/mailbox.ts'
import type { Append, Copied, FlagChange, Flagged, MailStore, NewMessage, StoredMessage } from '../../contracts/store.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Added, QuotaWatch } from '../quota-watch.ts'
import type { JunkWatch } from './junk-watch.ts'
import type { Who } from './who.ts'

/** A message has taken the place of another. */
const changed: Added = { messages: 0, octets: undefined }

/** Puts messages where people want them and gives them flags; what follows from that for others is told. */
export class Filing {
  private readonly store: MailStore
  /** Of accounts that come near their quota, where anybody hears them. */
  private readonly warnings: QuotaWatch | undefined
  /** Of what people mark as junk, where anybody wants to know. */
  private readonly junk: JunkWatch | undefined

  constructor(store: MailStore, warnings: QuotaWatch | undefined, junk: JunkWatch | undefined) {
    this.store = store
    this.warnings = warnings
    this.junk = junk
  }

  /** Adds messages to a mailbox, all or none. */
  async append(who: Who, mailbox: MailboxId, messages: readonly NewMessage[]): Promise<readonly StoredMessage[]> {
    const { store, junk } = this
    const room = roomOf(who)
    const appends: Append[] = messages.map((message) => ({ mailbox, message, ...room }))
    const stored = await this.adding(who, async () => {
      if (appends.length > 1 && store.appendAll) return store.appendAll(appends)
      return [await store.append(mailbox, messages[0]!, room)]
    }, (all) => ({ messages: all.length, octets: all.reduce((sum, one) => sum + one.octets + store.traits.overhead, 0) }))
    await junk?.appended(who, mailbox, stored)
    return stored
  }

  /** Puts a message, which goes to a mailbox, in the place of another; nothing where that is gone. */
  async replace(
    who: Who,
    mailbox: MailboxId,
    uid: number,
    to: MailboxId,
    message: NewMessage,
  ): Promise<StoredMessage | undefined> {
    const by: Append = { mailbox: to, message, ...roomOf(who) }
    const stored = await this.adding(who, () => this.store.replace!(mailbox, uid, by), () => changed)
    if (stored) await this.junk?.appended(who, to, [stored], mailbox)
    return stored
  }

  /** Copies messages. */
  async copy(who: Who, mailbox: MailboxId, uids: UidSet, to: MailboxId): Promise<readonly Copied[]> {
    const count = (all: readonly Copied[]): Added => ({ messages: all.length, octets: undefined })
    const copied = await this.adding(who, () => this.store.copy(mailbox, uids, to, roomOf(who)), count)
    await this.junk?.copied(who, mailbox, to, copied)
    return copied
  }

  /** Moves messages. */
  async move(who: Who, mailbox: MailboxId, uids: UidSet, to: MailboxId): Promise<readonly Copied[]> {
    const { store, junk } = this
    if (!store.move) throw new MailError('misuse', 'The store has no move()')
    const moved = await store.move(mailbox, uids, to)
    await junk?.copied(who, mailbox, to, moved)
    return moved
  }

  /** Changes flags. */
  async flag(
    who: Who,
    mailbox: MailboxId,
    uids: UidSet,
    change: FlagChange,
    unchangedSince: number | undefined,
  ): Promise<Flagged> {
    const { store, junk } = this
    const before = await junk?.before(mailbox, uids, change)
    const flagged = await store.flag(mailbox, uids, change, unchangedSince)
    if (before) await junk?.flagged(who, mailbox, before, flagged.changed)
    return flagged
  }

  /** Does what adds to the account; where that comes near the quota, it is told. */
  private async adding<Value>({ account }: Who, add: () => Promise<Value>, added: (value: Value) => Added): Promise<Value> {
    const { warnings } = this
    await warnings?.look(account)
    const value = await add()
    void warnings?.added(account, added(value))
    return value
  }
}

/** How much the account may hold. */
function roomOf({ account }: Who): { readonly quota: Quota } {
  return { quota: account.quota }
}
