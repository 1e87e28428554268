import { asciiUpper, isAscii } from '../../../bytes/text.ts'
import { dateTimeOf } from '../../date-time.ts'
import type { SenderQuestion } from '../../events.ts'
import type { SmtpExtensions } from '../../extensions.ts'
import { mailReaders, plainMail, readParameters } from '../../parameters.ts'
import { parsePath } from '../../path.ts'
import { encodeReply, reply, type Reply } from '../../reply.ts'
import { type Command, locked, refuses, type ServerContext, wireOf } from '../context.ts'
import { replies } from '../replies.ts'

const NO_READERS: typeof mailReaders = new Map()

/** Where the path begins in `FROM:<…` or `TO:<…`, spaces after the colon skipped (S25), or -1. */
export function pathStart(argument: string, word: 'FROM:' | 'TO:'): number {
  let at = 0
  while (argument.charCodeAt(at) === 32) at++
  const end = at + word.length
  if (!argument.startsWith(word, at) && asciiUpper(argument.slice(at, end)) !== word) return -1
  at = end
  while (argument.charCodeAt(at) === 32) at++
  return at
}

/** 501 for an address that is none. */
export const badAddress = (why: string, enhanced: '5.1.7' | '5.1.3'): string =>
  encodeReply(reply(501, enhanced, `Bad address: ${why}`))

/** MAIL FROM (RFC 5321 §4.1.1.2). */
export const mail: Command = (context, argument) => {
  const { config } = context
  context.senderRefused = true
  if (!context.hello) return void context.complain(config.lmtp ? replies.helloFirstLmtp : replies.helloFirst)
  const key = locked(context)
  if (key !== undefined) return void context.complain(key)
  if (context.transaction) return void context.complain(replies.nestedMail)
  // RFC 9422 §4.1: MAILMAX was announced.
  if (context.transactions >= config.limits.transactions) return context.close('limit', replies.tooManyTransactions)
  const from = pathStart(argument, 'FROM:')
  if (from < 0) return void context.complain(replies.mailSyntax)
  const parsed = parsePath(argument, from, { lenient: config.rules.lenientPaths, recipient: false })
  if ('error' in parsed) return void context.complain(badAddress(parsed.error, '5.1.7'))
  // HELO promises no extension, so nothing may follow the address (S30).
  const read = readParameters(argument, parsed.end, plainMail, context.hello === 'HELO' ? NO_READERS : config.mailReaders)
  if ('refusal' in read) return void context.complain(encodeReply(read.refusal))
  const { parameters } = read
  if (parsed.path && !parameters.smtpUtf8 && !isAscii(parsed.path.wire)) return void context.complain(replies.utf8NotAllowed)
  const refusal = beyondOffer(context, parameters)
  if (refusal !== undefined) return void context.say(refusal)
  const question: SenderQuestion = { kind: 'sender', id: context.id(), sender: parsed.path, parameters }
  return context.ask(question)
}

/** Parameters that are sound but ask for more than is offered here. */
function beyondOffer(context: ServerContext, parameters: SenderQuestion['parameters']): string | undefined {
  const { extensions, limits } = context.config
  // RFC 1870 §6.1: refused before a single octet was sent (S29).
  if (parameters.size !== undefined && parameters.size > limits.messageOctets) return replies.tooLarge
  if (parameters.requireTls && !context.secure) return replies.requireTlsNeedsTls
  if (parameters.body === 'BINARYMIME' && !extensions.binaryMime) {
    return encodeReply(reply(555, '5.5.4', 'BODY=BINARYMIME is not offered'))
  }
  const { deliverBy, hold } = parameters
  const least = typeof extensions.deliverBy === 'number' ? extensions.deliverBy : 0
  // RFC 2852 §4.1: less than the announced minimum cannot be kept.
  if (deliverBy?.mode === 'return' && deliverBy.seconds < least) {
    return encodeReply(reply(555, '5.4.7', `Delivery within less than ${least} seconds cannot be promised`))
  }
  return hold && extensions.futureRelease ? tooLateFor(extensions.futureRelease, hold) : undefined
}

/** RFC 4865 §4.1: later than announced is refused. */
function tooLateFor(
  { seconds, until }: Exclude<SmtpExtensions['futureRelease'], false>, hold: NonNullable<SenderQuestion['parameters']['hold']>,
): string | undefined {
  if ('seconds' in hold) {
    return hold.seconds > seconds ? encodeReply(reply(501, '5.5.4', `HOLDFOR takes at most ${seconds}`)) : undefined
  }
  const isTooLate = (dateTimeOf(hold.until) ?? 0) > (dateTimeOf(until) ?? Infinity)
  return isTooLate ? encodeReply(reply(501, '5.5.4', `HOLDUNTIL takes at most ${until}`)) : undefined
}

/** The answer to a `sender` question. */
export function settleSender(context: ServerContext, question: SenderQuestion, answer: Reply | undefined): string {
  const wire = wireOf(answer, replies.senderOk)
  if (refuses(answer)) return wire
  const { parameters } = question
  context.transaction = { parameters, began: context.now, accepted: 0, refused: false, void: false, content: undefined }
  context.transactions++
  context.senderRefused = false
  return wire
}
