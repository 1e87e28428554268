import type { SmtpServerConfig } from './config.ts'
import { encodeReply } from './reply.ts'

/** What XCLIENT and XFORWARD may say, as advertised to trusted peers. */
export const XCLIENT_NAMES = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'LOGIN', 'DESTADDR', 'DESTPORT'] as const
export const XFORWARD_NAMES = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'IDENT', 'SOURCE'] as const

/** The reply to EHLO or LHLO, encoded: what this connection may use, in a fixed order. */
export function ehloReply(config: SmtpServerConfig, secure: boolean, authenticated: boolean, trusted: boolean): string {
  const { extensions, limits } = config
  const lines = [config.hostname, 'PIPELINING', sizeLine(limits.messageOctets)]
  if (config.startTls && !secure) lines.push('STARTTLS')
  const mechanisms = authenticated ? [] : offeredMechanisms(config, secure)
  if (mechanisms.length > 0) lines.push(`AUTH ${mechanisms.join(' ')}`)
  lines.push('8BITMIME')
  if (extensions.smtpUtf8) lines.push('SMTPUTF8')
  lines.push('CHUNKING')
  if (extensions.binaryMime) lines.push('BINARYMIME')
  if (extensions.dsn) lines.push('DSN')
  lines.push('ENHANCEDSTATUSCODES')
  const limited = limitsOf(config)
  if (limited.length > 0) lines.push(`LIMITS ${limited.join(' ')}`)
  if (extensions.requireTls && secure) lines.push('REQUIRETLS')
  if (extensions.deliverBy !== false) lines.push(extensions.deliverBy === true ? 'DELIVERBY' : `DELIVERBY ${extensions.deliverBy}`)
  if (extensions.priority !== false) lines.push(extensions.priority === true ? 'MT-PRIORITY' : `MT-PRIORITY ${extensions.priority}`)
  if (extensions.futureRelease) lines.push(`FUTURERELEASE ${extensions.futureRelease.seconds} ${extensions.futureRelease.until}`)
  if (trusted) lines.push(`XCLIENT ${XCLIENT_NAMES.join(' ')}`, `XFORWARD ${XFORWARD_NAMES.join(' ')}`)
  lines.push(...config.keywords)
  return encodeReply({ code: 250, text: lines })
}

/** The mechanisms that this connection may use. */
export function offeredMechanisms(config: SmtpServerConfig, secure: boolean): string[] {
  const names: string[] = []
  for (const mechanism of config.mechanisms.values()) {
    if (secure || config.authWithoutTls || !mechanism.plaintext) names.push(mechanism.name)
  }
  return names
}

/** RFC 1870 §3: 0 says that there is no fixed maximum. */
const sizeLine = (octets: number): string => (octets === Infinity ? 'SIZE 0' : `SIZE ${octets}`)

/** RFC 9422 §3: what a client can know beforehand instead of running into it. */
function limitsOf(config: SmtpServerConfig): string[] {
  const { recipients, transactions } = config.limits
  const parts: string[] = []
  if (transactions !== Infinity) parts.push(`MAILMAX=${transactions}`)
  if (recipients !== Infinity) parts.push(`RCPTMAX=${recipients}`)
  return parts
}
