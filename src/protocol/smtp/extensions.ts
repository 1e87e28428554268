import type { SaslChannel } from '../sasl/channel.ts'
import type { SaslMechanism } from '../sasl/exchange.ts'
import type { SmtpLimits } from './limits.ts'
import { encodeReply } from './reply.ts'

/**
 * What is offered in EHLO beyond what always is (PIPELINING, SIZE, 8BITMIME, CHUNKING, ENHANCEDSTATUSCODES, LIMITS). Offer
 * only what the host honours.
 */
export interface SmtpExtensions {
  /** RFC 6531: addresses and headers in UTF-8. */
  readonly smtpUtf8: boolean
  /** RFC 3030: content of any octets. */
  readonly binaryMime: boolean
  /** RFC 3461: reports as the client wants them. */
  readonly dsn: boolean
  /** RFC 8689: onward over verified TLS only. Offered over TLS. */
  readonly requireTls: boolean
  /** RFC 2852: `true`, or the least seconds of return mode. */
  readonly deliverBy: boolean | number
  /** RFC 6710: `true`, or the name of the priority profile. */
  readonly priority: boolean | string
  /** RFC 4865: the longest wait in seconds and, as a date-time, the latest release. */
  readonly futureRelease: false | { readonly seconds: number; readonly until: string }
}

/** The part of a server's configuration that EHLO tells of. */
interface Offer {
  readonly hostname: string
  readonly startTls: boolean
  readonly extensions: SmtpExtensions
  readonly limits: SmtpLimits
  readonly keywords: readonly string[]
}

/** What XCLIENT may say, as advertised to trusted peers. */
export const XCLIENT_NAMES = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'LOGIN', 'DESTADDR', 'DESTPORT'] as const
/** What XFORWARD may say, likewise. */
export const XFORWARD_NAMES = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'IDENT', 'SOURCE'] as const

/** The reply to EHLO or LHLO, encoded: what this connection may use, in a fixed order. `mechanisms`: names, by spaces. */
export function ehloReply(config: Offer, secure: boolean, trusted: boolean, mechanisms: string): string {
  const { extensions, limits } = config
  const lines = [config.hostname, 'PIPELINING', sizeLine(limits.messageOctets)]
  if (config.startTls && !secure) lines.push('STARTTLS')
  if (mechanisms !== '') lines.push(`AUTH ${mechanisms}`)
  lines.push('8BITMIME')
  if (extensions.smtpUtf8) lines.push('SMTPUTF8')
  lines.push('CHUNKING')
  if (extensions.binaryMime) lines.push('BINARYMIME')
  if (extensions.dsn) lines.push('DSN')
  lines.push('ENHANCEDSTATUSCODES')
  const limited = limitsOf(config)
  if (limited.length > 0) lines.push(`LIMITS ${limited.join(' ')}`)
  if (extensions.requireTls && secure) lines.push('REQUIRETLS')
  if (extensions.deliverBy !== false) {
    lines.push(extensions.deliverBy === true ? 'DELIVERBY' : `DELIVERBY ${extensions.deliverBy}`)
  }
  if (extensions.priority !== false) {
    lines.push(extensions.priority === true ? 'MT-PRIORITY' : `MT-PRIORITY ${extensions.priority}`)
  }
  if (extensions.futureRelease) lines.push(`FUTURERELEASE ${extensions.futureRelease.seconds} ${extensions.futureRelease.until}`)
  if (trusted) lines.push(`XCLIENT ${XCLIENT_NAMES.join(' ')}`, `XFORWARD ${XFORWARD_NAMES.join(' ')}`)
  lines.push(...config.keywords)
  return encodeReply({ code: 250, text: lines })
}

/** Whether a connection may use the mechanism: the channel is safe enough for it, and has what it takes. */
export function isOffered(
  config: { readonly authWithoutTls: boolean; readonly tlsRequired: boolean },
  mechanism: SaslMechanism,
  channel: SaslChannel,
): boolean {
  const safe = channel.secure || (!config.tlsRequired && (config.authWithoutTls || !mechanism.plaintext))
  return safe && (mechanism.usable === undefined || mechanism.usable(channel))
}

/** RFC 1870 §3: 0 says that there is no fixed maximum. */
const sizeLine = (octets: number): string => (octets === Infinity ? 'SIZE 0' : `SIZE ${octets}`)

/** RFC 9422 §3: what a client can know beforehand instead of running into it. */
function limitsOf(config: Offer): string[] {
  const { recipients, transactions } = config.limits
  const parts: string[] = []
  if (transactions !== Infinity) parts.push(`MAILMAX=${transactions}`)
  if (recipients !== Infinity) parts.push(`RCPTMAX=${recipients}`)
  return parts
}
