import { readDateTime } from '../../dates.ts'
import type { Upload } from '../../events.ts'
import { normalFlags } from '../../flags.ts'
import type { Announced } from '../../fragments.ts'
import { MOST_UNASKED } from '../../limits.ts'
import type { ImapMailbox } from '../../mailbox.ts'
import { pathOf } from '../../mailbox-name.ts'
import { setOfAscending } from '../../../bytes/number-set.ts'
import { formatSet } from '../../sequence-set.ts'
import { Malformed, Reader } from '../../reader.ts'
import { type Behind, catenate } from '../catenate.ts'
import { ask, type Heard, ok, type Result, type Run, wait } from '../../run.ts'
import { Refused } from '../../../session/refusal.ts'
import { sayKept } from '../name-line.ts'
import { AUTHENTICATED, type Command, type ImapContext } from '../context.ts'

/**
 * APPEND (RFC 9051 §6.3.12), of several messages where the host can (RFC 3502). Where the client waits before it sends a
 * message, it is told before that there is no such mailbox or no room (I45).
 */
export const append: Command = {
  name: 'APPEND',
  states: AUTHENTICATED,
  streams: true,
  *run(context, reader, { announced }) {
    const head = yield* readMailbox(context, reader, announced)
    const mailbox = head.path && (yield* ask({ kind: 'mailbox', path: head.path }))
    if (!mailbox) throw new Refused('TRYCREATE', 'There is no such mailbox')
    try {
      const result = yield* appendTo(context, mailbox, head.rest, head.announced)
      // RFC 9051 §6.3.12.
      sayKept(context, { path: mailbox.path, mailbox }, head.name)
      return result
    } catch (error) {
      // What came in so far will not be appended.
      context.emit({ kind: 'abandoned', why: 'refused' })
      throw error
    }
  },
}

const QUOTE = 34
const SPACE = 32

/** Messages of one APPEND (RFC 3502). */
const MOST_MESSAGES = 1000

/** Where it goes; the name may be a literal too. */
export function* readMailbox(
  context: ImapContext,
  reader: Reader,
  announced: Announced | undefined,
): Run<{ name: string; path: readonly string[] | undefined; rest: Reader; announced: Announced | undefined }> {
  reader.space()
  if (!reader.done || announced === undefined) {
    const name = reader.astring()
    return { name, path: pathOf(name, context.nameForm), rest: reader, announced }
  }
  if (announced.octets > context.config.limits.literalOctets) throw new Malformed('Literal too large', { limit: 'literalOctets' })
  const name = yield* wait<string>({ kind: 'literal', announced })
  const line = yield* restOfLine()
  return { name, path: pathOf(name, context.nameForm), rest: new Reader([line.text]), announced: line.announced }
}

function* appendTo(
  context: ImapContext,
  mailbox: ImapMailbox,
  first: Reader,
  begins: Announced | undefined,
): Run<Result> {
  const { abilities } = context.config
  const messages: Upload[] = []
  let line: Pick<Behind, 'reader' | 'announced'> = { reader: first, announced: begins }
  for (let octets = 0; messages.length === 0 || line.announced !== undefined || !line.reader.done;) {
    if (messages.length > 0 && !abilities.multiAppend) throw new Refused('CANNOT', 'One message at a time')
    if (messages.length === MOST_MESSAGES) throw new Refused('LIMIT', 'Too many messages at a time', 'messages')
    const taken = yield* takeMessage(context, line, octets)
    messages.push(taken.upload)
    octets += taken.octets
    line = taken
  }
  const { uids } = yield* ask({ kind: 'append', mailbox: mailbox.id, messages })
  if (context.selected?.mailbox === mailbox.id) context.selected.changed = true
  context.notify?.hasAdded(mailbox, uids, context.selected?.mailbox)
  // RFC 4315 §3: in this order (I30).
  return ok('Appended', `APPENDUID ${mailbox.uidValidity} ${formatSet(setOfAscending(uids))}`)
}

/**
 * Takes in a message, from what is said of it on. `before`: octets of those before it; `instead`: of one whose place it is to
 * take.
 */
