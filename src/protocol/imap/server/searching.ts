import type { ImapEntry } from '../mailbox.ts'
import { common, type NumberSet, setOfAscending, together, without } from '../../bytes/number-set.ts'
import { Malformed } from '../reader.ts'
import { Refused } from '../../session/refusal.ts'
import { ask, type Run } from '../run.ts'
import type { TextColumn } from '../text-column.ts'
import { everyKey, musts, type SearchKey, someKey } from '../search-keys.ts'
import { LAST, resolveSet } from '../sequence-set.ts'
import { columns, columnsAtHand, entries, isFew, messages } from './asking.ts'
import type { Selected } from './context.ts'
import { dateMatches, isOfEntry, meets, type SearchScope } from './matching.ts'
import { threadId } from './object-id.ts'
import { withHeader, withText } from './text-search.ts'
import { isWord } from './words.ts'

/** Words shorter than this are in most messages: no index is asked. */
const LEAST_WORDS = 3

/** The messages, of those the client knows of, that a key asks for. */
export function* search(selected: Selected, key: SearchKey): Run<NumberSet> {
  // The session's own time is only good for deadlines.
  const now = someKey(key, ({ kind }) => kind === 'age') ? yield* ask({ kind: 'clock' }) : 0
  const scope: SearchScope = { selected, sets: setsOf(selected, key), recent: selected.recent, now, candidates: new Map() }
  const found = yield* solved(scope, key, without(selected.view.uids, selected.gone))
  // Something may have gone of which the client has not been told: it is better not to be found.
  return selected.changed ? yield* ofEntry(scope, { kind: 'all' }, found) : found
}

/** The highest mod-sequence of messages. */
export function* highestModSeq(selected: Selected, uids: NumberSet): Run<number> {
  let highest = 0
  yield* entries(selected.mailbox, uids, ({ modSeq }) => {
    if (modSeq > highest) highest = modSeq
  })
  return highest
}

/** Those among the messages that a key asks for. */
function* solved(scope: SearchScope, key: SearchKey, among: NumberSet): Run<NumberSet> {
  if (among.length === 0) return among
  const set = scope.sets.get(key)
  if (set !== undefined) return common(among, set)
  switch (key.kind) {
    case 'all':
      return among
    case 'recent':
      return common(among, scope.recent)
    case 'not':
      return without(among, yield* solved(scope, key.key, among))
    case 'or':
      return yield* either(scope, key.keys, among)
    case 'and':
      return yield* both(scope, [...musts(key)], among)
    case 'subject':
      return yield* withWords(scope, 'subject', key.words, among)
    case 'address':
      return yield* withWords(scope, key.field, key.words, among)
    case 'header':
      return yield* withHeader(scope, key, yield* narrowed(scope, key.words, 'header', among))
    case 'text':
      return yield* withText(scope, key, yield* narrowed(scope, key.words, key.where, among))
    case 'date':
      return key.of === 'sent' ? yield* sentThen(scope, key, among) : yield* ofEntry(scope, key, among)
    case 'id':
      return key.of === 'T' ? yield* inThread(scope, key.id, among) : yield* ofEntry(scope, key, among)
    default:
      return yield* ofEntry(scope, key, among)
  }
}

function* either(scope: SearchScope, keys: readonly SearchKey[], among: NumberSet): Run<NumberSet> {
  const key: SearchKey = { kind: 'or', keys }
  if (everyKey(key, isOfEntry)) return yield* ofEntry(scope, key, among)
  let found: NumberSet = []
  for (const one of keys) found = together(found, yield* solved(scope, one, without(among, found)))
  return found
}

/** What is cheaper to tell goes first: less is left to look at for what is dear. */
function* both(scope: SearchScope, keys: readonly SearchKey[], among: NumberSet): Run<NumberSet> {
  let left = among
  const [ofSets, others] = parted(keys, (key) => scope.sets.has(key) || key.kind === 'all' || key.kind === 'recent')
  for (const key of ofSets) left = yield* solved(scope, key, left)
  // Where an index tells how little is left, that comes before anything is looked at.
  for (const key of others) if (key.kind === 'text') left = yield* narrowed(scope, key.words, key.where, left)
  const [ofEntries, rest] = parted(others, (key) => everyKey(key, isOfEntry))
  if (ofEntries.length > 0 && left.length > 0) left = yield* ofEntry(scope, { kind: 'and', keys: ofEntries }, left)
  const [ofOctets, ofColumns] = parted(rest, (key) => someKey(key, ({ kind }) => kind === 'text' || kind === 'header'))
  for (const key of [...ofColumns, ...ofOctets]) left = yield* solved(scope, key, left)
  return left
}

