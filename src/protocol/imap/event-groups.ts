import { type FetchItem, readFetchItems } from './fetch-items.ts'
import { type MailboxFilter, readMailboxFilter } from './mailbox-filter.ts'
import { DELIMITER, type NameForm } from './mailbox-name.ts'
import { Malformed, type Reader } from './reader.ts'

/** What a client wants to hear of a mailbox that is not selected (RFC 5465 §5). */
export interface Events {
  /** MessageNew and MessageExpunge, which come together. */
  readonly messages: boolean
  /** FlagChange. */
  readonly flags: boolean
  /** MailboxName. */
  readonly names: boolean
  /** SubscriptionChange. */
  readonly subscriptions: boolean
  /** MailboxMetadataChange. */
  readonly annotations: boolean
}

/** What it wants to hear of the one that is selected (RFC 5465 §6.1). */
export interface SelectedEvents {
  /** Expunges are told as they happen, or where sequence numbers may change. */
  readonly expunge: 'now' | 'later'
  readonly flags: boolean
  /** What is told of each new message beside EXISTS. */
  readonly items: readonly FetchItem[]
}

/** A name as filters look at it, whether or not there is such a mailbox. */
export interface WatchedName {
  readonly path: readonly string[]
  readonly use: string | undefined
  readonly subscribed: boolean
}

/** Some mailboxes, and what is to be told of them; no events: nothing at all is. */
export interface EventGroup {
  readonly means: (name: WatchedName) => boolean
  readonly events: Events | undefined
}

/** What NOTIFY SET asks for. */
export interface EventsWanted {
  readonly status: boolean
  readonly selected: SelectedEvents | undefined
  readonly groups: readonly EventGroup[]
  /** ServerMetadataChange. */
  readonly server: boolean
}

/** What is wanted after NOTIFY NONE. */
export const NO_EVENTS: EventsWanted = { status: false, selected: undefined, groups: [], server: false }

/** Why a NOTIFY SET that is well-formed cannot be: it names events that are not known here, or too much. */
export type NotWanted = 'event' | 'too much'

/** Groups of one command, and names of mailboxes in all of them. */
const MOST_GROUPS = 32
const MOST_NAMES = 1000

/** An event group as it was read. */
interface Group {
  readonly filter: MailboxFilter | 'selected-delayed'
  /** Names of events in upper case; `undefined`: NONE. */
  readonly events: ReadonlySet<string> | undefined
  readonly items: readonly FetchItem[]
}

/** Reads what follows NOTIFY (RFC 5465 §8). `known`: names of events in upper case. */
export function readNotify(reader: Reader, form: NameForm, known: ReadonlySet<string>): EventsWanted | NotWanted {
  reader.space()
  const what = reader.word()
  if (what === 'NONE') {
    reader.end()
    return NO_EVENTS
  }
  if (what !== 'SET') throw new Malformed('SET or NONE')
  reader.space()
  const status = !reader.atList
  if (status) {
    if (reader.word() !== 'STATUS') throw new Malformed('STATUS, or a list')
    reader.space()
  }
  const groups: Group[] = []
  do groups.push(readGroup(reader, form))
  while (reader.maybeSpace())
  reader.end()
  return wantedOf(groups, status, known)
}

function readGroup(reader: Reader, form: NameForm): Group {
  reader.expect('(')
  const mark = reader.mark()
  const delayed = reader.word() === 'SELECTED-DELAYED'
  if (!delayed) reader.reset(mark)
  const filter: Group['filter'] = delayed ? 'selected-delayed' : readMailboxFilter(reader, form, Infinity)
  reader.space()
  const group = { filter, ...readEvents(reader) }
  reader.expect(')')
  return group
}

function readEvents(reader: Reader): Pick<Group, 'events' | 'items'> {
  if (!reader.atList) {
    if (reader.word() !== 'NONE') throw new Malformed('A list of events, or NONE')
    return { events: undefined, items: [] }
  }
  const events = new Set<string>()
  let items: readonly FetchItem[] = []
  reader.list(() => {
    const event = reader.atom().toUpperCase()
    events.add(event)
    if (event !== 'MESSAGENEW') return
    const mark = reader.mark()
    if (reader.maybeSpace() && reader.atList) items = readFetchItems(reader)
    else reader.reset(mark)
  })
  return { events, items }
}

