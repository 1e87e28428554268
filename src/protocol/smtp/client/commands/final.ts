import type { Reply } from '../../reply.ts'
import { type ClientContext, refuses, type Slot, type Transaction } from '../context.ts'
import { tell, tellAll, verdictOf } from '../outcomes.ts'

/** All of the content is said: what the server says now decides. */
export function endContent(context: ClientContext, transaction: Transaction): void {
  const slot: Slot = { settle: final, phase: 'content', patience: 'final', transaction }
  // RFC 2033 §4.2: over LMTP one reply for each recipient, in the order of RCPT.
  if (context.config.lmtp) for (const recipient of transaction.accepted) context.expect({ ...slot, recipient })
  else context.expect(slot)
  context.sent(transaction)
}

function final(context: ClientContext, reply: Reply, { transaction, recipient }: Slot): void {
  const { accepted, plan } = transaction!
  // RFC 3030 §4.2: what has become of a transaction whose chunk was refused is not known.
  if (refuses(reply) && plan!.chunked) context.unclean = true
  const verdict = verdictOf(reply, 'content')
  if (recipient === undefined) tellAll(context, transaction!, verdict)
  else tell(context, transaction!, recipient, verdict)
  if (recipient === undefined || recipient === accepted.at(-1)) context.finish(transaction!)
}
