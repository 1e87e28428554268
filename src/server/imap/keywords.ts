import type { MailboxId, UidSet } from '../../contracts/mailbox.ts'
import type { Changes, MailStore } from '../../contracts/store.ts'
import type { Opened, Upload } from '../../protocol/imap/index.ts'
import { Refused } from '../../protocol/session/refusal.ts'
import type { Openings } from './open.ts'

/** Keywords that are remembered, of all mailboxes together. */
const MOST_REMEMBERED = 100_000

/** Milliseconds after which a mailbox that was full is looked through again: some may be borne by nobody any more. */
const AGAIN = 60_000

/** What has been seen in a mailbox: all that its messages bear, and what they bore. */
interface Seen {
  readonly mailbox: MailboxId
  /** All that happened up to there has been looked at. */
  modSeq: number
  /** As they are spelt: stores tell spellings from each other. */
  readonly spelt: Set<string>
  /** The first spelling of each, by what it is in lower case. */
  readonly spellings: Map<string, string>
  /** It bears more than it may, which others than clients have brought there: those that came first are remembered. */
  isOver: boolean
  /** When the mailbox was looked through, in ticks. */
  readonly at: number
}

/**
 * How many keywords a mailbox comes to, whatever brings them there. A mailbox is looked through once; after that what has changed
 * is looked at, as far as sessions have not come upon it anyway, and only when a keyword comes that was not seen before. What is
 * remembered is never less than what is there.
 */
export class Keywords {
  private readonly store: MailStore
  private readonly openings: Openings
  private readonly most: number
  private readonly ticks: () => number
  /** The one that was asked for last is the last. */
  private readonly known = new Map<MailboxId, Seen>()
  private remembered = 0

  /** `most`: keywords of a mailbox. `ticks`: milliseconds that never go back. */
  constructor(store: MailStore, openings: Openings, most: number, ticks: () => number) {
    this.store = store
    this.openings = openings
    this.most = most
    this.ticks = ticks
  }

  /**
   * The flags as the mailbox spells them (RFC 9051 §2.3.2, I22), which are taken for borne from now on. Throws {@link Refused}
   * where with them it would have too many keywords (RFC 5530).
   */
  async admit(account: string, mailbox: MailboxId, flags: readonly string[]): Promise<readonly string[]> {
    if (!flags.some(isKeyword)) return flags
    const seen = await this.seen(account, mailbox)
    const spelt = flags.map((flag) => spellingIn(seen, flag))
    if (isWithin(spelt, seen)) return spelt
    const now = await this.withRoom(account, mailbox, seen)
    return this.borne(now, flags.map((flag) => spellingIn(now, flag)))
  }

  /** The same for messages that are to be added, all or none of them. */
  async admitAll(account: string, mailbox: MailboxId, messages: readonly Upload[]): Promise<readonly Upload[]> {
    const flags = [...new Set(messages.flatMap((message) => message.flags))]
    const spelt = await this.admit(account, mailbox, flags)
    if (spelt === flags) return messages
    const spellings = new Map(flags.map((flag, at) => [flag, spelt[at]!]))
    return messages.map((message) => ({ ...message, flags: message.flags.map((flag) => spellings.get(flag)!) }))
  }

  /** The same for messages that are to be copied or moved with all that they bear, spelt as it is. */
  async admitCopies(account: string, mailbox: MailboxId, uids: UidSet, to: MailboxId): Promise<void> {
    if (mailbox === to) return
    // All that any message there bears: mostly that is enough, and the messages need not be looked at.
    const source = await this.caughtUp(await this.seen(account, mailbox))
    if (source.spelt.size === 0) return
    const seen = await this.seen(account, to)
    if (!source.isOver && isWithin(source.spelt, seen)) return
    const flags = new Set<string>()
    for await (const page of this.store.entries(mailbox, { uids })) {
      for (const one of page) for (const flag of one.flags) flags.add(flag)
    }
    if (!isWithin(flags, seen)) this.borne(await this.withRoom(account, to, seen), flags)
  }

  /** Somebody has looked through a mailbox: what changed until then need not be looked at again. */
  looked({ mailbox: { id, modSeq }, keywords }: Pick<Opened, 'mailbox' | 'keywords'>): void {
    const seen = this.known.get(id)
    if (seen === undefined || seen.modSeq >= modSeq) return
    this.note(seen, keywords)
    seen.modSeq = modSeq
  }