function parted(keys: readonly SearchKey[], is: (key: SearchKey) => boolean): readonly [SearchKey[], SearchKey[]] {
  const those: SearchKey[] = []
  const others: SearchKey[] = []
  for (const key of keys) (is(key) ? those : others).push(key)
  return [those, others]
}

/** Keys that need no look at what messages say: all of them in one go. */
function* ofEntry(scope: SearchScope, key: SearchKey, among: NumberSet): Run<NumberSet> {
  const found: number[] = []
  yield* entries(scope.selected.mailbox, among, (entry: ImapEntry) => {
    if (meets(scope, key, entry)) found.push(entry.uid)
  })
  return setOfAscending(found)
}

function* withWords(
  scope: SearchScope,
  of: 'subject' | 'from' | 'to' | 'cc' | 'bcc',
  words: string,
  among: NumberSet,
): Run<NumberSet> {
  const found: number[] = []
  const take = (column: TextColumn): void => add(found, column.having(words))
  const atHand = yield* columnsAtHand(scope.selected, of, among, take)
  if (atHand !== 'all') {
    const fewer = atHand === 'wanted' ? among : yield* narrowed(scope, words, 'header', among)
    // Where that leaves many, it is as well to have the column at hand the next time.
    yield* columns(scope.selected, of, isFew(scope.selected, fewer) ? fewer : among, take)
  }
  return common(setOfAscending(found), among)
}

/** Adds UIDs that ascend; those of two columns may overlap, where the host has made one anew meanwhile. */
function add(all: number[], more: readonly number[]): void {
  let last = all[all.length - 1] ?? 0
  for (const one of more) if (one > last) all.push((last = one))
}

/** Those that may contain the words, where the host has an index that tells. */
function* narrowed(scope: SearchScope, words: string, where: 'body' | 'text' | 'header', among: NumberSet): Run<NumberSet> {
  if (words.length < LEAST_WORDS || among.length === 0) return among
  // What has a word in a field has it in its header in the same way; of several this is not so.
  if (where === 'header' && !isWord(words)) return among
  const key = `${where} ${words}`
  let may = scope.candidates.get(key)
  if (may === undefined) {
    const { mailbox } = scope.selected
    may = yield* ask({ kind: 'candidates', mailbox, words, where: where === 'body' ? 'body' : 'text' })
    scope.candidates.set(key, may)
  }
  return may === null ? among : common(among, may)
}

function* sentThen(scope: SearchScope, key: Extract<SearchKey, { kind: 'date' }>, among: NumberSet): Run<NumberSet> {
  const found: number[] = []
  yield* columns(scope.selected, 'sent day', among, ({ uids, values }) =>
    add(found, uids.filter((_, at) => dateMatches(key, values[at]!))))
  return common(setOfAscending(found), among)
}

function* inThread(scope: SearchScope, id: string, among: NumberSet): Run<NumberSet> {
  const found: number[] = []
  yield* messages(scope.selected.mailbox, among, ({ uid, facts }) => {
    if (threadId(facts) === id) found.push(uid)
  })
  return setOfAscending(found)
}

/** The sets that the keys name, as UIDs. */
function setsOf(selected: Selected, root: SearchKey): Map<SearchKey, NumberSet> {
  const sets = new Map<SearchKey, NumberSet>()
  const { view } = selected
  someKey(root, (key) => {
    if (key.kind !== 'uids' && key.kind !== 'sequences') return false
    if (key.set === '$') sets.set(key, selected.saved)
    else if (key.kind === 'uids') sets.set(key, resolveSet(key.set, view.lastUid))
    else {
      // Numbers that no message has find nothing, but are an error where they are meant for one (RFC 9051 §6.4.4).
      if (view.exists > 0 && key.set.some(({ first, last }) => tooHigh(first, view.exists) && tooHigh(last, view.exists))) {
        throw new Malformed('There is no message with that number')
      }
      const known = view.exists > 0 ? [{ first: 1, last: view.exists }] : []
      sets.set(key, view.uidsOf(common(resolveSet(key.set, view.exists), known)))
    }
    return false
  })
  return sets
}

const tooHigh = (number: number, most: number): boolean => number !== LAST && number > most

/** What is said of a charset that words cannot be read in (I57). */
export const badCharset = new Refused('BADCHARSET (US-ASCII UTF-8)', 'That charset is not known here')
