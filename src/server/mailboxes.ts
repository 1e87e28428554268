import { roomFor } from '../accounts/quota.ts'
import type { Account, Directory } from '../contracts/directory.ts'
import type { Mailbox, MailboxId } from '../contracts/mailbox.ts'
import type { Verdict } from '../contracts/policy.ts'
import type { Append, MailStore, NewMessage, StoredMessage } from '../contracts/store.ts'
import { mailboxReplies } from '../inbound/mailbox-replies.ts'
import type { Observer } from '../observe/events.ts'
import type { Clock } from '../protocol/session/clock.ts'
import { isMailError, MailError } from '../protocol/session/errors.ts'
import { filedMailbox, type Filed } from './filed-mailbox.ts'
import { hasQuota, QuotaWatch } from './quota-watch.ts'

/** Milliseconds for which it is believed where an account's mailboxes are: whoever renames one may still get mail in it. */
const BELIEVED = 1000
/** Accounts of which that is remembered. */
const MOST_KNOWN = 10_000

/** What became of a message: its entry in the first of the mailboxes, or why it is in none of them. */
export type Outcome = { readonly stored: StoredMessage } | { readonly refusal: Verdict }

/** Which mailbox mail goes to: the inbox, where it is set apart, or where somebody's filter says. */
export type Place = 'inbox' | 'junk' | Filed

/** A message for an account. */
export interface Copy {
  readonly account: Account
  readonly place: Place
  readonly message: NewMessage
}

/** The mailboxes of accounts as mail is delivered to them. */
export class Mailboxes {
  private readonly store: MailStore
  private readonly clock: Clock
  private readonly observe: Observer
  private readonly warnings: QuotaWatch
  private readonly directory: Pick<Directory, 'account'> | undefined
  private readonly known = new Map<string, { readonly id: MailboxId; readonly at: number }>()

  /** `directory`: without it, whoever was an account once is one for ever. `warnings`: those of all who add to the accounts. */
  constructor(
    store: MailStore,
    clock: Clock,
    observe: Observer,
    directory?: Pick<Directory, 'account'>,
    warnings = new QuotaWatch(store, clock, observe),
  ) {
    this.store = store
    this.directory = directory
    this.clock = clock
    this.observe = observe
    this.warnings = warnings
  }

  /**
   * Why a message of so many octets (`undefined`: not known yet) cannot be stored for these accounts, or nothing. A forecast:
   * `deliver` decides.
   */
  async refusal(accounts: readonly Account[], octets: number | undefined): Promise<Verdict | undefined> {
    // RFC 3463 X.2.3: whom it is too large for now it will be too large for later.
    const isTooLarge = accounts.some(({ messageOctets = Infinity }) => (octets ?? 0) > messageOctets)
    if (isTooLarge) return mailboxReplies.tooLarge
    const room = await Promise.all(accounts.map((account) => this.room(account, octets)))
    if (room.includes('never')) return mailboxReplies.tooLarge
    if (!room.includes('no')) return undefined
    return room.includes('yes') ? mailboxReplies.someFull : mailboxReplies.full
  }

  /**
   * Puts a message into a mailbox of each account, or of none of them where the store can do that. `signal`: nobody waits for it
   * any more, and whoever has sent it comes again. Never rejects.
   */
  deliver(accounts: readonly Account[], message: NewMessage, place: Place, signal?: AbortSignal): Promise<Outcome> {
    return this.deliverAll(accounts.map((account) => ({ account, place, message })), signal)
  }

  /** The same with a message, and a place, for each; an account may get several, of which one goes to one mailbox. */
  async deliverAll(copies: readonly Copy[], signal?: AbortSignal): Promise<Outcome> {
    try {
      const stored = await this.put(copies, signal).catch((error: unknown) => {
        this.forget(copies)
        // A mailbox may be gone that was there a moment ago: that is no reason to give mail back.
        if (isMailError(error) && error.code === 'permanent') return this.put(copies, signal)
        throw error
      })
      return { stored: stored[0]! }
    } catch (error) {
      return { refusal: await this.explained(error, copies) }
    }
  }

  /** All mailboxes of an account. */
  mailboxes({ id }: Account): Promise<readonly Mailbox[]> {
    return this.store.mailboxes(id)
  }

  private async put(copies: readonly Copy[], signal: AbortSignal | undefined): Promise<readonly StoredMessage[]> {
    const all = await Promise.all(copies.map((copy) => this.appendFor(copy)))
    const pairs = all.map((append, at) => ({ append, account: copies[at]!.account }))
    const once = pairs.length === 1 ? pairs : onceInEach(pairs)
    if (signal?.aborted) throw new MailError('temporary', 'Nobody waits for the answer any more: the message comes again')
    const stored = await this.append(once.map(({ append }) => append))
    for (const { append: { message }, account } of once) {
      void this.warnings.added(account, { messages: 1, octets: message.body.size + this.store.traits.overhead })
    }
    return stored
  }

