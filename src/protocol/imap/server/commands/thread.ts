import { contains } from '../../../bytes/number-set.ts'
import { Malformed, type Reader } from '../../reader.ts'
import { ok, type Run } from '../../run.ts'
import { type Linked, threadByReferences, threadBySubject } from '../../threads.ts'
import { columns } from '../asking.ts'
import { type Command, type ImapContext, SELECTED } from '../context.ts'
import { inTurns, type Looked } from '../looked.ts'
import { search as find } from '../searching.ts'
import { readKeys } from './search.ts'

/** THREAD (RFC 5256). */
export const thread: Command = {
  name: 'THREAD',
  states: SELECTED,
  bySequence: true,
  holdsExpunge: true,
  isLong: true,
  run: (context, reader) => run(context, reader, false),
}

/** UID THREAD. */
export const uidThread: Command = {
  name: 'UID THREAD',
  states: SELECTED,
  isLong: true,
  run: (context, reader) => run(context, reader, true),
}

const algorithms = new Map([['REFERENCES', threadByReferences], ['ORDEREDSUBJECT', threadBySubject]])

function* run(context: ImapContext, reader: Reader, byUid: boolean): Run {
  reader.space()
  const algorithm = algorithms.get(reader.word())
  if (algorithm === undefined) throw new Malformed('There is no such algorithm')
  reader.space()
  const charset = reader.astring()
  reader.space()
  const key = readKeys(context, reader, charset)
  reader.end()
  const selected = context.selected!
  const found = yield* find(selected, key)
  const so: Looked = { looked: 0 }
  const linked: Linked[] = []
  const numbers: number[] = []
  let last = 0
  yield* columns(selected, 'thread', found, ({ uids, values }) => {
    for (let at = 0; at < uids.length; at++) {
      const uid = uids[at]!
      if (uid <= last || !contains(found, uid)) continue
      last = uid
      linked.push(values[at]!)
      numbers.push(byUid ? uid : selected.view.sequenceOf(uid))
    }
  })
  const threads = yield* inTurns(so, algorithm(linked, numbers))
  context.say(threads === '' ? '* THREAD' : `* THREAD ${threads}`)
  return ok('Threaded')
}
