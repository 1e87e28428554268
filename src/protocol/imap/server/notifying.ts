import { common, type NumberSet, without } from '../../bytes/number-set.ts'
import { eventsFor, NO_EVENTS } from '../event-groups.ts'
import type { Mailboxes } from '../events.ts'
import type { FetchItem } from '../fetch-items.ts'
import type { StatusItem } from '../list-options.ts'
import type { ImapMailbox } from '../mailbox.ts'
import { DELIMITER } from '../mailbox-name.ts'
import { ask, flow, type Run } from '../run.ts'
import { Refused } from '../../session/refusal.ts'
import { withModSeq } from './commands/fetch.ts'
import { written } from './commands/list.ts'
import { statusLine } from './commands/status.ts'
import type { ImapContext, Selected } from './context.ts'
import { Lines } from './fetch-lines.ts'
import { type KnownMailbox, Notified } from './notified.ts'
import { tellNames } from './notifying-names.ts'
import { synchronise, wantsUid } from './synchronise.ts'

/** Mailboxes of an account of which any are watched: each is looked at and remembered by every connection that does so. */
export const MOST_WATCHED = 5000

/**
 * Tells the client what is new: in the mailbox it has selected, and where it has given NOTIFY (RFC 5465) in others. `expunge`:
 * where it is at a point at which sequence numbers may change. `owed`: it has expunged messages itself, and is told even if it
 * wants to hear of nothing.
 */
export function* tellNews(context: ImapContext, expunge: boolean, owed = false): Run<void> {
  const { notify, selected } = context
  if (notify === undefined) {
    const added = yield* synchronise(context, expunge)
    return yield* tellMessages(context, added, [])
  }
  if (context.now >= notify.lookedAt + context.config.timeouts.alive) {
    // Hints may be lost.
    if (selected) selected.changed = true
    context.accountChanged = true
  }
  yield* tellSelected(context, notify, expunge, owed)
  if (notify.dueAt(context.accountChanged, context.config.timeouts.alive) <= context.now) yield* tellOthers(context, notify)
}

function* tellSelected(context: ImapContext, { wanted, own }: Notified, expunge: boolean, owed: boolean): Run<void> {
  const { selected, notify } = context
  const events = wanted.selected
  if (selected === undefined || (events === undefined && !owed)) return
  const added = yield* synchronise(context, expunge || events?.expunge === 'now', events?.flags ?? false)
  notify!.own = []
  yield* tellMessages(context, without(added, own), events?.items ?? [])
}

/**
 * RFC 5465 §5.2: of messages that have come, behind EXISTS and ESEARCH, what was asked for: by NOTIFY, and by searches that find
 * them (§7, which would have that before ESEARCH), in one FETCH.
 */
function* tellMessages(context: ImapContext, added: NumberSet, wanted: readonly FetchItem[]): Run<void> {
  const { selected } = context
  if (selected === undefined || added.length === 0) return
  let parts: readonly (readonly [NumberSet, readonly FetchItem[]])[] = [[added, wanted]]
  for (const followed of selected.followed.values()) {
    const { came = [], items } = followed
    if (items === undefined) continue
    followed.came = []
    parts = parts.flatMap(([uids, some]) => [[without(uids, came), some], [common(uids, came), [...some, ...items]]] as const)
      .filter(([uids]) => uids.length > 0)
  }
  for (const [uids, items] of parts) if (items.length > 0) yield* tellItems(context, selected, uids, items)
}

function* tellItems(context: ImapContext, selected: Selected, added: NumberSet, wanted: readonly FetchItem[]): Run<void> {
  const items = [...wanted]
  withModSeq(context, items, false)
  if (wantsUid(context) && !items.some(({ kind }) => kind === 'UID')) items.unshift({ kind: 'UID' })
  const lines = new Lines(context, selected, items)
  const kind = lines.needsFacts ? 'messages' : 'entries'
  try {
    for (let uids = added; uids.length > 0;) {
      const { items: page, last } = yield* ask({ kind, mailbox: selected.mailbox, uids, since: 0 })
      // Nobody has read them: none becomes \Seen.
      yield* lines.say(page)
      const end = page[page.length - 1]
      if (last || end === undefined) return
      uids = without(uids, [{ first: 1, last: end.uid }])
    }
  } catch (error) {
    // That they have come was told: the client can ask for the rest.
    if (!(error instanceof Refused)) throw error
  }
}

