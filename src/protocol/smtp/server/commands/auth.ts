import { decodeBase64, encodeBase64 } from '../../../bytes/base64.ts'
import { asciiUpper } from '../../../bytes/text.ts'
import type { SaslStep } from '../../../sasl/exchange.ts'
import { MailError } from '../../../session/errors.ts'
import type { AuthAnswer, AuthQuestion, SmtpServerEvent } from '../../events.ts'
import { encodeReply, reply } from '../../reply.ts'
import { type Command, type ServerContext, wireOf } from '../context.ts'
import { replies } from '../replies.ts'

const EMPTY = new Uint8Array(0)

/** AUTH (RFC 4954 §4). */
export const auth: Command = (context, argument) => {
  const { config } = context
  if (config.mechanisms.size === 0) return void context.complain(replies.notImplemented)
  if (context.hello !== 'EHLO' && context.hello !== 'LHLO') {
    return void context.complain(config.lmtp ? replies.helloFirstLmtp : replies.helloFirst)
  }
  if (context.account !== undefined) return void context.complain(replies.alreadyAuthenticated)
  if (context.transaction) return void context.complain(replies.inTransaction)
  const space = argument.indexOf(' ')
  const name = space < 0 ? argument : argument.slice(0, space)
  if (name === '') return void context.complain(replies.authSyntax)
  if (config.tlsRequired && !context.secure) return void context.complain(replies.tlsFirst)
  const mechanism = config.mechanisms.get(asciiUpper(name))
  if (!mechanism) return void context.complain(replies.unknownMechanism)
  if (mechanism.plaintext && !context.secure && !config.authWithoutTls) return void context.complain(replies.authNeedsTls)
  // RFC 4954 §4: `=` is an initial response that is there and empty (S17).
  const initial = space < 0 ? undefined : argument.slice(space + 1)
  const bytes = initial === undefined ? undefined : initial === '=' ? EMPTY : decodeBase64(initial)
  if (initial !== undefined && (bytes === undefined || initial === '')) return void context.complain(replies.badBase64)
  context.sasl = { exchange: mechanism.begin() }
  return proceed(context, context.sasl.exchange.respond(bytes))
}

/** A line of the exchange: base64, or `*` to cancel it. Nothing else is heard while it lasts (S16). */
export function authLine(context: ServerContext, line: string): SmtpServerEvent | undefined {
  const { exchange } = context.sasl!
  if (line === '*') return end(context, replies.authCancelled)
  const bytes = decodeBase64(line)
  return bytes === undefined ? end(context, replies.badBase64) : proceed(context, exchange.respond(bytes))
}

function proceed(context: ServerContext, step: SaslStep): SmtpServerEvent | undefined {
  if (step.kind === 'malformed') return end(context, encodeReply(reply(501, '5.5.2', step.why)))
  if (step.kind === 'challenge') {
    // The space stays even where the challenge is empty (S17).
    context.say(`334 ${encodeBase64(step.bytes)}\r\n`)
    context.expect('sasl')
    return undefined
  }
  context.sasl = undefined
  const question: AuthQuestion = { kind: 'auth', id: context.id(), credentials: step.credentials }
  return context.ask(question)
}

function end(context: ServerContext, wire: string): undefined {
  context.sasl = undefined
  context.complain(wire)
}

/** The answer to an `auth` question. */
export function settleAuth(context: ServerContext, _question: AuthQuestion, answer: AuthAnswer | undefined): string {
  if (answer !== undefined && 'account' in answer) {
    if (typeof answer.account !== 'string') throw new MailError('misuse', 'An account is named by a string.')
    context.account = answer.account
    return replies.authenticated
  }
  const { limits, timeouts } = context.config
  const wire = wireOf(answer, replies.authFailed)
  if (answer !== undefined && answer.code < 400) throw new MailError('misuse', 'Accept credentials with { account }.')
  // A temporary failure says nothing about the credentials.
  if (answer !== undefined && answer.code < 500) return wire
  const doubled = Math.min(context.failedAuth++, 4)
  context.sayLater(wire, timeouts.authDelay * 2 ** doubled)
  if (context.failedAuth >= limits.authAttempts) context.close('limit', replies.tooManyAttempts)
  return ''
}
