import { replyLine } from '../../reply.ts'
import { ask, err, ok, type Result, type Run, wait } from '../../run.ts'
import { Refused } from '../../../session/refusal.ts'
import { Stuffing } from '../../stuffing.ts'
import { Top } from '../../top.ts'
import { message, none, number, words } from '../arguments.ts'
import { type Command, type Pop3Context, TRANSACTION } from '../context.ts'

/** Octets of a message in which most have their header, and a few lines. */
const FIRST_OF_TOP = 16_384

const EMPTY = new Uint8Array(0)

/** RETR (RFC 1939 §5): a whole message. */
export const retr: Command = {
  name: 'RETR',
  states: TRANSACTION,
  *run(context, argument) {
    const [word, ...rest] = words(argument)
    none(rest.join(' '))
    return yield* send(context, message(context, word), undefined)
  },
}

/** TOP (RFC 1939 §7): its header, and so many lines of its body. */
export const top: Command = {
  name: 'TOP',
  states: TRANSACTION,
  *run(context, argument) {
    const [word, lines, ...rest] = words(argument)
    none(rest.join(' '))
    const wanted = number(lines)
    return yield* send(context, message(context, word), new Top(wanted))
  },
}

/**
 * Sends a message, or what `top` leaves of it, piece by piece: the next is asked for only once the session has room for it. The
 * first is there before anything is promised.
 */
function* send(context: Pop3Context, number: number, top: Top | undefined): Run<Result | undefined> {
  const { limits, refusesUtf8 } = context.config
  const maildrop = context.maildrop!
  const uid = maildrop.uidOf(number)
  const octets = maildrop.sizeOf(number)
  const most = top ? Math.min(limits.pieceOctets, FIRST_OF_TOP) : limits.pieceOctets
  let bytes = yield* piece(uid, 0, Math.min(octets, most))
  if (refusesUtf8 && !context.utf8 && hasHighHeader(bytes)) return err('Say UTF8 before you log in', 'UTF8')
  context.write(replyLine(ok(top ? 'Top of message follows' : `${octets} octets`)))
  const stuffing = new Stuffing()
  for (let at = 0; ;) {
    context.write(stuffing.add(top ? bytes.subarray(0, top.take(bytes)) : bytes))
    at += bytes.length
    if (at >= octets || top?.isDone) break
    yield* wait<undefined>({ kind: 'room' })
    try {
      bytes = yield* piece(uid, at, Math.min(octets, at + limits.pieceOctets))
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      // More was promised. Without the last dot no client takes it for the whole.
      context.close('fault')
      return undefined
    }
  }
  context.write(stuffing.end())
  return undefined
}

function* piece(uid: number, start: number, end: number): Run<Uint8Array> {
  if (start === end) return EMPTY
  const bytes = yield* ask({ kind: 'octets', uid, start, end })
  if (bytes === null || bytes.length !== end - start) throw new Refused('SYS/TEMP', 'The message cannot be had')
  return bytes
}

/** Whether there is an octet above 127 in the header, as far as it is here. */
function hasHighHeader(bytes: Uint8Array): boolean {
  return bytes.subarray(0, new Top(0).take(bytes)).some((octet) => octet > 127)
}
