import { decodeBase64, encodeBase64 } from '../../../bytes/base64.ts'
import { asciiUpper } from '../../../bytes/text.ts'
import { channelOf } from '../../../sasl/channel.ts'
import type { SaslStep } from '../../../sasl/exchange.ts'
import { MailError } from '../../../session/errors.ts'
import type { AuthAnswer, AuthQuestion, AuthRefusal, SecretAnswer, SecretQuestion, SmtpServerEvent } from '../../events.ts'
import { isOffered } from '../../extensions.ts'
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
  const channel = channelOf(context.secure, context.tls)
  if (!isOffered(config, mechanism, channel)) return void context.complain(replies.unknownMechanism)
  // RFC 4954 §4: `=` is an initial response that is there and empty (S17).
  const initial = space < 0 ? undefined : argument.slice(space + 1)
  if (initial !== undefined && mechanism.serverFirst) return void context.complain(replies.noInitialResponse)
  const bytes = initial === undefined ? undefined : initial === '=' ? EMPTY : decodeBase64(initial)
  if (initial !== undefined && (bytes === undefined || initial === '')) return void context.complain(replies.badBase64)
  context.sasl = { exchange: mechanism.begin(channel), refusal: undefined }
  return proceed(context, context.sasl.exchange.respond(bytes))
}

/** A line of the exchange: base64, or `*` to cancel it. Nothing else is heard while it lasts (S16). */
export function authLine(context: ServerContext, line: string): SmtpServerEvent | undefined {
  const { exchange, refusal } = context.sasl!
  // What the client says to the reason of a refusal means nothing.
  if (refusal) return endAuth(context, '')
  if (line === '*') return endAuth(context, replies.authCancelled)
  const bytes = decodeBase64(line)
  return bytes === undefined ? endAuth(context, replies.badBase64) : proceed(context, exchange.respond(bytes))
}

/** Ends the exchange with the refusal that is owed, or with a complaint. */
export function endAuth(context: ServerContext, wire: string): undefined {
  const refusal = context.sasl?.refusal
  context.sasl = undefined
  if (refusal) sayRefusal(context, refusal.wire, refusal.delay)
  else context.complain(wire)
}

function proceed(context: ServerContext, step: SaslStep): SmtpServerEvent | undefined {
  if (step.kind === 'malformed') return endAuth(context, encodeReply(reply(501, '5.5.2', step.why)))
  if (step.kind === 'challenge') {
    context.say(challenge(context, step.bytes))
    return undefined
  }
  return ask(context, step)
}

function ask(context: ServerContext, step: Extract<SaslStep, { kind: 'lookUp' | 'verify' }>): SmtpServerEvent {
  const question: AuthQuestion | SecretQuestion =
    step.kind === 'verify'
      ? { kind: 'auth', id: context.id(), credentials: step.credentials }
      : { kind: 'secret', id: context.id(), lookUp: step.lookUp }
  return context.ask(question)
}

/** A challenge on the wire; the next line is the client's answer to it. */
function challenge(context: ServerContext, bytes: Uint8Array): string {
  context.expect('sasl')
  // The space stays even where the challenge is empty (S17).
  return `334 ${encodeBase64(bytes)}\r\n`
}

/** The answer to a `secret` question: the exchange goes on, with or without one. */
export function settleSecret(context: ServerContext, _question: SecretQuestion, answer: SecretAnswer | undefined): string {
  if (answer !== undefined && 'code' in answer) return refuse(context, answer)
  const step = context.sasl!.exchange.found!(answer)
  if (step.kind === 'challenge') return challenge(context, step.bytes)
  const event = proceed(context, step)
  if (event) context.emit(event)
  return ''
}

/** The answer to an `auth` question. */
export function settleAuth(context: ServerContext, question: AuthQuestion, answer: AuthAnswer | undefined): string {
  if (answer === undefined || !('account' in answer)) return refuse(context, answer)
  if (typeof answer.account !== 'string') throw new MailError('misuse', 'An account is named by a string.')
  // Whoever forgets to look must not let everybody in.
  if (question.credentials.kind === 'refuted') throw new MailError('misuse', 'Credentials that were refuted are nobody\'s.')
  context.sasl = undefined
  context.account = answer.account
  return replies.authenticated
}

function refuse(context: ServerContext, answer: AuthRefusal | undefined): string {
  const wire = wireOf(answer, replies.authFailed)
  if (answer !== undefined && answer.code < 400) throw new MailError('misuse', 'Accept credentials with { account }.')
  const { sasl } = context
  context.sasl = undefined
  // A temporary failure says nothing about the credentials.
  if (answer !== undefined && answer.code < 500) return wire
  const doubled = Math.min(context.failedAuth++, 4)
  const delay = Math.max(context.config.timeouts.authDelay * 2 ** doubled, answer?.delay ?? 0)
  const why = sasl?.exchange.refused?.()
  if (sasl === undefined || why === undefined) {
    sayRefusal(context, wire, delay)
    return ''
  }
  context.sasl = { exchange: sasl.exchange, refusal: { wire, delay } }
  return challenge(context, why)
}

function sayRefusal(context: ServerContext, wire: string, delay: number): void {
  context.sayLater(wire, delay)
  if (context.failedAuth >= context.config.limits.authAttempts) context.close('limit', replies.tooManyAttempts)
}
