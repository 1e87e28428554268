import type { MailboxId, UidRange } from '../../contracts/mailbox.ts'
import type { MailStore } from '../../contracts/store.ts'
import { isMailError, MailError } from '../../protocol/session/errors.ts'
import type { Opened } from '../../protocol/imap/index.ts'

/** Looks through a mailbox: which messages it has, the first that is unseen, the keywords they bear. */
export async function openMailbox(store: MailStore, account: string, id: MailboxId, readOnly: boolean): Promise<Opened> {
  // Before the messages are listed: whoever asks for changes from its mod-sequence on misses none.
  const mailbox = (await store.mailboxes(account)).find((one) => one.id === id)
  if (!mailbox) throw new MailError('permanent', `There is no mailbox ${id}`)
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
  const from = readOnly ? mailbox.recentFrom : await store.claim?.(id).catch(unclaimed)
  return { mailbox, uids, firstUnseen, keywords: [...keywords], recent: from === undefined ? [] : above(uids, from) }
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
