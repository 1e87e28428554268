import { encodeString, encodeUtf8String } from '../../encode.ts'
import { readStatusItems, type StatusItem } from '../../list-options.ts'
import type { ImapMailbox } from '../../mailbox.ts'
import { nameOf, pathOf } from '../../mailbox-name.ts'
import { ask, no, ok } from '../../run.ts'
import { AUTHENTICATED, type Command, type ImapContext } from '../context.ts'
import { objectId } from '../object-id.ts'

/** STATUS (RFC 9051 §6.3.11), of the selected mailbox too (I43). */
export const status: Command = {
  name: 'STATUS',
  states: AUTHENTICATED,
  *run(context, reader) {
    reader.space()
    const path = pathOf(reader.astring(), context.nameForm)
    reader.space()
    const items = readStatusItems(reader)
    reader.end()
    const mailbox = path && (yield* ask({ kind: 'mailbox', path }))
    if (!mailbox) return no('There is no such mailbox', 'NONEXISTENT')
    // RFC 7162 §3.1.7 (I32).
    if (items.includes('HIGHESTMODSEQ')) context.enabled.add('CONDSTORE')
    context.say(statusLine(context, mailbox, items))
    return ok('That is how it is')
  },
}

/** The line that STATUS says, and LIST that returns STATUS. */
export function statusLine(context: ImapContext, mailbox: ImapMailbox, items: readonly StatusItem[]): string {
  const name = nameOf(mailbox.path, context.nameForm)
  const written = context.nameForm === 'utf-8' ? encodeUtf8String(name) : encodeString(name)
  return `* STATUS ${written} (${items.map((item) => `${item} ${valueOf(context, mailbox, item)}`).join(' ')})`
}

function valueOf(context: ImapContext, mailbox: ImapMailbox, item: StatusItem): string {
  switch (item) {
    case 'MESSAGES':
      return String(mailbox.messages)
    case 'UIDNEXT':
      return String(mailbox.uidNext)
    case 'UIDVALIDITY':
      return String(mailbox.uidValidity)
    case 'UNSEEN':
      return String(mailbox.unseen)
    case 'DELETED':
      return String(mailbox.deleted)
    case 'SIZE':
    case 'DELETED-STORAGE':
      return String(item === 'SIZE' ? mailbox.octets : 0)
    case 'RECENT':
      return String(recentIn(mailbox))
    case 'HIGHESTMODSEQ':
      return String(Math.max(1, mailbox.modSeq))
    case 'MAILBOXID':
      return `(${objectId('F', mailbox.id)})`
    default: {
      const { messageOctets } = context.config.limits
      return messageOctets === Infinity ? 'NIL' : String(messageOctets)
    }
  }
}

/** Messages that nobody has claimed, at most: UIDs need not follow each other. */
function recentIn({ recentFrom, uidNext, messages }: ImapMailbox): number {
  return recentFrom === undefined ? 0 : Math.min(messages, Math.max(0, uidNext - recentFrom))
}
