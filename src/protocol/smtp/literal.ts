/** An address literal of RFC 5321 §4.1.3, taken apart. */
export type AddressLiteral =
  | { readonly kind: 'ipv4'; readonly address: string }
  | { readonly kind: 'ipv6'; readonly address: string }
  | { readonly kind: 'general'; readonly tag: string; readonly content: string }

/**
 * The literal that a domain such as `[192.0.2.1]` or `[IPv6:2001:db8::1]` is; `undefined` where it is none, or not a sound
 * one.
 */
export function parseLiteral(domain: string): AddressLiteral | undefined {
  if (domain.length < 3 || domain.charAt(0) !== '[' || !domain.endsWith(']')) return undefined
  const inner = domain.slice(1, -1)
  if (isIpv4(inner)) return { kind: 'ipv4', address: inner }
  const colon = inner.indexOf(':')
  if (colon < 1) return undefined
  const tag = inner.slice(0, colon)
  const content = inner.slice(colon + 1)
  if (tag.toLowerCase() === 'ipv6') return isIpv6(content) ? { kind: 'ipv6', address: content } : undefined
  return isTag(tag) && isContent(content) ? { kind: 'general', tag, content } : undefined
}

/** Four decimal numbers of 0–255, without leading zeros. */
function isIpv4(text: string): boolean {
  const parts = text.split('.', 5)
  return parts.length === 4 && parts.every((part) => isDecimal(part) && Number(part) < 256)
}

function isDecimal(text: string): boolean {
  if (text.length < 1 || text.length > 3 || (text.length > 1 && text.charAt(0) === '0')) return false
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < 48 || text.charCodeAt(at) > 57) return false
  return true
}

/** RFC 5321 §4.1.3: eight groups of up to four hex digits, at most one `::`, the last two perhaps an IPv4 address. */
export function isIpv6(text: string): boolean {
  if (text.length < 2 || text.length > 45) return false
  const halves = text.split('::', 3)
  if (halves.length > 2) return false
  let groups = 0
  for (let half = 0; half < halves.length; half++) {
    if (halves[half] === '') continue
    const parts = halves[half]!.split(':')
    for (let at = 0; at < parts.length; at++) {
      const last = half === halves.length - 1 && at === parts.length - 1
      if (last && isIpv4(parts[at]!)) groups += 2
      else if (isHexGroup(parts[at]!)) groups++
      else return false
    }
  }
  return halves.length === 2 ? groups < 8 : groups === 8
}

function isHexGroup(text: string): boolean {
  if (text.length < 1 || text.length > 4) return false
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at) | 32
    const digit = unit >= 48 && unit <= 57
    if (!digit && !(unit >= 97 && unit <= 102)) return false
  }
  return true
}

function isTag(tag: string): boolean {
  for (let at = 0; at < tag.length; at++) if (!isLetterDigitHyphen(tag.charCodeAt(at))) return false
  return tag.charAt(tag.length - 1) !== '-'
}

function isContent(content: string): boolean {
  for (let at = 0; at < content.length; at++) {
    const unit = content.charCodeAt(at)
    if (unit < 33 || unit > 126 || (unit >= 91 && unit <= 93)) return false
  }
  return content.length > 0
}

/** Letter, digit or hyphen, in ASCII. */
export function isLetterDigitHyphen(unit: number): boolean {
  return (unit >= 48 && unit <= 57) || ((unit | 32) >= 97 && (unit | 32) <= 122) || unit === 45
}
