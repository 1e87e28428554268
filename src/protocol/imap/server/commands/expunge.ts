import { common, type NumberSet, setOfAscending } from '../../../bytes/number-set.ts'
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
    return yield* remove(context, undefined)
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
    const { saved, view } = context.selected!
    return yield* remove(context, set === '$' ? saved : resolveSet(set, view.lastUid))
  },
}

/** Those with `\Deleted`: all, or of these. */
function* remove(context: ImapContext, named: NumberSet | undefined): Run {
  const selected = context.selected!
  if (selected.readOnly) return no('The mailbox was opened to be read only', 'READ-ONLY')
  const deleted = setOfAscending(yield* deletedIn(selected.mailbox))
  const uids = named === undefined ? deleted : common(deleted, named)
  if (uids.length === 0) return ok('Nothing was marked for it')
  yield* ask({ kind: 'expunge', mailbox: selected.mailbox, uids })
  // It is told with what else is new, before the answer.
  selected.changed = true
  // RFC 7162 §3.2.7, §3.2.9: the mod-sequence that knows of it, which the sync point has by then.
  return { ...ok('Expunged'), tellsModSeq: true }
}
