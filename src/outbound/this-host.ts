/**
 * Whether an address is one by which a machine speaks to itself: 127.0.0.0/8, `::1`, those that mean "here" (0.0.0.0/8, `::`),
 * and the same inside IPv6 (RFC 4291 §2.5.5). Whoever publishes such an address as that of a mail server wants us to speak to
 * our own services.
 */
export function isLoopback(address: string): boolean {
  if (!address.includes(':')) return isOwnNetwork(Number(address.split('.', 1)[0]))
  const groups = groupsOf(address)
  if (groups.length !== 8 || groups.slice(0, 5).some((group) => group !== 0)) return false
  return (groups[5] === 0 || groups[5] === 0xffff) && isOwnNetwork(groups[6]! >> 8)
}

const isOwnNetwork = (first: number): boolean => first === 127 || first === 0

/** The numbers of an IPv6 address, eight of them if it is one. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').split('::', 2)
  const first = numbersOf(head)
  if (tail === undefined) return first
  const last = numbersOf(tail)
  return [...first, ...Array<number>(Math.max(0, 8 - first.length - last.length)).fill(0), ...last]
}

function numbersOf(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}