function wantedOf(groups: readonly Group[], status: boolean, known: ReadonlySet<string>): EventsWanted | NotWanted {
  let names = 0
  let selected: Group | undefined
  for (const group of groups) {
    const { filter, events } = group
    check(group)
    if (typeof filter === 'object' && 'paths' in filter) names += filter.paths.length
    if (!isSelected(filter)) continue
    if (selected !== undefined) throw new Malformed('The selected mailbox is meant twice')
    selected = group
    // RFC 5465 §6.1.
    for (const event of events ?? []) if (event !== 'ANNOTATIONCHANGE' && !ofMessages.has(event) && known.has(event)) {
      throw new Malformed('Only events of messages are told of the selected mailbox')
    }
  }
  for (const { events } of groups) for (const event of events ?? []) if (!known.has(event)) return 'event'
  if (groups.length > MOST_GROUPS || names > MOST_NAMES) return 'too much'
  const others = groups.filter(({ filter }) => !isSelected(filter))
  return {
    status,
    selected: selected?.events && {
      expunge: selected.filter === 'selected-delayed' ? 'later' : 'now',
      flags: selected.events.has('FLAGCHANGE'),
      items: selected.items,
    },
    groups: others.map(({ filter, events }) => {
      return { means: meaningOf(filter as MailboxFilter), events: events && eventsOf(events) }
    }),
    server: others.some(({ events }) => events?.has('SERVERMETADATACHANGE')),
  }
}

const ofMessages: ReadonlySet<string> = new Set(['MESSAGENEW', 'MESSAGEEXPUNGE', 'FLAGCHANGE'])

const isSelected = (filter: Group['filter']): boolean => filter === 'selected-delayed' || filter.kind === 'selected'

/** RFC 5465 §5: which events belong together; §8: what is told of new messages is told of the selected mailbox alone. */
function check({ filter, events, items }: Group): void {
  if (events === undefined) return
  const both = events.has('MESSAGENEW') && events.has('MESSAGEEXPUNGE')
  const some = [...ofMessages, 'ANNOTATIONCHANGE'].some((event) => events.has(event))
  if (some && !both) throw new Malformed('MessageNew and MessageExpunge come together, and with FlagChange')
  if (items.length > 0 && !isSelected(filter)) throw new Malformed('Only of the selected mailbox messages are told')
}

function eventsOf(events: ReadonlySet<string>): Events {
  return {
    messages: events.has('MESSAGENEW'),
    flags: events.has('FLAGCHANGE'),
    names: events.has('MAILBOXNAME'),
    subscriptions: events.has('SUBSCRIPTIONCHANGE'),
    annotations: events.has('MAILBOXMETADATACHANGE'),
  }
}

/** What a filter means (RFC 5465 §6), in a time that the number of names in it has no part in. */
function meaningOf(filter: MailboxFilter): EventGroup['means'] {
  switch (filter.kind) {
    case 'selected':
      return () => false
    case 'personal':
      return () => true
    case 'inboxes':
      // Where mail is delivered to.
      return ({ path, use }) => use === '\\Junk' || (path.length === 1 && path[0] === 'INBOX')
    case 'subscribed':
      return ({ subscribed }) => subscribed
    default: {
      const names = new Set(filter.paths.map((path) => path.join(DELIMITER)))
      const most = filter.kind === 'mailboxes' ? 0 : filter.kind === 'subtree' ? Infinity : 1
      return ({ path }) => {
        for (let up = 0; up <= most && up < path.length; up++) {
          if (names.has(path.slice(0, path.length - up).join(DELIMITER))) return true
        }
        return false
      }
    }
  }
}

const NOTHING: Events = { messages: false, flags: false, names: false, subscriptions: false, annotations: false }

/** What is to be told of a name: whatever any group wants, unless one wants nothing. */
export function eventsFor(groups: readonly EventGroup[], name: WatchedName): Events {
  let all = NOTHING
  for (const { means, events } of groups) {
    if (!means(name)) continue
    if (events === undefined) return NOTHING
    all = all === NOTHING ? events : {
      messages: all.messages || events.messages,
      flags: all.flags || events.flags,
      names: all.names || events.names,
      subscriptions: all.subscriptions || events.subscriptions,
      annotations: all.annotations || events.annotations,
    }
  }
  return all
}
