import type { Mailbox, MailboxId, SpecialUse } from '../contracts/mailbox.ts'
import type { MailStore } from '../contracts/store.ts'
import { utf8Octets } from '../protocol/bytes/text.ts'
import { DELIMITER, pathOf, samePath } from '../protocol/imap/mailbox-name.ts'

/** Where a filter wants a message. */
export interface Filed {
  readonly path: readonly string[]
  /** Rather into the mailbox with that use, where there is one. */
  readonly use: SpecialUse | undefined
  /** Make the mailbox where there is none. */
  readonly create: boolean
}

/**
 * The mailbox of an account that a filter means, made with those above it where it is to be. `undefined` where there is none, or
 * the path is none.
 */
export async function filedMailbox(
  store: MailStore, account: string, mailboxes: readonly Mailbox[], { path, use, create }: Filed,
): Promise<{ readonly id: MailboxId } | undefined> {
  const meant = mailboxPath(path)
  const found = (use && mailboxes.find((one) => one.use === use)) ?? (meant && mailboxes.find((one) => samePath(one.path, meant)))
  if (found || !meant || !create) return found
  for (let depth = 1; depth < meant.length; depth++) {
    const above = meant.slice(0, depth)
    if (!mailboxes.some((one) => samePath(one.path, above))) await store.create(account, above)
  }
  return store.create(account, meant, use)
}

/** The path as IMAP has it: `INBOX` in that case, NFC, no empty name. `undefined` where that makes none. */
export function mailboxPath(path: readonly string[]): readonly string[] | undefined {
  return path.length === 0 ? undefined : pathOf(utf8Octets(path.join(DELIMITER)), 'utf-8')
}
