import ipaddr from 'ipaddr.js'
import { MailError } from '../../protocol/session/errors.ts'

/**
 * An address of a socket as `Peer` wants it: an IPv4-mapped IPv6 address (`::ffff:192.0.2.1`, what a dual-stack listener sees)
 * as IPv4, a link-local one without the zone, which means nothing beyond this machine.
 */
export function plainAddress(address: string | undefined): string | undefined {
  if (address === undefined) return undefined
  if (address.startsWith('::ffff:') && address.includes('.')) return address.slice(7)
  const zone = address.indexOf('%')
  return zone < 0 ? address : address.slice(0, zone)
}

/**
 * A server name as a client gave it (SNI), lower case; `undefined` when it is none. TLS libraries hand over whatever octets the
 * client sent, and the name goes into trace fields and logs.
 */
export function serverName(given: string): string | undefined {
  const name = given.toLowerCase()
  if (name.length > 253) return undefined
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    const alphanumeric = (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39)
    if (!alphanumeric && code !== 0x2d && code !== 0x2e && code !== 0x5f) return undefined
  }
  return name
}

/** Whether an address is anybody's on the Internet: not private, loopback, link-local, multicast, reserved or translated. */
export function isPublicAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast'
}

/** Tells whether an address (as {@link plainAddress} gives it) is in the set. */
export type AddressSet = (address: string | undefined) => boolean

/**
 * The set of all addresses in `cidrs` (`192.0.2.0/24`, `2001:db8::/32`, single addresses).
 * Throws a `config` MailError that names the entry it cannot read and `setting`, where it stands.
 */
export function addressSet(setting: string, cidrs: readonly string[]): AddressSet {
  const ranges = cidrs.map((cidr) => parseCidr(setting, cidr))
  if (ranges.length === 0) return () => false
  const isWithin = (address: string): boolean => {
    if (!ipaddr.isValid(address)) return false
    const parsed = ipaddr.process(address)
    return ranges.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits))
  }
  // Taking an address apart costs more than all else that is done for a connection; most come from where the last one came from.
  let last: string | undefined
  let was = false
  return (address) => {
    if (address === undefined) return false
    if (address !== last) was = isWithin(address)
    last = address
    return was
  }
}

type Range = readonly [network: ipaddr.IPv4 | ipaddr.IPv6, bits: number]

function parseCidr(setting: string, cidr: string): Range {
  const text = cidr.trim()
  try {
    // ipaddr.js also reads `10.1` and `0x7f000001` as addresses: in a setting that is a mistake.
    const slash = text.indexOf('/')
    const address = slash < 0 ? text : text.slice(0, slash)
    if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) throw new Error('no address')
    const [network, bits] = ipaddr.parseCIDR(slash < 0 ? `${text}/${address.includes(':') ? 128 : 32}` : text)
    const mapped = network instanceof ipaddr.IPv6 && network.isIPv4MappedAddress() && bits >= 96
    return mapped ? [network.toIPv4Address(), bits - 96] : [network, bits]
  } catch (cause) {
    throw new MailError('config', `${setting}: "${cidr}" is no address or CIDR such as 192.0.2.0/24 or 2001:db8::/32`, { cause })
  }
}
