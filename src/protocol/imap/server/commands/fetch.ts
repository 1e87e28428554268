import { type FetchItem, readFetchItems } from '../../fetch-items.ts'
import type { ImapEntry, ImapMessage } from '../../mailbox.ts'
import { contains, type NumberSet, setOfAscending, sizeOf, without } from '../../ranges.ts'
import { Malformed, type Reader } from '../../reader.ts'
import { ask, no, ok, type Result, type Run } from '../../run.ts'
import { type Command, type ImapContext, SELECTED, type Selected } from '../context.ts'
import { Lines, setsSeen } from '../fetch-lines.ts'
import { uidsNamed } from '../numbers.ts'

/** FETCH (RFC 9051 §6.4.5). */
export const fetch: Command = { name: 'FETCH', states: SELECTED, holdsExpunge: true, run: (context, reader) => run(context,
  reader, false) }

/** UID FETCH (RFC 9051 §6.4.9). */
export const uidFetch: Command = { name: 'UID FETCH', states: SELECTED, run: (context, reader) => run(context, reader, true) }

function* run(context: ImapContext, reader: Reader, byUid: boolean): Run {
  reader.space()
  const set = reader.sequenceSet()
  reader.space()
  const items = readFetchItems(reader)
  const since = reader.maybeSpace() ? readModifiers(reader) : 0
  reader.end()
  const selected = context.selected!
  const uids = uidsNamed(selected, set, byUid)
  // RFC 9051 §6.4.9: always, whether or not it was asked for.
  if (byUid && !items.some(({ kind }) => kind === 'UID')) items.unshift({ kind: 'UID' })
  // RFC 7162 §3.1: who asks for mod-sequences enables them (I32); §3.1.4.1: CHANGEDSINCE asks for them.
  const asksModSeq = items.some(({ kind }) => kind === 'MODSEQ')
  if (since > 0 || asksModSeq) context.enabled.add('CONDSTORE')
  if (since > 0 && !asksModSeq) items.push({ kind: 'MODSEQ' })
  return yield* fetchAll(context, selected, uids, items, since, byUid)
}

/** CHANGEDSINCE (RFC 7162 §3.1.4). */
function readModifiers(reader: Reader): number {
  let since = 0
  reader.list(() => {
    if (reader.word() !== 'CHANGEDSINCE') throw new Malformed('An unknown modifier')
    reader.space()
    since = reader.number64()
  })
  return since
}

function* fetchAll(
  context: ImapContext,
  selected: Selected,
  uids: NumberSet,
  items: readonly FetchItem[],
  since: number,
  byUid: boolean,
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
    left = without(left, [{ first: 1, last: end.uid }])
  }
  // I18: a message that is gone, of which the client has not been told, is never taken for another.
  if (!byUid && since === 0 && found < sizeOf(uids)) return no('Some of the messages are gone', 'EXPUNGEISSUED')
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
