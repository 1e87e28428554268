import type { Reply } from '../../reply.ts'
import { type ClientContext, refuses, says, type Slot, type Transaction } from '../context.ts'
import { tell, tellAll, verdictOf } from '../outcomes.ts'
import { beginContent, data } from './data.ts'

/*
 * MAIL, RCPT and DATA: as many at a time as the server takes (RFC 2920), one by one where it takes no more. What is sent depends
 * on nothing but the replies that had to be there, so that it is the same however they came.
 */

/** Sends the next command of a message, or goes on to what follows; false where a reply must come first. */
export function sendEnvelope(context: ClientContext, transaction: Transaction): boolean {
  if (transaction.stage === 'waiting') return context.owed === 0 && proceed(context, transaction)
  if (!context.mayWrite) return false
  const { rcpt, chunked, mail } = transaction.plan!
  if (context.unclean) {
    context.unclean = false
    context.say('RSET', { settle: reset, phase: 'sender', patience: 'command', transaction })
  } else if (!transaction.mailSent) {
    transaction.mailSent = true
    context.mails++
    context.say(mail, { settle: sender, phase: 'sender', patience: 'sender', transaction })
  } else if (transaction.sender === 'refused') transaction.stage = 'waiting'
  else if (transaction.rcptSent < rcpt.length) {
    const { line, recipient: at } = rcpt[transaction.rcptSent++]!
    context.say(line, { settle: recipient, phase: 'recipient', patience: 'recipient', transaction, recipient: at })
  } else {
    transaction.stage = 'waiting'
    // RFC 2920 §3.1: sent at once, it may turn out to be for nobody. Chunks wait until it is known that there is somebody.
    const isWanted = !chunked && (context.pipelines || transaction.accepted.length > 0)
    if (isWanted) context.say('DATA', { settle: data, phase: 'data', patience: 'data', transaction, goesOn: true })
  }
  return true
}

/** All replies are there. */
function proceed(context: ClientContext, transaction: Transaction): boolean {
  const isOpen = transaction.results.includes(undefined)
  if (transaction.plan!.chunked && isOpen) beginContent(context, transaction)
  else endEnvelope(context, transaction)
  return true
}

/** Nothing comes of the message: where MAIL was accepted the server holds what has to go before the next one. */
function endEnvelope(context: ClientContext, transaction: Transaction): void {
  if (transaction.sender === 'accepted') context.unclean = true
  context.finish(transaction)
}

function reset(context: ClientContext, reply: Reply): void {
  if (!says(reply)) context.breakOff({ phase: 'sender', reason: 'refused', reply })
}

function sender(context: ClientContext, reply: Reply, { transaction }: Slot): void {
  transaction!.sender = says(reply) ? 'accepted' : 'refused'
  if (refuses(reply)) tellAll(context, transaction!, verdictOf(reply, 'sender'))
}

function recipient(context: ClientContext, reply: Reply, { transaction, recipient: at }: Slot): void {
  // Behind a MAIL that was refused the reply says nothing of the recipient.
  if (transaction!.sender !== 'accepted') return
  if (says(reply)) transaction!.accepted.push(at!)
  else tell(context, transaction!, at!, verdictOf(reply, 'recipient'))
}
