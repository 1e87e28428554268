import type { Reply } from '../reply.ts'
import type { ClientContext, Failure, Transaction } from './context.ts'
import { refuses } from './context.ts'
import type { ClientPhase, ClientReason, OutcomeEvent } from './events.ts'

/** What is told of a recipient, without whom it is about. */
export type Verdict = Omit<OutcomeEvent, 'kind' | 'message' | 'recipient'>

/** Code and status of what was no reply: those that say the same. */
const words: Readonly<Record<ClientReason, readonly [code: number, status: string]>> = {
  refused: [451, '4.0.0'],
  timeout: [451, '4.4.2'],
  lost: [451, '4.4.2'],
  protocol: [451, '4.5.0'],
  'tls-not-offered': [451, '4.7.4'],
  'auth-not-offered': [451, '4.7.4'],
  'auth-failed': [451, '4.7.0'],
  host: [451, '4.3.0'],
  size: [552, '5.3.4'],
  '8bitmime': [554, '5.6.3'],
  binarymime: [554, '5.6.1'],
  smtputf8: [553, '5.6.7'],
  // RFC 8689 §4.2.1.
  requiretls: [550, '5.7.30'],
  deliverby: [554, '5.4.7'],
  // RFC 4865: sent at once, it would come before its time.
  futurerelease: [554, '5.5.4'],
  recipients: [452, '4.5.3'],
}

/** What a reply says, as it counts. */
function codesOf(reply: Reply, phase: ClientPhase): { readonly code: number; readonly status: string } {
  const { code, enhanced } = reply
  // S28, RFC 5321 §4.5.3.1.10: in answer to RCPT it means that there are too many, and that those may be tried again.
  if (code === 552 && phase === 'recipient') return { code: 452, status: `4${(enhanced ?? '5.5.3').slice(1)}` }
  return { code, status: enhanced ?? `${Math.floor(code / 100)}.0.0` }
}

/** The verdict in a reply of 2xx, 4xx or 5xx. */
export function verdictOf(reply: Reply, phase: ClientPhase): Verdict {
  const { code, status } = codesOf(reply, phase)
  const result = code < 300 ? 'accepted' : code < 500 ? 'temporary' : 'permanent'
  return { result, phase, reason: code < 300 ? undefined : 'refused', reply, code, status }
}

/** The verdict where the server has said nothing, or nothing to this recipient. */
export function verdictOn({ phase, reason, reply }: Failure): Verdict {
  if (reason === 'refused' && reply !== undefined && refuses(reply)) {
    // Of the connection: nothing is wrong with the recipient.
    return { result: 'temporary', phase, reason, reply, ...codesOf(reply, phase) }
  }
  const [code, status] = words[reason]
  return { result: code < 500 ? 'temporary' : 'permanent', phase, reason, reply, code, status }
}

/** Tells what has become of a recipient, unless that was told. */
export function tell(context: ClientContext, transaction: Transaction, recipient: number, verdict: Verdict): void {
  const { results } = transaction
  if (results[recipient] !== undefined) return
  results[recipient] = verdict.result
  context.emit({ kind: 'outcome', message: transaction.id, recipient, ...verdict })
}

/** The same for all of whom nothing was told. */
export function tellAll(context: ClientContext, transaction: Transaction, verdict: Verdict): void {
  for (let at = 0; at < transaction.results.length; at++) tell(context, transaction, at, verdict)
}

/** Nothing more can be heard: what that means for those of whom nothing was told. */
export function tellRest(context: ClientContext, transaction: Transaction, failure: Failure): void {
  const verdict = verdictOn(failure)
  // All was said and nothing heard: the server may have taken it over (RFC 5321 §4.5.3.2.6, RFC 1047).
  const unsure = transaction.end === 'taken'
  tellAll(context, transaction, unsure ? { ...verdict, result: 'unknown' } : verdict)
}
