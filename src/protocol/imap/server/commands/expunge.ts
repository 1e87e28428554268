import { common, setOfAscending } from '../../ranges.ts'
import { resolveSet } from '../../sequence-set.ts'
import { ask, no, ok, type Run } from '../../run.ts'
import { type Command, type ImapContext, SELECTED } from '../context.ts'
import { deletedIn } from './close.ts'

/** EXPUNGE (RFC 9051 §6.4.3). */
export const expunge: Command = {
  name: 'EXPUNGE',
  states: SELECTED,
  *run(context, reader) {
    reader.end()
    return yield* remove(context, yield* deletedIn(context.selected!.mailbox))
  },
}

/** UID EXPUNGE (RFC 4315 §2.1): of those with `\Deleted` only these. */
export const uidExpunge: Command = {
  name: 'UID EXPUNGE',
  states: SELECTED,
  *run(context, reader) {
    reader.space()
    const set = reader.sequenceSet()
    reader.end()
    const { saved, view, mailbox } = context.selected!
    const named = set === '$' ? saved : resolveSet(set, view.lastUid)
    return yield* remove(context, [...deletedOf(yield* deletedIn(mailbox), named)])
  },
}

function* deletedOf(uids: readonly number[], named: ReturnType<typeof setOfAscending>): Generator<number> {
  for (const { first, last } of common(setOfAscending(uids), named)) for (let uid = first; uid <= last; uid++) yield uid
}

function* remove(context: ImapContext, uids: readonly number[]): Run {
  const selected = context.selected!
  if (selected.readOnly) return no('The mailbox was opened to be read only', 'READ-ONLY')
  if (uids.length === 0) return ok('Nothing was marked for it')
  yield* ask({ kind: 'expunge', mailbox: selected.mailbox, uids: setOfAscending(uids) })
  // It is told with what else is new, before the answer.
  selected.changed = true
  // RFC 7162 §3.2.7: the mod-sequence that knows of it, which the sync point has by then.
  return ok('Expunged')
}
