import { pathOf } from '../../mailbox-name.ts'
import { setOfAscending } from '../../../bytes/number-set.ts'
import { formatSet } from '../../sequence-set.ts'
import type { Reader } from '../../reader.ts'
import { ask, no, ok, type Run } from '../../run.ts'
import { type Command, type ImapContext, SELECTED } from '../context.ts'
import { uidsNamed } from '../numbers.ts'
import { goneOf } from '../synchronise.ts'

/** COPY (RFC 9051 §6.4.7). */
export const copy: Command = {
  name: 'COPY',
  states: SELECTED,
  bySequence: true,
  holdsExpunge: true,
  run: (context, reader) => run(context, reader, false, false),
}

/** UID COPY (RFC 9051 §6.4.9). */
export const uidCopy: Command = {
  name: 'UID COPY',
  states: SELECTED,
  run: (context, reader) => run(context, reader, true, false),
}

/** MOVE (RFC 6851, RFC 9051 §6.4.8): its whole point is that messages go. */
export const move: Command = {
  name: 'MOVE',
  states: SELECTED,
  bySequence: true,
  run: (context, reader) => run(context, reader, false, true),
}

/** UID MOVE. */
export const uidMove: Command = {
  name: 'UID MOVE',
  states: SELECTED,
  run: (context, reader) => run(context, reader, true, true),
}

function* run(context: ImapContext, reader: Reader, byUid: boolean, moves: boolean): Run {
  reader.space()
  const set = reader.sequenceSet()
  reader.space()
  const path = pathOf(reader.astring(), context.nameForm)
  reader.end()
  const selected = context.selected!
  const uids = uidsNamed(selected, set, byUid)
  if (moves && selected.readOnly) return no('The mailbox was opened to be read only', 'READ-ONLY')
  if (moves && !context.config.abilities.move) return no('Messages cannot be moved here', 'CANNOT')
  const target = path && (yield* ask({ kind: 'mailbox', path }))
  // I45: never made by the way.
  if (!target) return no('There is no such mailbox', 'TRYCREATE')
  if (uids.length === 0) return ok('No such messages')
  // RFC 2180 §4.4.1: all or none of those that were meant by their numbers (I18).
  if (!byUid && (yield* goneOf(selected, uids)).length > 0) return no('Some of the messages are gone', 'EXPUNGEISSUED')
  const copied = yield* ask({ kind: 'copy', mailbox: selected.mailbox, uids, to: target.id, move: moves })
  // Where messages come or go here, that is told with what else is new.
  if (moves || target.id === selected.mailbox) selected.changed = true
  context.notify?.hasAdded(target, copied.map(({ to }) => to), selected.mailbox)
  if (copied.length === 0) return ok('No such messages')
  // RFC 4315 §3: pairwise (I30).
  const from = formatSet(setOfAscending(copied.map((one) => one.from)))
  const to = formatSet(setOfAscending(copied.map((one) => one.to)))
  const code = `COPYUID ${target.uidValidity} ${from} ${to}`
  if (!moves) return ok('Copied', code)
  // RFC 6851 §4.3: before the EXPUNGEs.
  context.say(`* OK [${code}] Moved`)
  return { ...ok('Moved'), tellsModSeq: true }
}
