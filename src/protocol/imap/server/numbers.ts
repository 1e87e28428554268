import { common, type NumberSet } from '../../bytes/number-set.ts'
import { Malformed } from '../reader.ts'
import { LAST, resolveSet, type SequenceSet } from '../sequence-set.ts'
import type { Selected } from './context.ts'

/** Sequence numbers where UIDONLY is enabled (RFC 9586 §3). */
export const noNumbers = new Malformed('Sequence numbers mean nothing any more', { code: 'UIDREQUIRED' })

/**
 * The UIDs of the messages that a command names, of those that the client knows of. A sequence number beyond the last message is
 * an error (RFC 9051 §9: seq-number), a UID that is not there is none (I35).
 */
export function uidsNamed(selected: Selected, set: SequenceSet, byUid: boolean): NumberSet {
  const { view } = selected
  if (set === '$') return common(selected.saved, view.uids)
  if (byUid) return common(resolveSet(set, view.lastUid), view.uids)
  for (const { first, last } of set) {
    // An empty mailbox has no `*`, and `1:*` of it is nothing rather than a mistake (I35).
    if (first > view.exists || last > view.exists) {
      if (view.exists > 0 || (first !== LAST && last !== LAST)) throw new Malformed('There is no message with that number')
    }
  }
  return view.uidsOf(common(resolveSet(set, view.exists), view.exists > 0 ? [{ first: 1, last: view.exists }] : []))
}
