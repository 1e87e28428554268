import { type FetchItem, readFetchItems } from '../../fetch-items.ts'
import type { ImapEntry, ImapMessage } from '../../mailbox.ts'
import { contains, type NumberSet, setOfAscending, sizeOf, within } from '../../../bytes/number-set.ts'
import { Malformed, type Reader } from '../../reader.ts'
import { ask, no, ok, type Result, type Run } from '../../run.ts'
import { type Command, type ImapContext, SELECTED, type Selected } from '../context.ts'
import { Lines, setsSeen } from '../fetch-lines.ts'
import { uidsNamed } from '../numbers.ts'
import { partOf, readPartial, type PartialResult } from '../partial-result.ts'
import { sayVanished, uidsMeant } from '../resynchronise.ts'
import { enableCondstore } from '../synchronise.ts'

/** FETCH (RFC 9051 §6.4.5). */
export const fetchMessages: Command = {
  name: 'FETCH',
  states: SELECTED,
  bySequence: true,
  holdsExpunge: true,
  run: (context, reader) => run(context, reader, false),
}

/** UID FETCH (RFC 9051 §6.4.9). */
export const uidFetch: Command = { name: 'UID FETCH', states: SELECTED, run: (context, reader) => run(context, reader, true) }

/** Which of the messages are meant (RFC 7162 §3.1.4.1, §3.2.6; RFC 9394 §3.3). */
interface Modifiers {
  readonly changedSince?: number
  readonly vanished?: true
  readonly partial?: PartialResult
}

function* run(context: ImapContext, reader: Reader, byUid: boolean): Run {
  reader.space()
  const set = reader.sequenceSet()
  reader.space()
  const items = readFetchItems(reader)
  const modifiers = reader.maybeSpace() ? readModifiers(context, reader, byUid) : {}
  reader.end()
  const selected = context.selected!
  const { changedSince, vanished, partial } = modifiers
  let uids = uidsNamed(selected, set, byUid)
  if (partial) uids = partOf(uids, partial)
  withModSeq(context, items, changedSince !== undefined)
  // RFC 9051 §6.4.9: always, whether or not it was asked for; RFC 9586 §3.3: UIDFETCH begins with it.
  if (byUid && !context.enabled.has('UIDONLY') && !items.some(({ kind }) => kind === 'UID')) items.unshift({ kind: 'UID' })
  // RFC 7162 §3.2: a mod-sequence that it learns here must not be ahead of what it hears of expunges.
  if (context.enabled.has('QRESYNC')) selected.changed = true
  if (vanished) yield* sayVanished(context, selected, changedSince!, uidsMeant(selected, set))
  return yield* fetchAll(context, selected, uids, items, changedSince ?? 0, byUid || changedSince !== undefined)
}

function readModifiers(context: ImapContext, reader: Reader, byUid: boolean): Modifiers {
  let given: Modifiers = {}
  reader.list(() => {
    const name = reader.word()
    if (name === 'VANISHED' && byUid && context.enabled.has('QRESYNC')) given = { ...given, vanished: true }
    else if (name === 'CHANGEDSINCE') {
      reader.space()
      given = { ...given, changedSince: reader.number64() }
    } else if (name === 'PARTIAL' && byUid) {
      reader.space()
      given = { ...given, partial: readPartial(reader) }
    } else throw new Malformed('Here is no modifier', { word: name })
  })
  if (given.vanished && given.changedSince === undefined) throw new Malformed('VANISHED since when?')
  return given
}

/** RFC 7162 §3.1: who asks for mod-sequences hears them with all flags from now on (I32); §3.1.4.1: CHANGEDSINCE asks. */
export function withModSeq(context: ImapContext, items: FetchItem[], since: boolean): void {
  const asked = items.some(({ kind }) => kind === 'MODSEQ')
  if (since || asked) enableCondstore(context)
  const due = since || (context.enabled.has('CONDSTORE') && items.some(({ kind }) => kind === 'FLAGS'))
  if (due && !asked) items.push({ kind: 'MODSEQ' })
}

function* fetchAll(
  context: ImapContext,
  selected: Selected,
  uids: NumberSet,
  items: readonly FetchItem[],
  since: number,
  someMayLack: boolean,
): Run<Result> {
  const lines = new Lines(context, selected, items)
  const kind = lines.needsFacts ? 'messages' : 'entries'
  const marks = !selected.readOnly && items.some(setsSeen)
  let found = 0
  for (let left = uids; left.length > 0;) {
    const { items: page, last } = yield* ask({ kind, mailbox: selected.mailbox, uids: left, since })
    const shown = marks ? yield* marked(selected, page as readonly ImapMessage[]) : page
    yield* lines.say(shown)
    found += shown.length
    const end = page[page.length - 1]
    if (last || end === undefined) break
    left = within(left, end.uid + 1, 0xffffffff)
  }
  // I18: a message that is gone, of which the client has not been told, is never taken for another.
  if (!someMayLack && found < sizeOf(uids)) return no('Some of the messages are gone', 'EXPUNGEISSUED')
  return ok('Fetched')
}

/** Gives those that are read `\Seen` and shows them so (I48). */
function* marked(selected: Selected, page: readonly ImapMessage[]): Run<readonly ImapMessage[]> {
  const unseen = page.filter(({ flags }) => !flags.includes('\\Seen')).map(({ uid }) => uid)
  if (unseen.length === 0) return page
  const uids = setOfAscending(unseen)
  const { changed } = yield* ask({
    kind: 'flag', mailbox: selected.mailbox, uids, change: 'add', flags: ['\\Seen'], unchangedSince: undefined,
  })
  const now = new Map<number, Pick<ImapEntry, 'uid' | 'modSeq' | 'flags'>>()
  for (const entry of changed) {
    now.set(entry.uid, entry)
    selected.own.set(entry.uid, entry.modSeq)
  }
  selected.changed = true
  return page.map((message) => {
    if (!contains(uids, message.uid)) return message
    return { ...message, ...now.get(message.uid), marked: true }
  })
}