  /** Somebody has asked what changed in a mailbox after `since`, which those who have it open do all the time. */
  heard(mailbox: MailboxId, since: number, { changed, modSeq }: Pick<Changes, 'changed' | 'modSeq'>): void {
    const seen = this.known.get(mailbox)
    if (seen === undefined || seen.modSeq < since || seen.modSeq >= modSeq) return
    this.noteAll(seen, changed)
    seen.modSeq = modSeq
  }

  /** What has been seen, where there is room for more. */
  private async withRoom(account: string, mailbox: MailboxId, seen: Seen): Promise<Seen> {
    if (seen.spelt.size < this.most) return this.caughtUp(seen)
    if (this.ticks() - seen.at < AGAIN) throw tooMany
    this.forget(seen)
    return this.seen(account, mailbox)
  }

  /** Remembers that it bears these too, unless that would be too many. */
  private borne<Flags extends Iterable<string>>(seen: Seen, flags: Flags): Flags {
    const fresh = new Set([...flags].filter((flag) => isKeyword(flag) && !seen.spelt.has(flag)))
    if (seen.spelt.size + fresh.size > this.most) throw tooMany
    this.note(seen, fresh)
    return flags
  }

  private async seen(account: string, mailbox: MailboxId): Promise<Seen> {
    const known = this.known.get(mailbox)
    if (known) {
      this.known.delete(mailbox)
      this.known.set(mailbox, known)
      return known
    }
    const at = this.ticks()
    const { modSeq, keywords } = await this.openings.look(account, mailbox)
    // Somebody else may have been faster, and may have noted more.
    const meanwhile = this.known.get(mailbox)
    if (meanwhile) return meanwhile
    const seen: Seen = { mailbox, modSeq, spelt: new Set(), spellings: new Map(), isOver: false, at }
    this.known.set(mailbox, seen)
    this.note(seen, keywords)
    for (const one of this.known.values()) {
      if (this.remembered <= MOST_REMEMBERED || one === seen) break
      this.forget(one)
    }
    return seen
  }

  /** Looks at what others have changed meanwhile: other processes, deliveries, the application. */
  private async caughtUp(seen: Seen): Promise<Seen> {
    for (let more = true; more;) {
      const changes = await this.store.changes(seen.mailbox, seen.modSeq)
      this.noteAll(seen, changes.changed)
      seen.modSeq = Math.max(seen.modSeq, changes.modSeq)
      more = changes.more
    }
    return seen
  }

  private noteAll(seen: Seen, entries: Changes['changed']): void {
    let known: readonly string[] | undefined
    for (const { flags } of entries) {
      // Stores give the same list for the same flags again and again.
      if (flags !== known) this.note(seen, known = flags)
    }
  }

  private note(seen: Seen, flags: Iterable<string>): void {
    const before = seen.spelt.size
    for (const flag of flags) {
      if (!isKeyword(flag) || seen.spelt.has(flag)) continue
      if (seen.spelt.size >= this.most) {
        seen.isOver = true
        break
      }
      seen.spelt.add(flag)
      const lower = flag.toLowerCase()
      if (!seen.spellings.has(lower)) seen.spellings.set(lower, flag)
    }
    if (this.known.get(seen.mailbox) === seen) this.remembered += seen.spelt.size - before
  }

  private forget(seen: Seen): void {
    if (this.known.get(seen.mailbox) !== seen) return
    this.known.delete(seen.mailbox)
    this.remembered -= seen.spelt.size
  }
}

const tooMany = new Refused('LIMIT', 'Too many keywords', 'keywords')

const isKeyword = (flag: string): boolean => !flag.startsWith('\\')

const spellingIn = ({ spelt, spellings }: Seen, flag: string): string =>
  spelt.has(flag) ? flag : (spellings.get(flag.toLowerCase()) ?? flag)

/** Whether the keywords among them have all been seen. */
function isWithin(flags: Iterable<string>, { spelt }: Seen): boolean {
  for (const flag of flags) if (isKeyword(flag) && !spelt.has(flag)) return false
  return true
}
