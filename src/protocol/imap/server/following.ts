import { common, type NumberSet, setOf, sizeOf, together, without } from '../../bytes/number-set.ts'
import { formatSet } from '../sequence-set.ts'
import { type Run } from '../run.ts'
import { Refused } from '../../session/refusal.ts'
import type { SearchKey } from '../search-keys.ts'
import { resolveSet } from '../sequence-set.ts'
import type { Followed, ImapContext, Selected } from './context.ts'
import { search } from './searching.ts'

/** Searches of a mailbox that are followed at a time: each costs a look at every message that changes. */
const MOST_FOLLOWED = 8

/** Goes on telling what a search finds (RFC 5267 §4.3), or says that it will not. */
export function follow(context: ImapContext, selected: Selected, tag: string, followed: Followed): void {
  if (selected.followed.size >= MOST_FOLLOWED) sayNotFollowed(context, tag)
  else selected.followed.set(tag, followed)
}

/** RFC 5267 §4.3.1. */
export function sayNotFollowed(context: ImapContext, tag: string): void {
  context.say(`* NO [NOUPDATE "${tag}"] What it finds is not followed`)
}

/** Notes that messages have come or changed, where a search is followed that may find them. */
export function touch(selected: Selected, messages: readonly { readonly uid: number }[]): void {
  if (selected.followed.size > 0) selected.touched = [...selected.touched, ...messages.map(({ uid }) => uid)]
}

/** Tells searches of messages that are gone, before their sequence numbers are (RFC 5267 §4.3.4). */
export function tellSearchesOfGone(context: ImapContext, selected: Selected): void {
  for (const [tag, followed] of selected.followed) {
    const lost = common(followed.found, selected.gone)
    if (lost.length === 0) continue
    followed.found = without(followed.found, lost)
    context.say(`${found(context, tag, followed)} REMOVEFROM (0 ${numbers(context, selected, followed, lost)})`)
  }
}

/** Tells searches of messages that have come or changed, once the client knows of them (RFC 5267 §4.3.3). */
export function* tellSearches(context: ImapContext, selected: Selected): Run<void> {
  if (selected.touched.length === 0) return
  const { touched, view, gone } = selected
  const uids = without(common(setOf(touched.map((uid) => ({ first: uid, last: uid }))), view.uids), gone)
  selected.touched = []
  try {
    for (const [tag, followed] of selected.followed) yield* tellSearch(context, selected, tag, followed, uids)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    // Another time: what they found is what the client was told.
    selected.touched = [...touched, ...selected.touched]
  }
}

function* tellSearch(context: ImapContext, selected: Selected, tag: string, followed: Followed, uids: NumberSet): Run<void> {
  const key: SearchKey = { kind: 'and', keys: [{ kind: 'uids', set: uids }, followed.key] }
  const now = uids.length === 0 ? [] : yield* search(selected, key)
  const came = without(now, followed.found)
  const went = without(common(followed.found, uids), now)
  if (sizeOf(came) + sizeOf(went) === 0) return
  followed.found = together(without(followed.found, went), came)
  if (followed.items) followed.came = together(followed.came ?? [], came)
  const items = [
    ...(went.length === 0 ? [] : [`REMOVEFROM (0 ${numbers(context, selected, followed, went)})`]),
    ...(came.length === 0 ? [] : [`ADDTO (0 ${numbers(context, selected, followed, came)})`]),
  ]
  context.say(`${found(context, tag, followed)} ${items.join(' ')}`)
}

/** Also one that was followed by sequence numbers before UIDONLY was enabled (RFC 9586 §3). */
const isByUid = ({ enabled }: ImapContext, { byUid }: Followed): boolean => byUid || enabled.has('UIDONLY')

const found = (context: ImapContext, tag: string, followed: Followed): string =>
  `* ESEARCH (TAG "${tag}")${isByUid(context, followed) ? ' UID' : ''}`

const numbers = (context: ImapContext, { view }: Selected, followed: Followed, uids: NumberSet): string =>
  formatSet(isByUid(context, followed) ? uids : view.sequencesOf(uids))

/** A key with the UIDs that its sequence numbers and `$` mean now. A number that no message has means none. */
export function withUids(selected: Selected, key: SearchKey): SearchKey {
  const { view, saved } = selected
  switch (key.kind) {
    case 'not':
      return { kind: 'not', key: withUids(selected, key.key) }
    case 'and':
    case 'or':
      return { kind: key.kind, keys: key.keys.map((one) => withUids(selected, one)) }
    case 'uids':
    case 'sequences': {
      if (key.set === '$') return { kind: 'uids', set: saved }
      if (key.kind === 'uids') return key
      const known = view.exists > 0 ? [{ first: 1, last: view.exists }] : []
      return { kind: 'uids', set: view.uidsOf(common(resolveSet(key.set, view.exists), known)) }
    }
    default:
      return key
  }
}
