import type { Explanation } from '../contracts/explanation.ts'
import type { Note } from '../contracts/note.ts'
import type { Envelope } from '../contracts/received.ts'
import { explanationOf, replyText } from '../inbound/explain.ts'
import type { Reply } from '../protocol/smtp/index.ts'
import type { LiveConnection } from './connection.ts'
import type { Reception } from './reception.ts'
import { whence } from './whence.ts'

/** What is explained: a transaction, or a connection before there is one. */
export interface Explaining {
  readonly id: string
  readonly envelope: Envelope | undefined
  readonly notes: readonly Note[]
}

/** Tells why something became of a message, where somebody wants to know. */
export function explain(
  { observe, clock, explains }: Reception,
  connection: LiveConnection,
  { id, envelope, notes }: Explaining,
  outcome: Explanation['outcome'],
): void {
  if (!explains || observe === undefined) return
  const at = clock.now()
  const explanation = explanationOf({ id, at, connection, envelope, outcome }, notes)
  observe({ kind: 'explained', ...whence(connection, at), explanation })
}

/** What a refusal is in an explanation. */
export function refusedOutcome(
  stage: Explanation['outcome']['stage'], { code, enhanced, text }: Reply, policy: string | undefined, recipient?: string,
): Explanation['outcome'] {
  const line = typeof text === 'string' ? text : text.join(' ')
  return {
    kind: code < 500 ? 'deferred' : 'refused',
    stage,
    ...(policy === undefined ? {} : { policy }),
    reply: replyText({ code, ...(enhanced === undefined ? {} : { enhanced }), text: line }),
    ...(recipient === undefined ? {} : { recipient }),
  }
}
