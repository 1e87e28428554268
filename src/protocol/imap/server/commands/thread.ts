import { baseSubject } from '../../../../message/base-subject.ts'
import { foldText } from '../../../../message/search-text.ts'
import type { ImapMessage } from '../../mailbox.ts'
import { Malformed, type Reader } from '../../reader.ts'
import { ok, type Run } from '../../run.ts'
import { threadByReferences, threadBySubject, type Threaded } from '../../threads.ts'
import { type Command, type ImapContext, SELECTED } from '../context.ts'
import { decoded } from '../matching.ts'
import { search as find } from '../searching.ts'
import { readKeys } from './search.ts'
import { sentDate } from './sort.ts'

/** THREAD (RFC 5256). */
export const thread: Command = {
  name: 'THREAD',
  states: SELECTED,
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
  const threads = algorithm(yield* find(selected, key, true, (message) =>
    threadedOf(message, byUid ? message.uid : selected.view.sequenceOf(message.uid))))
  context.say(threads === '' ? '* THREAD' : `* THREAD ${threads}`)
  return ok('Threaded')
}

function threadedOf(message: ImapMessage, number: number): Threaded {
  const { facts } = message
  const { text, reply } = baseSubject(decoded(facts.envelope.subject ?? ''))
  return { number, id: facts.messageId, references: facts.references, subject: foldText(text), reply, sent: sentDate(message) }
}
