import { encodeUtf8 } from '../protocol/bytes/text.ts'
import { saslprep } from '../protocol/sasl/saslprep.ts'

/** Octets of a password that are accepted; hashing more is work that a stranger could ask for. */
export const MOST_PASSWORD = 1024

/**
 * A password in the form in which it is hashed and checked: SASLprep (RFC 4013: odd spaces are spaces, what cannot be seen is
 * gone, NFKC), so that it is the same from every keyboard, and over PLAIN the same as over SCRAM. What SASLprep prohibits for
 * mixing directions of writing is taken as it stands. `undefined`: empty, more than 1024 octets of UTF-8, or with control
 * characters.
 */
export function passwordText(password: string): string | undefined {
  // Before anything is made of it: a code unit is an octet at least.
  if (password.length === 0 || password.length > MOST_PASSWORD) return undefined
  const text = saslprep(password) || password
  return encodeUtf8(text).length > MOST_PASSWORD || /[\p{Cc}\p{Cs}]/u.test(text) ? undefined : text
}
