import type { Envelope } from '../contracts/received.ts'
import type { Address } from '../message/address.ts'
import type { Observer, RefusalStage, RefusedEvent, Whence } from '../observe/events.ts'
import { shown } from '../observe/shown.ts'
import type { TlsFacts } from '../protocol/session/tls.ts'
import type { Reply } from '../protocol/smtp/index.ts'
import type { LiveConnection } from './connection.ts'

/** Where an event of a connection comes from. `at` in milliseconds since the Unix epoch. */
export function whence(connection: LiveConnection, at: number): Whence {
  const { id, session, listener, account, peer } = connection
  return { at, connection: id, session, address: peer.address, port: peer.port, listener, account }
}

/** Tells of a connection that has just come, and of the TLS that it came with. */
export function connected(observe: Observer | undefined, connection: LiveConnection, at: number): void {
  if (observe === undefined) return
  const { localPort, proxy, tls } = connection.peer
  observe({ kind: 'connected', ...whence(connection, at), localPort, proxy })
  if (tls) secured(observe, connection, tls, at)
}

/** Tells of TLS that is up. */
export function secured(observe: Observer, connection: LiveConnection, tls: TlsFacts, at: number): void {
  const { protocol, cipher, serverName, clientCertificate: shown } = tls
  const clientCertificate = shown && { subject: shown.subject, authorized: shown.authorized }
  observe({ kind: 'secured', ...whence(connection, at), protocol, cipher, serverName, clientCertificate })
}

/** What an event says of a refusal. */
export function refusalFacts(
  stage: RefusalStage,
  policy: string | undefined,
  { code, enhanced, text }: Reply,
  envelope: Envelope | undefined,
  to: Address | undefined,
): Omit<RefusedEvent, keyof Whence | 'kind'> {
  return {
    stage,
    policy,
    code,
    enhanced,
    text: typeof text === 'string' ? text : text.join(' '),
    ...(envelope ? { sender: shown(envelope.sender) } : {}),
    ...(to ? { recipient: shown(to) } : {}),
  }
}
