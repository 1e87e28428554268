import { common, type NumberSet, together, within, without } from '../../bytes/number-set.ts'
import { formatSet } from '../sequence-set.ts'
import { ask, flow, type Run } from '../run.ts'
import { LAST, resolveSet, type SequenceSet } from '../sequence-set.ts'
import type { ImapContext, Selected } from './context.ts'
import { flagsText, messageText, tellKeywords, wantsUid } from './synchronise.ts'

/** The highest UID there can be. */
const HIGHEST = 0xffffffff

/**
 * Tells a client that has known a mailbox before what happened to messages of it since then: what is gone, then what has changed
 * (RFC 7162 §3.2.5.1): of the UIDs it knows, or of all. Of those up to `matched` it knows which are gone.
 */
export function* resynchronise(
  context: ImapContext,
  selected: Selected,
  since: number,
  known: NumberSet | undefined,
  matched: number,
): Run<void> {
  const uids = known ?? [{ first: 1, last: HIGHEST }]
  yield* sayVanished(context, selected, since, within(uids, matched + 1, HIGHEST))
  for (let left = common(uids, selected.view.uids); left.length > 0;) {
    const { items, last } = yield* ask({ kind: 'entries', mailbox: selected.mailbox, uids: left, since })
    for (const { uid, flags, modSeq } of items) {
      tellKeywords(context, selected, flags)
      const text = flagsText(context, selected, uid, flags)
      const begins = messageText(context, selected.view.sequenceOf(uid), uid)
      context.say(`${begins}${wantsUid(context) ? `UID ${uid} ` : ''}FLAGS ${text} MODSEQ (${modSeq}))`)
      yield* flow(context)
    }
    const end = items[items.length - 1]
    if (last || end === undefined) return
    left = within(left, end.uid + 1, HIGHEST)
  }
}

/**
 * Says which of the UIDs were expunged after a mod-sequence, those aside that the client does not know to be gone from the
 * mailbox it has selected (RFC 7162 §3.2.6). Never one that is there, or that nobody has had: whoever is told that it has
 * vanished deletes it (I34).
 */
export function* sayVanished(context: ImapContext, selected: Selected, since: number, given: NumberSet): Run<void> {
  const { view, uidNext } = selected
  const uids = within(given, 1, uidNext - 1)
  let vanished: NumberSet = []
  for (let from = since, more = uids.length > 0; more;) {
    const changes = yield* ask({ kind: 'changes', mailbox: selected.mailbox, since: from })
    // Whoever asks for what the store has forgotten is told of everything that is not there.
    if (!changes.complete) vanished = uids
    else vanished = together(vanished, common(changes.vanished, uids))
    from = changes.modSeq
    more = changes.more && changes.complete
  }
  vanished = without(vanished, view.uids)
  if (vanished.length > 0) context.say(`* VANISHED (EARLIER) ${formatSet(vanished)}`)
}

/** The UIDs that a set may mean where they need not be there: up to `*` is up to whatever there was (RFC 7162 §3.2.6). */
export function uidsMeant(selected: Selected, set: SequenceSet): NumberSet {
  if (set === '$') return selected.saved
  const open = set.filter(({ first, last }) => first === LAST || last === LAST).map(({ first, last }) => first + last)
  const all = resolveSet(set, selected.view.lastUid)
  return open.length === 0 ? all : together(all, [{ first: Math.max(1, Math.min(...open)), last: HIGHEST }])
}
