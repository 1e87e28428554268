import type { Mailboxes } from './events.ts'
import type { ImapMailbox } from './mailbox.ts'
import { isBelow, type NameForm, pathOf, samePath } from './mailbox-name.ts'
import { Malformed, type Reader } from './reader.ts'

/** Which mailboxes are meant (RFC 5465 §6, RFC 7377 §2.2). */
export type MailboxFilter =
  | { readonly kind: 'selected' | 'inboxes' | 'personal' | 'subscribed' }
  | { readonly kind: 'subtree' | 'subtree-one' | 'mailboxes'; readonly paths: readonly (readonly string[])[] }

/** Mailboxes that one filter names. */
const MOST_NAMES = 200

/** Reads one filter. `most`: mailboxes that it may name. */
export function readMailboxFilter(reader: Reader, form: NameForm, most = MOST_NAMES): MailboxFilter {
  const word = reader.word()
  switch (word) {
    case 'SELECTED':
    case 'INBOXES':
    case 'PERSONAL':
    case 'SUBSCRIBED':
      return { kind: word.toLowerCase() as 'selected' | 'inboxes' | 'personal' | 'subscribed' }
    case 'SUBTREE':
    case 'SUBTREE-ONE':
    case 'MAILBOXES': {
      reader.space()
      const names = reader.atList ? reader.list(() => reader.astring()) : [reader.astring()]
      if (names.length > most) throw new Malformed('Too many mailboxes')
      const paths = names.map((name) => pathOf(name, form)).filter((path) => path !== undefined)
      return { kind: word.toLowerCase() as 'subtree' | 'subtree-one' | 'mailboxes', paths }
    }
    default:
      throw new Malformed('There are no mailboxes called', { word })
  }
}

/** Whether a filter other than `selected` means the mailbox. */
export function isMeant(filter: MailboxFilter, { path }: ImapMailbox, { subscribed }: Mailboxes): boolean {
  switch (filter.kind) {
    case 'selected':
      return false
    case 'inboxes':
      // Where mail is delivered to.
      return path.length === 1 && path[0] === 'INBOX'
    case 'personal':
      return true
    case 'subscribed':
      return subscribed.some((one) => samePath(one, path))
    case 'mailboxes':
      return filter.paths.some((one) => samePath(one, path))
    default: {
      const most = filter.kind === 'subtree' ? Infinity : 1
      return filter.paths.some((top) => samePath(top, path) || (isBelow(path, top) && path.length - top.length <= most))
    }
  }
}
