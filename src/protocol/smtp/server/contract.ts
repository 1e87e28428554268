import type { Session } from '../../session/session.ts'
import type { TlsFacts } from '../../session/tls.ts'
import type { SmtpServerEvent } from '../events.ts'

/** Facts about a connection that a session begins with. */
export interface SmtpPeer {
  /** TLS is active already. */
  readonly secure?: boolean
  /** What is known of it. */
  readonly tls?: TlsFacts | undefined
  /** It may use XCLIENT and XFORWARD. */
  readonly trusted?: boolean
}

/** The server's side of one SMTP or LMTP conversation. */
export interface SmtpServerSession extends Session<SmtpServerEvent> {
  /** How often the peer sent octets behind a command that must be the last of its batch (S12). */
  readonly earlyInput: number
}
