import type { Envelope } from '../contracts/received.ts'
import type { Address } from '../message/address.ts'
import type { RefusalStage, RefusedEvent, Whence } from '../observe/events.ts'
import { shown } from '../observe/shown.ts'
import type { Reply } from '../protocol/smtp/index.ts'
import type { LiveConnection } from './connection.ts'

/** Where an event of a connection comes from. `at` in milliseconds since the Unix epoch. */
export function whence(connection: LiveConnection, at: number): Whence {
  const { id, session, listener, account, peer } = connection
  return { at, connection: id, session, address: peer.address, port: peer.port, listener, account }
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
