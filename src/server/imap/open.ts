import type { Mailbox, MailboxId, UidRange } from '../../contracts/mailbox.ts'
import type { MailStore } from '../../contracts/store.ts'
import { isMailError, MailError } from '../../protocol/session/errors.ts'
import type { Opened } from '../../protocol/imap/index.ts'

/** Mailboxes of which is remembered what they hold, and ranges of UIDs of one that is. */
const MOST_MAILBOXES = 256
const MOST_RANGES = 4096

/** What a mailbox holds at a mod-sequence. */
interface Holding {
  readonly modSeq: number
  readonly uids: readonly UidRange[]
  readonly firstUnseen: number | undefined
  readonly keywords: readonly string[]
}

/**
 * Looks through mailboxes that are selected: which messages they have, the first that is unseen, the keywords they bear. It
 * remembers what it saw for as long as the mod-sequence stays: clients select the same mailbox again and again, with several
 * connections.
 */
export class Openings {
  private readonly store: MailStore
  private readonly known = new Map<MailboxId, Holding>()

  constructor(store: MailStore) {
    this.store = store
  }

  /** A mailbox and its messages. `permanent` where there is none. */
  async open(account: string, id: MailboxId, readOnly: boolean): Promise<Opened> {
    const { mailbox, uids, firstUnseen, keywords } = await this.look(account, id)
    const from = readOnly ? mailbox.recentFrom : await this.store.claim?.(id).catch(unclaimed)
    return { mailbox, uids, firstUnseen, keywords, recent: from === undefined ? [] : above(uids, from) }
  }

  /** The same, for somebody who reads nothing: nothing of it is claimed. */
  async look(account: string, id: MailboxId): Promise<Omit<Opened, 'recent'> & { readonly modSeq: number }> {
    // Before the messages are listed: whoever asks for changes from its mod-sequence on misses none.
    const mailbox = (await this.store.mailboxes(account)).find((one) => one.id === id)
    if (!mailbox) throw new MailError('permanent', `There is no mailbox ${id}`)
    return { mailbox, ...(await this.holding(mailbox)) }
  }

  private async holding({ id, modSeq }: Mailbox): Promise<Holding> {
    const known = this.known.get(id)
    if (known?.modSeq === modSeq) return known
    const holding = await holdingOf(this.store, id, modSeq)
    this.known.delete(id)
    if (holding.uids.length > MOST_RANGES) return holding
    for (const oldest of this.known.keys()) {
      if (this.known.size < MOST_MAILBOXES) break
      this.known.delete(oldest)
    }
    this.known.set(id, holding)
    return holding
  }
}

async function holdingOf(store: MailStore, id: MailboxId, modSeq: number): Promise<Holding> {
  const uids: { first: number; last: number }[] = []
  const keywords = new Set<string>()
  let known: readonly string[] | undefined
  let firstUnseen: number | undefined
  for await (const page of store.entries(id)) {
    for (const { uid, flags } of page) {
      const before = uids[uids.length - 1]
      if (before !== undefined && before.last + 1 === uid) before.last = uid
      else uids.push({ first: uid, last: uid })
      // Stores give the same list for the same flags again and again.
      if (flags === known) continue
      known = flags
      for (const flag of flags) if (!flag.startsWith('\\')) keywords.add(flag)
      if (firstUnseen === undefined && !flags.includes('\\Seen')) firstUnseen = uid
    }
  }
  return { modSeq, uids, firstUnseen, keywords: [...keywords] }
}

/** Whose disk is full can still read, and expunge: `\Recent` is nobody's then. */
function unclaimed(error: unknown): undefined {
  if (isMailError(error) && error.code === 'temporary') return undefined
  throw error
}

/** Those of the UIDs that are not below `from`. */
function above(uids: readonly UidRange[], from: number): UidRange[] {
  return uids.filter(({ last }) => last >= from).map(({ first, last }) => ({ first: Math.max(first, from), last }))
}
