import { err, ok, type Run } from '../run.ts'
import { isRefusal } from '../../session/refusal.ts'
import { replyLine } from '../reply.ts'
import type { Pop3Context } from './context.ts'

/** Asks whether the client is welcome, and greets it (RFC 1939 §4). Without a time stamp: there is no APOP. */
export function* greeting(context: Pop3Context): Run<void> {
  const answer = yield { kind: 'connect' }
  if (isRefusal(answer)) return context.close('refused', err(answer.refused, answer.code))
  context.write(replyLine(ok(`${context.config.hostname} ready`)))
}
