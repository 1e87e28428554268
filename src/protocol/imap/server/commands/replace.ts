import { Malformed, type Reader } from '../../reader.ts'
import { ask, ok, type Run } from '../../run.ts'
import { Refused } from '../../../session/refusal.ts'
import { LAST } from '../../sequence-set.ts'
import { type Command, type ImapContext, type Invocation, SELECTED, type Selected } from '../context.ts'
import { sayKept } from '../name-line.ts'
import { uidsNamed } from '../numbers.ts'
import { readMailbox, takeMessage } from './append.ts'

/** REPLACE (RFC 8508 §3.2): one message in the place of another. */
export const replace: Command = {
  name: 'REPLACE',
  states: SELECTED,
  bySequence: true,
  streams: true,
  run: (context, reader, invocation) => run(context, reader, invocation, false),
}

/** UID REPLACE (RFC 8508 §3.3). */
export const uidReplace: Command = {
  name: 'UID REPLACE',
  states: SELECTED,
  streams: true,
  run: (context, reader, invocation) => run(context, reader, invocation, true),
}

function* run(context: ImapContext, reader: Reader, { announced }: Invocation, byUid: boolean): Run {
  const selected = context.selected!
  reader.space()
  const number = reader.maybe('*') ? LAST : reader.nzNumber()
  const head = yield* readMailbox(context, reader, announced)
  if (!context.config.abilities.replace) throw new Refused('CANNOT', 'Messages cannot be replaced here')
  const [named] = uidsNamed(selected, [{ first: number, last: number }], byUid)
  if (selected.readOnly) throw new Refused('READ-ONLY', 'The mailbox was opened to be read only')
  // RFC 8508 §3.2: where there is nothing to remove it fails, other than UID commands do that may name nothing.
  if (named === undefined) throw new Refused('NONEXISTENT', 'There is no such message')
  // RFC 8508 §3.4: extensions and response codes are those of APPEND (I45).
  const target = head.path && (yield* ask({ kind: 'mailbox', path: head.path }))
  if (!target) throw new Refused('TRYCREATE', 'There is no such mailbox')
  const octets = yield* sizeOf(selected, named.first)
  try {
    const { upload, ...behind } = yield* takeMessage(context, { reader: head.rest, announced: head.announced }, 0, octets)
    // RFC 8508 §4.7.
    if (behind.announced !== undefined || !behind.reader.done) throw new Malformed('One message takes the place of one')
    const uid = named.first
    const done = yield* ask({ kind: 'replace', mailbox: selected.mailbox, uid, to: target.id, message: upload })
    selected.changed = true
    if (done === null) throw gone
    context.notify?.hasAdded(target, [done.uid], selected.mailbox)
    sayKept(context, { path: target.path, mailbox: target }, head.name)
    // RFC 8508 §4.3: before it is told that the other is gone.
    context.say(`* OK [APPENDUID ${target.uidValidity} ${done.uid}] Replacement is there`)
    // RFC 8508 §4.5: as with UID EXPUNGE (RFC 7162 §3.2.9).
    return { ...ok('Replaced'), tellsModSeq: true }
  } catch (error) {
    // What came in so far will not be kept.
    context.emit({ kind: 'abandoned', why: 'refused' })
    throw error
  }
}

/** I18: another session was faster. */
const gone = new Refused('EXPUNGEISSUED', 'The message is gone')

/** How much room it leaves. */
function* sizeOf(selected: Selected, uid: number): Run<number> {
  const { items } = yield* ask({ kind: 'entries', mailbox: selected.mailbox, uids: [{ first: uid, last: uid }], since: 0 })
  const [there] = items
  if (there === undefined) throw gone
  return there.octets
}
