import type { CommandQuestion, ExpandQuestion, VerifyQuestion } from '../../events.ts'
import { encodeReply, type Reply } from '../../reply.ts'
import { type Command, locked, type ServerContext, wireOf } from '../context.ts'
import { replies } from '../replies.ts'

/** RSET (RFC 5321 §4.1.1.5). */
export const rset: Command = (context, argument) => {
  if (argument !== '') return void context.complain(replies.noArgument)
  context.abandon('reset')
  context.senderRefused = false
  context.say(replies.ok)
}

/** NOOP (RFC 5321 §4.1.1.9). Its argument means nothing. */
export const noop: Command = (context) => context.say(replies.ok) as undefined

/** QUIT (RFC 5321 §4.1.1.10). With an argument it is wrong, but the client is gone all the same (S35). */
export const quit: Command = (context, argument) => {
  return context.close('quit', argument === '' ? replies.bye : replies.byeArgument)
}

/** HELP (RFC 5321 §4.1.1.8). */
export const help: Command = (context) => {
  const verbs = context.config.lmtp ? 'LHLO' : 'EHLO HELO'
  const more = [...context.config.verbs].join(' ')
  const text = `${verbs} MAIL RCPT DATA BDAT RSET NOOP VRFY QUIT ${more}`.trimEnd()
  return context.say(encodeReply({ code: 214, enhanced: '2.0.0', text })) as undefined
}

/** VRFY (RFC 5321 §4.1.1.6). */
export const vrfy: Command = (context, argument) => {
  const text = argument.trim()
  if (text === '') return void context.complain(replies.verifySyntax)
  const key = locked(context)
  if (key !== undefined) return void context.complain(key)
  const question: VerifyQuestion = { kind: 'verify', id: context.id(), text }
  return context.ask(question)
}

/** EXPN (RFC 5321 §4.1.1.7). */
export const expn: Command = (context, argument) => {
  const text = argument.trim()
  if (text === '') return void context.complain(replies.verifySyntax)
  const key = locked(context)
  if (key !== undefined) return void context.complain(key)
  const question: ExpandQuestion = { kind: 'expand', id: context.id(), text }
  return context.ask(question)
}

/** A verb of the host's own. */
export const custom =
  (verb: string): Command =>
  (context, argument) => {
    const question: CommandQuestion = { kind: 'command', id: context.id(), verb, text: argument }
    return context.ask(question)
  }

/** The answer to a `verify` question. */
export const settleVerify = (_context: ServerContext, _question: VerifyQuestion, answer: Reply | undefined): string =>
  wireOf(answer, replies.cannotVerify)

/** The answer to an `expand` question. */
export const settleExpand = (_context: ServerContext, _question: ExpandQuestion, answer: Reply | undefined): string =>
  wireOf(answer, replies.expandRefused)

/** The answer to a `command` question. */
export const settleCommand = (_context: ServerContext, _question: CommandQuestion, answer: Reply | undefined): string =>
  wireOf(answer, replies.ok)