  private forget(copies: readonly Copy[]): void {
    for (const { account, place } of copies) this.known.delete(keyOf(account.id, place))
  }

  private async room(account: Account, octets: number | undefined): Promise<'yes' | 'no' | 'never'> {
    const { overhead } = this.store.traits
    if (!hasQuota(account) || this.warnings.hasRoom(account, (octets ?? 0) + overhead)) return 'yes'
    const usage = await this.store.usage(account.id)
    this.warnings.looked(account, usage)
    return roomFor(usage, account.quota, octets, overhead)
  }

  private async appendFor({ account, message, place }: Copy): Promise<Append> {
    const mailbox = await this.mailboxOf(account.id, place)
    return hasQuota(account) ? { mailbox, message, quota: account.quota } : { mailbox, message }
  }

  private async append(appends: readonly Append[]): Promise<readonly StoredMessage[]> {
    const { store } = this
    if (appends.length > 1 && store.appendAll) return store.appendAll(appends)
    const each = appends.map(({ mailbox, message, quota }) => store.append(mailbox, message, quota ? { quota } : {}))
    // All have to settle: what has failed for one may go on for another.
    const settled = await Promise.allSettled(each)
    return settled.map((one) => {
      // Whoever has it already gets it twice, once the client has come again: better than not at all (RFC 5321 §6.1).
      if (one.status === 'rejected') throw one.reason
      return one.value
    })
  }

  /** Why a message was not stored, as the client hears it. */
  private async explained(error: unknown, copies: readonly Copy[]): Promise<Verdict> {
    const code = isMailError(error) ? error.code : undefined
    const accounts = [...new Map(copies.map(({ account }) => [account.id, account])).values()]
    if (code === 'quota') {
      if (accounts.length === 1) return mailboxReplies.full
      const refusal = await this.refusal(accounts, copies[0]!.message.body.size).catch(() => undefined)
      return refusal ?? mailboxReplies.someFull
    }
    const what = `deliver to ${accounts.map(({ id }) => id).join(', ')}`
    this.observe({ kind: 'failed', at: this.clock.now(), what, error })
    return code === 'permanent' ? mailboxReplies.notStored : mailboxReplies.fault
  }

  private async mailboxOf(account: string, place: Place): Promise<MailboxId> {
    const key = keyOf(account, place)
    const now = this.clock.ticks()
    const known = this.known.get(key)
    if (known && now - known.at < BELIEVED) return known.id
    const { id } = await this.found(account, place)
    if (this.known.size >= MOST_KNOWN) this.known.clear()
    this.known.set(key, { id, at: now })
    return id
  }

  private async found(account: string, place: Place): Promise<{ readonly id: MailboxId }> {
    if (typeof place === 'object') return this.filed(account, place)
    const inbox = place === 'inbox' ? await this.store.mailbox?.(account, ['INBOX']) : undefined
    if (inbox) return inbox
    const mailboxes = await this.store.mailboxes(account)
    const mailbox = mailboxes.find(({ path, use }) =>
      place === 'junk' ? use === '\\Junk' : path.length === 1 && path[0] === 'INBOX',
    )
    if (mailbox) return mailbox
    if (mailboxes.length === 0) await this.mustBeThere(account)
    return place === 'junk' ? this.store.create(account, ['Spam'], '\\Junk') : this.store.create(account, ['INBOX'])
  }

  /** Where somebody's filter says; the inbox where that cannot be: what a filter got wrong must not cost the message. */
  private async filed(account: string, place: Filed): Promise<{ readonly id: MailboxId }> {
    const mailboxes = await this.store.mailboxes(account)
    if (mailboxes.length === 0) await this.mustBeThere(account)
    try {
      const found = await filedMailbox(this.store, account, mailboxes, place)
      if (found) return found
    } catch (error) {
      this.observe({ kind: 'failed', at: this.clock.now(), what: `file into ${place.path.join('/')} of ${account}`, error })
    }
    return { id: await this.mailboxOf(account, 'inbox') }
  }

  /**
   * Whoever was removed while a message for him was on its way has no mail any more, and whoever gets the name next is not to
   * find any. The client comes again, and hears at RCPT what there is to hear.
   */
  private async mustBeThere(id: string): Promise<void> {
    if (this.directory === undefined) return
    const account = await this.directory.account(id)
    if (account === undefined || account.disabled) throw new MailError('temporary', `The account ${id} is no longer there`)
  }
}

function keyOf(account: string, place: Place): string {
  if (typeof place === 'string') return `${place} ${account}`
  return `filed ${JSON.stringify([place.path, place.use, place.create])} ${account}`
}

/** RFC 5228 §2.10.3: whatever brings a message to a mailbox, there it is once. */
function onceInEach<Pair extends { readonly append: Append }>(pairs: readonly Pair[]): readonly Pair[] {
  const taken = new Set<MailboxId>()
  return pairs.filter(({ append: { mailbox } }) => !taken.has(mailbox) && taken.add(mailbox))
}
