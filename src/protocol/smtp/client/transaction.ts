import type { SessionPhase, Transaction } from './context.ts'
import type { ClientPhase, DoneEvent } from './events.ts'
import type { ClientMessage } from './message.ts'

/** A message as it is handed over. */
export function beginTransaction(id: number, message: ClientMessage, now: number): Transaction {
  return {
    id,
    message,
    began: now,
    needs: message.content,
    converted: false,
    plan: undefined,
    stage: 'sending',
    mailSent: false,
    rcptSent: 0,
    sender: 'unknown',
    accepted: [],
    sending: undefined,
    end: 'unsaid',
    results: Array.from({ length: message.recipients.length }, () => undefined),
  }
}

/** How far a conversation has come while nothing is owed. */
export const phases: Readonly<Record<SessionPhase, ClientPhase>> = {
  greeting: 'connect',
  hello: 'hello',
  handshake: 'tls',
  idle: 'idle',
  envelope: 'sender',
  content: 'content',
  leaving: 'idle',
  closed: 'idle',
}

/** How far a message has come. */
export function phaseOf({ sending, sender, plan, accepted, results }: Transaction): ClientPhase {
  if (sending !== undefined) return 'content'
  if (sender !== 'accepted') return 'sender'
  // Whom RCPT has refused, it was told.
  const told = results.filter((result) => result !== undefined).length
  return plan !== undefined && accepted.length + told < results.length ? 'recipient' : 'data'
}

/** What has become of its recipients, and what was sent of its content. */
export function countsOf({ results, sending }: Transaction): Omit<DoneEvent, 'kind' | 'message' | 'dsn'> {
  const counts = { accepted: 0, temporary: 0, permanent: 0, unknown: 0 }
  for (const result of results) if (result !== undefined) counts[result]++
  return { ...counts, octets: sending?.writer.octets ?? 0 }
}
