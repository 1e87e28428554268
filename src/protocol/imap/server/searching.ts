import type { ImapEntry, ImapMessage } from '../mailbox.ts'
import { common, contains, type NumberSet, within } from '../ranges.ts'
import { Malformed } from '../reader.ts'
import { ask, type Run } from '../run.ts'
import { Refused } from '../../session/refusal.ts'
import { musts, type SearchKey, someKey } from '../search-keys.ts'
import { LAST, resolveSet } from '../sequence-set.ts'
import type { Selected } from './context.ts'
import { Candidate, isOfEntry, matches, type SearchScope } from './matching.ts'
import { isWord } from './words.ts'

/** Words shorter than this are in most messages: no index is asked. */
const LEAST_WORDS = 3

/** Messages in a row that a host lists at the cost of one more range: rather than for scattered ones it is asked for all. */
const RANGE = 200

/** The messages, of those the client knows of, that a key asks for, in ascending UID order: what `pick` makes of each. */
export function search<Row>(selected: Selected, key: SearchKey, facts: false, pick: (entry: ImapEntry) => Row): Run<Row[]>
export function search<Row>(selected: Selected, key: SearchKey, facts: true, pick: (message: ImapMessage) => Row): Run<Row[]>
export function* search<Row>(
  selected: Selected,
  key: SearchKey,
  facts: boolean,
  pick: (message: ImapMessage) => Row,
): Run<Row[]> {
  // The session's own time is only good for deadlines.
  const now = someKey(key, ({ kind }) => kind === 'age') ? yield* ask({ kind: 'clock' }) : 0
  const scope: SearchScope = { sets: setsOf(selected, key), recent: selected.recent, now, looked: 0 }
  let left = selected.view.uids
  const rest: SearchKey[] = []
  for (const must of musts(key)) {
    const set = scope.sets.get(must)
    if (set !== undefined) left = common(left, set)
    else if (must.kind !== 'all') rest.push(must)
  }
  for (const must of rest) left = yield* narrowed(selected, must, left)
  const kind = facts || rest.some((one) => someKey(one, (any) => !isOfEntry(any) && !onlyReceived(any))) ? 'messages' : 'entries'
  const found: Row[] = []
  const chosen = left
  const scattered = chosen.length * RANGE > selected.view.exists
  if (scattered) left = selected.view.uids
  while (left.length > 0) {
    const { items, last } = yield* ask({ kind, mailbox: selected.mailbox, uids: left, since: 0 })
    for (const entry of items) {
      if (scattered && !contains(chosen, entry.uid)) continue
      if (yield* meetsAll(scope, rest, new Candidate(entry))) found.push(pick(entry as ImapMessage))
    }
    const end = items[items.length - 1]
    if (last || end === undefined) break
    left = within(left, end.uid + 1, 0xffffffff)
  }
  return found
}

const onlyReceived = (key: SearchKey): boolean => key.kind === 'date' && key.of !== 'sent'

function* meetsAll(scope: SearchScope, keys: readonly SearchKey[], candidate: Candidate): Run<boolean> {
  for (const key of keys) if (!(yield* matches(scope, key, candidate))) return false
  return true
}

/** Those that may contain the words, where the host has an index that tells. */
function* narrowed(selected: Selected, key: SearchKey, uids: NumberSet): Run<NumberSet> {
  if (key.kind !== 'text' && !isInHeader(key)) return uids
  if (key.words.length < LEAST_WORDS) return uids
  const where = key.kind === 'text' ? key.where : 'text'
  const may = yield* ask({ kind: 'candidates', mailbox: selected.mailbox, words: key.words, where })
  return may === null ? uids : common(uids, may)
}

/** Whether what has the words in the field that the key names has them in its header in the same way. */
function isInHeader(key: SearchKey): key is Extract<SearchKey, { readonly kind: 'subject' | 'address' | 'header' }> {
  return (key.kind === 'subject' || key.kind === 'address' || key.kind === 'header') && isWord(key.words)
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
