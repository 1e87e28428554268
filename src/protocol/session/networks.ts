/** RFC 4291 §2.5.5.2, RFC 6052 §2.1: the first 96 bits of IPv6 addresses that stand for IPv4 ones. */
const TRANSLATED: ReadonlySet<string> = new Set(['0:0:0:0:0:ffff', '64:ff9b:0:0:0:0'])

/** What one client is counted by: an IPv4 address, or a /64, of which a single machine may use every address. */
export function clientOf(address: string): string {
  if (!address.includes(':')) return address
  const groups = ipv6Groups(address)
  return TRANSLATED.has(groups.slice(0, 6).join(':')) ? address.toLowerCase() : `${groups.slice(0, 4).join(':')}::`
}

/** The network that an address counts as: /24 for IPv4, /64 for IPv6, which is what one subscriber usually has. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return `${address.slice(0, address.lastIndexOf('.'))}.0/24`
  return `${ipv6Groups(address).slice(0, 4).join(':')}::/64`
}

/** Whether two addresses are the same, however their groups are written. */
export function sameAddress(one: string, other: string): boolean {
  if (one.toLowerCase() === other.toLowerCase()) return true
  // With an IPv4 tail only one form is known here.
  const isIpv6 = [one, other].every((address) => address.includes(':') && !address.includes('.'))
  return isIpv6 && ipv6Groups(one).join(':') === ipv6Groups(other).join(':')
}

/** The eight groups of an IPv6 address, `::` written out, an IPv4 tail as two groups. */
function ipv6Groups(address: string): string[] {
  const zone = address.indexOf('%')
  const [head = '', tail] = (zone < 0 ? address : address.slice(0, zone)).split('::')
  const first = groups(head)
  if (tail === undefined) return first
  const last = groups(tail)
  return [...first, ...Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0'), ...last]
}

const groups = (text: string): string[] =>
  text === '' ? [] : text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [normal(group)]))

const normal = (group: string): string => Number.parseInt(group, 16).toString(16)
