import { readStatusItems, type StatusItem } from '../../list-options.ts'
import type { ImapMailbox } from '../../mailbox.ts'
import { nameOf, pathOf } from '../../mailbox-name.ts'
import { ask, no, ok, type Run } from '../../run.ts'
import { encodeString, encodeUtf8String } from '../../encode.ts'
import { AUTHENTICATED, type Command, type ImapContext } from '../context.ts'
import { objectId } from '../object-id.ts'
import { enableCondstore } from '../synchronise.ts'

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
    if (items.includes('HIGHESTMODSEQ')) enableCondstore(context)
    context.say(statusLine(context, mailbox, items, yield* deletedOctets(mailbox, items)))
    return ok('That is how it is')
  },
}

/** What DELETED-STORAGE tells (RFC 9208 §4.1.4), where it is asked for: nobody counts it, so that it is looked for. */
export function* deletedOctets({ id, deleted }: ImapMailbox, items: readonly StatusItem[]): Run<number> {
  if (deleted === 0 || !items.includes('DELETED-STORAGE')) return 0
  let octets = 0
  for (let first = 1; ;) {
    const page = yield* ask({ kind: 'entries', mailbox: id, uids: [{ first, last: 0xffffffff }], since: 0 })
    for (const entry of page.items) if (entry.flags.includes('\\Deleted')) octets += entry.octets
    if (page.last || page.items.length === 0) return octets
    first = page.items[page.items.length - 1]!.uid + 1
  }
}

/** The line that STATUS says, and LIST that returns STATUS. `deleted`: octets of messages with `\Deleted`, where asked for. */
export function statusLine(
  context: ImapContext,
  mailbox: ImapMailbox,
  items: readonly StatusItem[],
  deleted: number,
): string {
  const name = nameOf(mailbox.path, context.nameForm)
  const written = context.nameForm === 'utf-8' ? encodeUtf8String(name) : encodeString(name)
  const values = items.map((item) => `${item} ${item === 'DELETED-STORAGE' ? deleted : valueOf(context, mailbox, item)}`)
  return `* STATUS ${written} (${values.join(' ')})`
}

function valueOf(context: ImapContext, mailbox: ImapMailbox, item: Exclude<StatusItem, 'DELETED-STORAGE'>): string {
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
      return String(mailbox.octets)
    case 'RECENT':
      return String(recentIn(mailbox))
    case 'HIGHESTMODSEQ':
      return String(mailbox.modSeq)
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
