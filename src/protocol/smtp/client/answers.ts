import { MailError } from '../../session/errors.ts'
import type { AnswerTo } from '../../session/session.ts'
import { derived } from './commands/auth.ts'
import { takeContent } from './commands/data.ts'
import { checkNeeds } from './composing.ts'
import type { ClientContext, Open, Transaction } from './context.ts'
import type { ContentChunk } from './events.ts'
import type { ClientMessage, ContentNeeds } from './message.ts'
import { tellAll, verdictOn } from './outcomes.ts'
import { type Planned, planMessage } from './planning.ts'
import { beginTransaction } from './transaction.ts'

/** The host's answer to the open question. Throws a `misuse` MailError for what is none; the question is open as before then. */
export function settle(context: ClientContext, question: Open, answer: AnswerTo<Open> | undefined): void {
  switch (question.kind) {
    case 'ready':
      return takeMessage(context, question.id, answer as ClientMessage | undefined)
    case 'convert':
      return takeNeeds(context, answer as ContentNeeds | undefined)
    case 'content':
      return takeChunk(context, answer as ContentChunk | undefined)
    default:
      context.answered()
      derived(context, answer as Uint8Array | undefined)
  }
}

function takeMessage(context: ClientContext, id: number, message: ClientMessage | undefined): void {
  if (message === undefined) {
    context.answered()
    context.enter('leaving')
    return
  }
  const transaction = beginTransaction(id, message, context.now)
  const planned = planMessage(context, transaction)
  context.answered()
  context.begin(transaction)
  go(context, transaction, planned)
}

function takeNeeds(context: ClientContext, needs: ContentNeeds | undefined): void {
  if (needs !== undefined) checkNeeds(needs)
  const transaction = context.transaction!
  transaction.converted = true
  if (needs !== undefined) transaction.needs = needs
  const planned = planMessage(context, transaction)
  context.answered()
  go(context, transaction, planned)
}

/** What was decided of a message is done. */
function go(context: ClientContext, transaction: Transaction, planned: Planned): void {
  if ('to' in planned) {
    context.ask({ kind: 'convert', id: context.id(), message: transaction.id, to: planned.to })
    return
  }
  if ('reason' in planned) tellAll(context, transaction, verdictOn({ phase: 'sender', reason: planned.reason }))
  else transaction.plan = planned
  if ('reason' in planned || planned.rcpt.length === 0) context.finish(transaction)
}

function takeChunk(context: ClientContext, chunk: ContentChunk | undefined): void {
  if (chunk !== undefined && !(chunk.bytes instanceof Uint8Array && typeof chunk.last === 'boolean')) {
    throw new MailError('misuse', 'content is given as { bytes, last }')
  }
  context.answered()
  if (chunk === undefined) context.breakOff({ phase: 'content', reason: 'host' })
  else takeContent(context.transaction!, chunk)
}
