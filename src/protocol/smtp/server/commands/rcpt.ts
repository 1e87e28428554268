import { isAscii } from '../../../bytes/text.ts'
import type { RecipientQuestion } from '../../events.ts'
import { plainRecipient, readParameters, type recipientReaders } from '../../parameters.ts'
import { parsePath } from '../../path.ts'
import { encodeReply, type Reply } from '../../reply.ts'
import { type Command, refuses, type ServerContext, wireOf } from '../context.ts'
import { replies } from '../replies.ts'
import { badAddress, pathStart } from './mail.ts'

const NO_READERS: typeof recipientReaders = new Map()

/** RCPT TO (RFC 5321 §4.1.1.3). The one command whose questions may be open side by side. */
export const rcpt: Command = (context, argument) => {
  const { config, transaction } = context
  if (!transaction || transaction.content) return void context.complain(replies.mailFirst)
  const from = pathStart(argument, 'TO:')
  if (from < 0) return void context.complain(replies.rcptSyntax)
  const parsed = parsePath(argument, from, { lenient: config.rules.lenientPaths, recipient: true })
  if ('error' in parsed || parsed.path === null) {
    transaction.refused = true
    return void context.complain(badAddress('error' in parsed ? parsed.error : 'it is empty', '5.1.3'))
  }
  const read = readParameters(argument, parsed.end, plainRecipient, context.hello === 'HELO' ? NO_READERS : config.recipientReaders)
  if ('refusal' in read) {
    transaction.refused = true
    return void context.complain(encodeReply(read.refusal))
  }
  if (!transaction.parameters.smtpUtf8 && !isAscii(parsed.path.wire)) {
    transaction.refused = true
    return void context.complain(replies.utf8NotAllowed)
  }
  const question: RecipientQuestion = { kind: 'recipient', id: context.id(), recipient: parsed.path, parameters: read.parameters }
  return context.ask(question)
}

/** The answer to a `recipient` question. */
export function settleRecipient(context: ServerContext, _question: RecipientQuestion, answer: Reply | undefined): string {
  const { transaction } = context
  const wire = wireOf(answer, replies.recipientOk)
  if (!transaction) return replies.failed
  if (!refuses(answer)) {
    transaction.accepted++
    return wire
  }
  transaction.refused = true
  if (answer!.code >= 500) context.refusedRecipients++
  return wire
}
