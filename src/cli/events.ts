import type { CertificateEvent } from '../adapters/node/index.ts'
import type { ReceivedMessage } from '../contracts/received.ts'
import type { StoredMessage } from '../contracts/store.ts'
import type { Address } from '../message/address.ts'
import type { ServerEvent } from '../observe/events.ts'
import { encodeMailbox } from '../protocol/smtp/index.ts'
import type { Log, LogLevel } from './log.ts'

/** The line on standard output that says a server is up. */
export function readyLine(ports: Readonly<Record<string, number | undefined>>, pid: number, version: string): string {
  return JSON.stringify({ event: 'ready', ports, pid, version })
}

/**
 * The line for an accepted message: its id in the store, that of the transaction (which the client was told), the envelope
 * with those recipients who have it. Put together by hand: it is written for each message.
 */
export function messageLine(message: ReceivedMessage, to: readonly Address[], stored: StoredMessage): string {
  const { envelope, id, received, octets } = message
  const sender = envelope.sender === null ? 'null' : JSON.stringify(encodeMailbox(envelope.sender))
  let recipients = ''
  for (const one of to) recipients += `${recipients === '' ? '' : ','}${JSON.stringify(encodeMailbox(one))}`
  const when = `"received":"${new Date(received).toISOString()}"`
  const ids = `"id":${JSON.stringify(stored.id)},"transaction":"${id}"`
  return `{"event":"message",${ids},${when},"sender":${sender},"recipients":[${recipients}],"octets":${octets}}`
}

/** What a server does, by how much it matters. A connection that misbehaves is no trouble of ours; a delivery that fails is. */
const levels: Record<ServerEvent['kind'], LogLevel> = {
  connected: 'debug',
  secured: 'debug',
  authenticated: 'debug',
  accepted: 'debug',
  closed: 'debug',
  refused: 'info',
  failed: 'warn',
}

/** Takes a server's event down. */
export function logServerEvent(log: Log, event: ServerEvent): void {
  const level = event.kind === 'failed' && event.what.startsWith('deliver') ? 'error' : levels[event.kind]
  if (!log.has(level)) return
  if (event.kind === 'failed') {
    log.write(level, `failed: ${event.what}`, { connection: event.connection, error: reason(event.error) })
    return
  }
  const { kind, at: _, ...facts } = event
  log.write(level, kind, facts)
}

/** Takes down what happens to certificates. */
export function logCertificateEvent(log: Log, event: CertificateEvent): void {
  if (event.kind === 'reloaded') return log.write('info', 'certificates reloaded', { certificates: event.certificates })
  if (event.kind === 'refused') {
    return log.write('error', 'new certificates are no good, the old ones stay in use', { error: reason(event.error) })
  }
  const { source, names, days } = event
  const ends = days === 0 ? 'a certificate has expired' : `a certificate expires within ${days} days`
  log.write(days <= 1 ? 'error' : 'warn', ends, { source, names, expires: new Date(event.expires).toISOString() })
}

/** An error in words, and what caused it. */
function reason(error: unknown): string | undefined {
  if (error === undefined) return undefined
  if (!(error instanceof Error)) return String(error)
  const because = error.cause instanceof Error && !error.message.includes(error.cause.message) ? ` (${error.cause.message})` : ''
  return `${error.message}${because}`
}
