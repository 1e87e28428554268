import { parseLiteral } from '../protocol/smtp/literal.ts'

/** RFC 4291 §2.5.5.2, RFC 6052 §2.1: how IPv6 addresses begin that stand for IPv4 ones. */
const TRANSLATED = ['0,0,0,0,0,0,0,0,0,0,255,255', '0,100,255,155,0,0,0,0,0,0,0,0']

/**
 * The octets of an IP address: 4, also of an IPv6 address that stands for an IPv4 one, or 16. `undefined`: it is no address.
 */
export function addressOctets(address: string): readonly number[] | undefined {
  const zone = address.indexOf('%')
  const text = zone < 0 ? address : address.slice(0, zone)
  const literal = parseLiteral(text.includes(':') ? `[IPv6:${text}]` : `[${text}]`)
  if (literal === undefined || literal.kind === 'general') return undefined
  if (literal.kind === 'ipv4') return literal.address.split('.').map(Number)
  const octets = ipv6Octets(literal.address)
  return TRANSLATED.includes(octets.slice(0, 12).join(',')) ? octets.slice(12) : octets
}

/** Of one that is sound. */
function ipv6Octets(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const [first, last] = [groups(head), groups(tail ?? '')]
  return [...first, ...Array<number>(Math.max(0, 16 - first.length - last.length)).fill(0), ...last]
}

const groups = (text: string): number[] =>
  text === '' ? [] : text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 255]
  })

/**
 * The octets the other way round, as names have them: `9.113.0.203`; of IPv6 32 hexadecimal digits (RFC 5782 §2.4). `undefined`:
 * it is no address.
 */
export function reversedAddress(address: string): string | undefined {
  const octets = addressOctets(address)
  if (octets === undefined) return undefined
  const labels = octets.length === 4 ? octets.map(String) : octets.flatMap((octet) => [hex(octet >> 4), hex(octet & 15)])
  return labels.reverse().join('.')
}

const hex = (digit: number): string => digit.toString(16)

/** Where the DNS keeps the names of an address (RFC 1035 §3.5, RFC 3596 §2.5). `undefined`: it is no address. */
export function reverseTreeName(address: string): string | undefined {
  const reversed = reversedAddress(address)
  if (reversed === undefined) return undefined
  return `${reversed}.${reversed.length > 15 ? 'ip6' : 'in-addr'}.arpa`
}

/** Whether two addresses are the same, however they are written. */
export function isSameAddress(one: string, other: string): boolean {
  const reversed = reversedAddress(one)
  return reversed !== undefined && reversed === reversedAddress(other)
}
