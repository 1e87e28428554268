/*
 * How a key-value store keeps what is noted of mailboxes and of accounts (IMAP METADATA, RFC 5464): a key for each, under it the
 * entries and their values in JSON.
 */

/** Entries under one key, and octets of all of them: what a key-value store takes. */
const MOST_ENTRIES = 64
const MOST_OCTETS = 65_536

/** Values by entry; entries are in lower case, values are octets. */
export type KeptAnnotations = ReadonlyMap<string, string>

/** What all keys of an account begin with. */
export const annotationKeys = (account: string): string => `annotations:${encodeURIComponent(account)}:`

/** The key of a mailbox, or of what the account has noted of the server. Ids are never given to another mailbox. */
export const annotationKey = (account: string, mailbox: string | undefined): string =>
  `${annotationKeys(account)}${mailbox ?? ''}`

/** What a key-value store has under a key. */
export function parseAnnotations(text: string | undefined): KeptAnnotations {
  return new Map(text === undefined ? [] : JSON.parse(text) as [string, string][])
}

/** As it is kept; `undefined`: more than can be. Where there is none, the key is removed instead. */
export function formatAnnotations(annotations: KeptAnnotations): string | undefined {
  const text = JSON.stringify([...annotations].sort(([a], [b]) => (a < b ? -1 : 1)))
  const isTooMuch = annotations.size > MOST_ENTRIES || new TextEncoder().encode(text).length > MOST_OCTETS
  return isTooMuch ? undefined : text
}
