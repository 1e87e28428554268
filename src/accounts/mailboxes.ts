import type { SpecialUse } from '../contracts/mailbox.ts'
import type { MailStore } from '../contracts/store.ts'

/** A mailbox that a new account is given. */
export interface DefaultMailbox {
  readonly path: readonly string[]
  readonly use?: SpecialUse
}

/** What a new account is given unless told otherwise: where programs look for drafts, what was sent, junk (RFC 6154). */
export const defaultMailboxes: readonly DefaultMailbox[] = [
  { path: ['INBOX'] },
  { path: ['Drafts'], use: '\\Drafts' },
  { path: ['Sent'], use: '\\Sent' },
  { path: ['Trash'], use: '\\Trash' },
  { path: ['Spam'], use: '\\Junk' },
  { path: ['Archive'], use: '\\Archive' },
]

/**
 * Gives an account the mailboxes it lacks, subscribed. What it has stays as it is: where another mailbox has a use already,
 * none is made for it. May be called again, after a failure or for every log-in of people who are kept elsewhere (LDAP).
 */
export async function makeMailboxes(
  store: MailStore,
  account: string,
  wanted: readonly DefaultMailbox[] = defaultMailboxes,
): Promise<void> {
  const there = await store.mailboxes(account)
  const paths = new Set(there.map(({ path }) => JSON.stringify(path)))
  const uses = new Set(there.map(({ use }) => use))
  for (const { path, use } of wanted) {
    if (paths.has(JSON.stringify(path)) || (use !== undefined && uses.has(use))) continue
    // Subscribed first: what fails between leaves a mailbox to be made, and not one that nobody sees.
    await store.subscribe?.(account, path, true)
    await store.create(account, path, use)
  }
}
