import { type EventsWanted, NO_EVENTS, readNotify } from '../../event-groups.ts'
import { ask, bad, no, ok, type Run, tooMuch } from '../../run.ts'
import { AUTHENTICATED, type Command, type ImapContext } from '../context.ts'
import { Notified } from '../notified.ts'
import { knowAll, MOST_WATCHED, tellStatus } from '../notifying.ts'
import { enableCondstore, synchronise } from '../synchronise.ts'

/** NOTIFY (RFC 5465): what the client wants to hear of, also between commands, and also of mailboxes that it has not selected. */
export const notify: Command = {
  name: 'NOTIFY',
  states: AUTHENTICATED,
  *run(context, reader) {
    const { abilities } = context.config
    if (!abilities.notify) return bad('Nothing is told here that way')
    const events = eventsKnown(context)
    const wanted = readNotify(reader, context.nameForm, new Set(events.map((event) => event.toUpperCase())))
    // §3.1, §8: all that can be asked for.
    if (wanted === 'event') return no('Not all of these events are told here', `BADEVENT (${events.join(' ')})`)
    if (wanted === 'too much') return tooMuch('notify', 'Too many mailboxes', 'NOTIFICATIONOVERFLOW')
    return yield* begin(context, wanted)
  },
}

function eventsKnown({ config: { abilities } }: ImapContext): readonly string[] {
  return [
    'MessageNew', 'MessageExpunge', 'FlagChange', 'MailboxName',
    ...(abilities.subscriptions ? ['SubscriptionChange'] : []),
    ...(abilities.metadata ? ['MailboxMetadataChange', 'ServerMetadataChange'] : []),
  ]
}

function* begin(context: ImapContext, wanted: EventsWanted): Run {
  const before = context.notify
  const next = new Notified(wanted, context.now)
  // Before the mailboxes are looked at: what happens meanwhile must not be missed.
  if (next.watchesAccount) context.emit({ kind: 'watch', wanted: true })
  context.accountChanged = false
  try {
    const all = next.watchesAccount ? yield* ask({ kind: 'mailboxes' }) : undefined
    if (all && all.mailboxes.length > MOST_WATCHED) return no('The account has too many mailboxes', 'NOTIFICATIONOVERFLOW')
    if (wanted !== NO_EVENTS) yield* catchUp(context)
    context.notify = next
    if (wanted.selected?.items.some(({ kind }) => kind === 'MODSEQ')) enableCondstore(context)
    const watched = all ? knowAll(context, next, all) : []
    if (wanted.status) for (const mailbox of watched) yield* tellStatus(context, next, mailbox, true)
    return ok(wanted.selected || next.watchesAccount ? 'You will hear of it' : 'You will hear of nothing')
  } finally {
    if (context.notify !== next) context.accountChanged = true
    if (!context.notify?.watchesAccount && (next.watchesAccount || before?.watchesAccount)) {
      context.emit({ kind: 'watch', wanted: false })
    }
  }
}

/** §3.1: as NOOP does, with all that was not wanted until now. */
function* catchUp(context: ImapContext): Run<void> {
  const { selected } = context
  if (selected === undefined) return
  if (selected.unsaid !== undefined) selected.modSeq = Math.min(selected.modSeq, selected.unsaid)
  selected.unsaid = undefined
  selected.changed = true
  yield* synchronise(context, true)
}
