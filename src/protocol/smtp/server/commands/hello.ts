import { channelOf } from '../../../sasl/channel.ts'
import type { HelloQuestion } from '../../events.ts'
import type { Reply } from '../../reply.ts'
import { type Command, refuses, type ServerContext, wireOf } from '../context.ts'
import { replies } from '../replies.ts'

const hello =
  (verb: 'EHLO' | 'HELO' | 'LHLO'): Command =>
  (context, argument) => {
    // RFC 2033 §4.1: LMTP knows LHLO only, SMTP knows it not at all.
    if ((verb === 'LHLO') !== context.config.lmtp) return void context.complain(replies.unknownCommand)
    const name = argument.trim()
    if (name === '' || name.includes(' ')) return void context.complain(replies.helloArgument)
    const question: HelloQuestion = { kind: 'hello', id: context.id(), verb, name }
    return context.ask(question)
  }

/** EHLO (RFC 5321 §4.1.1.1). */
export const ehlo = hello('EHLO')
/** HELO (RFC 5321 §4.1.1.1). */
export const helo = hello('HELO')
/** LHLO (RFC 2033 §4.1). */
export const lhlo = hello('LHLO')

/** The answer to a `hello` question. */
export function settleHello(context: ServerContext, question: HelloQuestion, answer: Reply | undefined): string {
  const wire = wireOf(answer, '')
  // RFC 5321 §4.1.4: refused, it changes nothing; accepted, EHLO again is RSET, and TLS and AUTH stay (S34).
  if (refuses(answer)) return wire
  context.abandon('reset')
  context.senderRefused = false
  context.hello = question.verb
  if (question.verb === 'HELO') return `250 ${context.config.hostname}\r\n`
  return context.config.ehlo(channelOf(context.secure, context.tls), context.account !== undefined, context.trusted)
}