/** Looks at all mailboxes, and tells what is different from what the client knows. */
function* tellOthers(context: ImapContext, notify: Notified): Run<void> {
  notify.lookedAt = context.now
  if (!notify.watchesAccount) return
  context.accountChanged = false
  let all: Mailboxes
  try {
    all = yield* ask({ kind: 'mailboxes' })
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    context.accountChanged = true
    return
  }
  if (all.mailboxes.length > MOST_WATCHED || notify.overflows) return overflow(context)
  yield* tellNames(context, notify, all)
  yield* tellNumbers(context, notify, all)
  yield* tellAnnotations(context, notify)
}

/** RFC 5465 §5.8. */
function overflow(context: ImapContext): void {
  context.say('* OK [NOTIFICATIONOVERFLOW] Too much to be told; nothing is any more')
  context.notify = new Notified(NO_EVENTS, context.now)
  context.emit({ kind: 'watch', wanted: false })
}

/** What the client knows from now on, being told nothing; gives the mailboxes of whose messages it wants to hear. */
export function knowAll(context: ImapContext, notify: Notified, all: Mailboxes): readonly ImapMailbox[] {
  notify.subscribed = new Map(all.subscribed.map((path) => [path.join(DELIMITER), path]))
  notify.known = new Map()
  const watched: ImapMailbox[] = []
  for (const mailbox of all.mailboxes) {
    const { id, path, use } = mailbox
    const name = path.join(DELIMITER)
    const { messages } = eventsFor(notify.wanted.groups, { path, use, subscribed: notify.subscribed.has(name) })
    notify.known.set(name, { id, path, use, told: messages ? mailbox : undefined })
    if (messages && id !== context.selected?.mailbox) watched.push(mailbox)
  }
  return watched
}

/** STATUS of a mailbox, with what a client that follows it has to know (RFC 5465 §3.1, §5.1, §5.2). */
export function* tellStatus(context: ImapContext, notify: Notified, mailbox: ImapMailbox, first: boolean): Run<void> {
  const { path, use } = mailbox
  const subscribed = notify.subscribed.has(path.join(DELIMITER))
  const { flags } = eventsFor(notify.wanted.groups, { path, use, subscribed })
  const items: StatusItem[] = ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY']
  if (flags) items.push('UNSEEN')
  if ((flags && first) || context.enabled.has('CONDSTORE')) items.push('HIGHESTMODSEQ')
  context.say(statusLine(context, mailbox, items, 0))
  yield* flow(context)
}

function* tellNumbers(context: ImapContext, notify: Notified, all: Mailboxes): Run<void> {
  const known = new Map<string, KnownMailbox>()
  const before = notify.known
  const changed: ImapMailbox[] = []
  for (const mailbox of all.mailboxes) {
    const { id, path, use } = mailbox
    const name = path.join(DELIMITER)
    const { messages, flags } = eventsFor(notify.wanted.groups, { path, use, subscribed: notify.subscribed.has(name) })
    const told = before.get(name)?.told
    // Of the selected one the client hears otherwise; what it did not hear it hears when it is selected no more.
    const isSelected = id === context.selected?.mailbox
    if (messages && !isSelected && isNews(context, told, mailbox, flags)) changed.push(mailbox)
    known.set(name, { id, path, use, told: !messages ? undefined : isSelected ? told : mailbox })
  }
  notify.known = known
  for (const mailbox of changed) yield* tellStatus(context, notify, mailbox, false)
}

/** Whether a mailbox is different from what was told of it; of an empty one that is new nothing has to be told. */
function isNews({ enabled }: ImapContext, told: ImapMailbox | undefined, mailbox: ImapMailbox, flags: boolean): boolean {
  const { uidValidity, uidNext, messages, unseen, modSeq } = mailbox
  if (told === undefined) return messages > 0 || uidNext > 1
  if (told.uidValidity !== uidValidity || told.uidNext !== uidNext || told.messages !== messages) return true
  return flags && (told.unseen !== unseen || (enabled.has('CONDSTORE') && told.modSeq !== modSeq))
}

/** RFC 5465 §5.6, §5.7: the names of the entries alone (RFC 5464 §4.4.2). */
function* tellAnnotations(context: ImapContext, notify: Notified): Run<void> {
  const { noted, wanted } = notify
  if (noted.size === 0) return
  notify.noted = new Map()
  const server = noted.get('')
  if (server && wanted.server) context.say(`* METADATA "" ${[...server].join(' ')}`)
  for (const [name, { id, path, use }] of notify.known) {
    const entries = noted.get(id)
    if (!entries || !eventsFor(wanted.groups, { path, use, subscribed: notify.subscribed.has(name) }).annotations) continue
    context.say(`* METADATA ${written(context, path)} ${[...entries].join(' ')}`)
    yield* flow(context)
  }
}
