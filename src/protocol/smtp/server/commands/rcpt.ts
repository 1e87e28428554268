import { isAscii } from '../../../bytes/text.ts'
import type { RecipientQuestion } from '../../events.ts'
import { plainRecipient, readParameters, type recipientReaders } from '../../parameters.ts'
import { parsePath } from '../../path.ts'
import { encodeReply, type Reply } from '../../reply.ts'
import { type Command, outOfOrder, refuses, type ServerContext, type Transaction, wireOf } from '../context.ts'
import { replies } from '../replies.ts'
import { badAddress, pathStart } from './mail.ts'

const NO_READERS: typeof recipientReaders = new Map()

/** RCPT TO (RFC 5321 §4.1.1.3). The one command whose questions may be open side by side. */
export const rcpt: Command = (context, argument) => {
  const { config, transaction } = context
  if (!transaction) return void outOfOrder(context, replies.mailFirst, context.senderRefused)
  if (transaction.content) return void context.complain(replies.contentBegun)
  const from = pathStart(argument, 'TO:')
  if (from < 0) return refuse(context, transaction, replies.rcptSyntax)
  const parsed = parsePath(argument, from, { lenient: config.rules.lenientPaths, recipient: true })
  if ('error' in parsed || parsed.path === null) {
    return refuse(context, transaction, badAddress('error' in parsed ? parsed.error : 'it is empty', '5.1.3'))
  }
  // HELO promises no extension, so nothing may follow the address (S30).
  const readers = context.hello === 'HELO' ? NO_READERS : config.recipientReaders
  const read = readParameters(argument, parsed.end, plainRecipient, readers)
  if ('refusal' in read) return refuse(context, transaction, encodeReply(read.refusal))
  if (!transaction.parameters.smtpUtf8 && !isAscii(parsed.path.wire)) return refuse(context, transaction, replies.utf8NotAllowed)
  if (transaction.accepted >= config.limits.recipients) {
    // RFC 5321 §4.5.3.1.10: the client sends the message to those that were accepted, and to the others another time (S28).
    transaction.refused = true
    return context.say(replies.tooManyRecipients) as undefined
  }
  const question: RecipientQuestion = { kind: 'recipient', id: context.id(), recipient: parsed.path, parameters: read.parameters }
  return context.ask(question)
}

function refuse(context: ServerContext, transaction: Transaction, wire: string): undefined {
  transaction.refused = true
  context.complain(wire)
}

/** The answer to a `recipient` question. */
export function settleRecipient(context: ServerContext, _question: RecipientQuestion, answer: Reply | undefined): string {
  const transaction = context.transaction!
  const wire = wireOf(answer, replies.recipientOk)
  if (!refuses(answer)) {
    transaction.accepted++
    return wire
  }
  transaction.refused = true
  if (answer!.code >= 500) context.refusedRecipients++
  return wire
}
