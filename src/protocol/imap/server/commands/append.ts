import { readDateTime } from '../../dates.ts'
import type { Upload } from '../../events.ts'
import { normalFlags } from '../../flags.ts'
import type { Announced } from '../../fragments.ts'
import type { ImapMailbox } from '../../mailbox.ts'
import { pathOf } from '../../mailbox-name.ts'
import { formatSet, setOfAscending } from '../../ranges.ts'
import { Malformed, Reader } from '../../reader.ts'
import { MOST_UNASKED } from '../command-reading.ts'
import { ask, type Heard, ok, Refused, type Result, type Run, wait } from '../../run.ts'
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
    if (announced === undefined) throw new Malformed('A message is missing')
    const head = yield* readMailbox(context, reader, announced)
    const mailbox = head.path && (yield* ask({ kind: 'mailbox', path: head.path }))
    if (!mailbox) throw new Refused('TRYCREATE', 'There is no such mailbox')
    try {
      return yield* appendTo(context, mailbox, head.rest, head.announced)
    } catch (error) {
      // What came in so far will not be appended.
      context.emit({ kind: 'abandoned', why: 'refused' })
      throw error
    }
  },
}

const QUOTE = 34

/** Messages of one APPEND (RFC 3502). */
const MOST_MESSAGES = 1000

/** Where it goes; the name may be a literal too. */
function* readMailbox(
  context: ImapContext,
  reader: Reader,
  announced: Announced,
): Run<{ path: readonly string[] | undefined; rest: Reader; announced: Announced }> {
  reader.space()
  if (!reader.done) return { path: pathOf(reader.astring(), context.nameForm), rest: reader, announced }
  if (announced.octets > context.config.limits.literalOctets) throw new Malformed('Literal too large')
  const name = yield* wait<string>({ kind: 'literal', announced })
  const line = yield* restOfLine()
  if (line.announced === undefined) throw new Malformed('A message is missing')
  return { path: pathOf(name, context.nameForm), rest: new Reader([line.text]), announced: line.announced }
}

function* appendTo(context: ImapContext, mailbox: ImapMailbox, first: Reader, begins: Announced): Run<Result> {
  const { limits, abilities } = context.config
  const messages: Upload[] = []
  let octets = 0
  let announced: Announced | undefined = begins
  for (let reader = first; announced !== undefined;) {
    const { upload, utf8 } = readUpload(reader)
    messages.push(upload)
    octets += announced.octets
    if (announced.octets === 0) throw new Malformed('An empty message')
    if (utf8 && !announced.binary) throw new Malformed('UTF8 takes a literal8')
    if (!announced.waits && context.config.literals === '-' && announced.octets > MOST_UNASKED) throw new Malformed('Literal too large')
    // Where the client waits, it hears it before it sends; where it does not, what it sends passes unseen.
    if (announced.octets > limits.messageOctets || octets > limits.appendOctets) throw new Refused('TOOBIG', 'Message too large')
    if (messages.length > 1 && !abilities.multiAppend) throw new Refused('CANNOT', 'One message at a time')
    if (messages.length > MOST_MESSAGES) throw new Refused('LIMIT', 'Too many messages at a time')
    if (announced.waits && abilities.quota) yield* checkRoom(octets)
    context.emit({ kind: 'upload', octets: announced.octets })
    yield* wait<undefined>({ kind: 'stream', announced })
    const line: Heard = yield* restOfLine()
    reader = new Reader([line.text])
    announced = line.announced
    if (utf8) reader.expect(')')
    if (announced === undefined) reader.end()
  }
  const { uids } = yield* ask({ kind: 'append', mailbox: mailbox.id, messages })
  if (context.selected?.mailbox === mailbox.id) context.selected.changed = true
  // RFC 4315 §3: in this order (I30).
  return ok('Appended', `APPENDUID ${mailbox.uidValidity} ${formatSet(setOfAscending(uids))}`)
}

/** Says before a message is sent what would be said of it behind: that there is no room. */
function* checkRoom(octets: number): Run<void> {
  const quota = yield* ask({ kind: 'quota' })
  if (quota && quota.used.octets + octets > quota.limit.octets) throw new Refused('OVERQUOTA', 'The account is full')
}

/** ` (\Seen) " 1-Nov-2026 09:00:00 +0000" ` before a message, and ` UTF8 (` (RFC 6855 §4). */
function readUpload(reader: Reader): { readonly upload: Upload; readonly utf8: boolean } {
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
  const utf8 = !reader.done
  if (utf8) {
    if (reader.word() !== 'UTF8') throw new Malformed('A message is missing')
    reader.space()
    reader.expect('(')
  }
  if (!reader.done) throw new Malformed('A message is missing')
  return { upload: { flags, received }, utf8 }
}

/** What follows a literal. */
function* restOfLine(): Run<Heard> {
  const line = yield* wait<Heard>({ kind: 'rest' })
  if (line.broken) throw new Malformed('Nothing that can follow a literal')
  return line
}

