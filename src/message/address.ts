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