export function* takeMessage(
  context: ImapContext,
  line: Pick<Behind, 'reader' | 'announced'>,
  before: number,
  instead = 0,
): Run<Behind & { readonly upload: Upload }> {
  const { upload, form } = readUpload(line.reader)
  const room = { before, instead }
  const behind = form === 'catenate' ? yield* catenated(context, line, before) : yield* whole(context, line, room, form)
  return { ...behind, upload }
}

/** Takes in a message of so many parts. `before`: octets of those before it. */
function* catenated(context: ImapContext, line: Pick<Behind, 'reader' | 'announced'>, before: number): Run<Behind> {
  const { messageOctets, appendOctets } = context.config.limits
  context.emit({ kind: 'upload', octets: undefined })
  return yield* catenate(context, line, Math.min(messageOctets, appendOctets - before))
}

/** Takes in a message that comes as one literal. */
function* whole(
  context: ImapContext,
  { announced }: Pick<Behind, 'reader' | 'announced'>,
  { before, instead }: { readonly before: number; readonly instead: number },
  form: 'literal' | 'utf8',
): Run<Behind> {
  const { limits, abilities, literals } = context.config
  if (announced === undefined) throw new Malformed('A message is missing')
  const { octets, waits, binary } = announced
  if (octets === 0) throw new Malformed('An empty message')
  if (form === 'utf8' && !binary) throw new Malformed('UTF8 takes a literal8')
  if (!waits && literals === '-' && octets > MOST_UNASKED) throw new Malformed('Literal too large')
  // Where the client waits, it hears it before it sends; where it does not, what it sends passes unseen.
  if (octets > limits.messageOctets) throw new Refused('TOOBIG', 'Message too large', 'messageOctets')
  if (before + octets > limits.appendOctets) throw new Refused('TOOBIG', 'Messages too large', 'appendOctets')
  if (waits && abilities.quota) yield* checkRoom(before + octets - instead)
  context.emit({ kind: 'upload', octets })
  yield* wait<undefined>({ kind: 'stream', announced })
  const rest = yield* restOfLine()
  const reader = new Reader([rest.text])
  if (form === 'utf8') reader.expect(')')
  if (rest.announced === undefined && reader.peek() !== SPACE) reader.end()
  return { reader, announced: rest.announced, octets }
}

/** Says before a message is sent what would be said of it behind: that there is no room. */
function* checkRoom(octets: number): Run<void> {
  const quota = yield* ask({ kind: 'quota' })
  // RFC 8508 §3.4: what takes the place of something larger needs no room.
  const isFull = quota !== null && octets > 0 && quota.used.octets + octets > quota.limit.octets
  if (isFull) throw new Refused('OVERQUOTA', 'The account is full')
}

/** ` (\Seen) " 1-Nov-2026 09:00:00 +0000" ` before a message, and ` UTF8 (` (RFC 6855 §4) or ` CATENATE (` (RFC 4469). */
function readUpload(reader: Reader): { readonly upload: Upload; readonly form: 'literal' | 'utf8' | 'catenate' } {
  reader.space()
  let flags: readonly string[] = []
  let received: number | undefined
  if (reader.atList) {
    const given = normalFlags(reader.list(() => reader.flag(), true))
    if (given === undefined) throw new Refused('CANNOT', 'A flag that no mailbox here can keep')
    flags = given
    reader.space()
  }
  if (reader.peek() === QUOTE) {
    received = readDateTime(reader)
    reader.space()
  }
  const upload = { flags, received }
  if (reader.done) return { upload, form: 'literal' }
  const word = reader.word()
  if (word !== 'UTF8' && word !== 'CATENATE') throw new Malformed('A message is missing')
  reader.space()
  reader.expect('(')
  if (word === 'CATENATE') return { upload, form: 'catenate' }
  if (!reader.done) throw new Malformed('A message is missing')
  return { upload, form: 'utf8' }
}

/** What follows a literal. */
function* restOfLine(): Run<Heard> {
  const line = yield* wait<Heard>({ kind: 'rest' })
  if (line.broken) throw new Malformed('Nothing that can follow a literal')
  return line
}
