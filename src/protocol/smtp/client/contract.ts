import type { Session } from '../../session/session.ts'
import type { TlsFacts } from '../../session/tls.ts'
import type { SmtpClientEvent } from './events.ts'

/** Facts about a connection that a client's session begins with. */
export interface SmtpClientPeer {
  /** What is known of TLS, where it came first. */
  readonly tls?: TlsFacts | undefined
}

/** The client's side of one SMTP or LMTP conversation. */
export type SmtpClientSession = Session<SmtpClientEvent>
