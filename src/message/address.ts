/**
 * A mailbox address as data, never a string to be parsed again.
 *
 * `local` is unquoted and unescaped (`"a b"` is `a b`), its case preserved. `domain` is as it stood on the wire but for
 * a trailing dot; compare it case-insensitively. An address literal keeps its brackets: `[192.0.2.1]`.
 */
export interface Address {
  readonly local: string
  readonly domain: string
}

/** Whether two domains are the same, letter case and a trailing dot aside. A-labels and U-labels are not converted. */
export function sameDomain(one: string, other: string): boolean {
  return one === other || folded(one) === folded(other)
}

function folded(domain: string): string {
  const name = domain.endsWith('.') ? domain.slice(0, -1) : domain
  return name.normalize('NFC').toLowerCase()
}

/** A local part cut at its first separator: `anna+lists` is `{ local: 'anna', tag: 'lists' }`. */
export interface TaggedLocal {
  readonly local: string
  /** Absent where there is no separator, or where it comes first; may be empty. */
  readonly tag?: string
}

/** Cuts the tag (RFC 5233's detail) off a local part; `separator` is one character or more. */
export function splitTag(local: string, separator = '+'): TaggedLocal {
  const at = separator === '' ? -1 : local.indexOf(separator)
  return at <= 0 ? { local } : { local: local.slice(0, at), tag: local.slice(at + separator.length) }
}
