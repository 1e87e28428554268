import type { SaslChannel } from '../sasl/channel.ts'
import { allowsPlaintext, isOffered, type Pop3ServerConfig } from './config.ts'

/**
 * The capabilities that a connection is told of (RFC 2449 §5), a line each. The same before and after log-in: each of them says
 * that it is to be announced in both states. APOP (RFC 1939 §7) has none, and is left out: it takes passwords that are kept in
 * the clear, an MD5 over them that an attacker in the middle can undo, and whoever has such passwords offers CRAM-MD5.
 */
export function capabilitiesOf(config: Pop3ServerConfig, channel: SaslChannel): string[] {
  const mechanisms = mechanismsOf(config, channel)
  return [
    'TOP',
    'UIDL',
    'RESP-CODES',
    'AUTH-RESP-CODE',
    'PIPELINING',
    ...(allowsPlaintext(config, channel) ? ['USER'] : []),
    ...(mechanisms.length > 0 ? [`SASL ${mechanisms.join(' ')}`] : []),
    // RFC 2595 §4: not once TLS is there.
    ...(config.startTls && !channel.secure ? ['STLS'] : []),
    'UTF8 USER',
    `EXPIRE ${config.expire ?? 'NEVER'}`,
    ...(config.implementation === undefined ? [] : [`IMPLEMENTATION ${config.implementation}`]),
  ]
}

/** The names of the mechanisms that this channel can use. */
export function mechanismsOf(config: Pop3ServerConfig, channel: SaslChannel): string[] {
  return [...config.mechanisms.values()].filter((mechanism) => isOffered(config, mechanism, channel)).map(({ name }) => name)
}
