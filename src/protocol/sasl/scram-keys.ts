import { encodeUtf8 } from '../bytes/text.ts'
import type { SaslCrypto, ScramHash } from './crypto.ts'
import { saslprep } from './saslprep.ts'

/** What a server keeps of a password so that SCRAM can be spoken (RFC 5802 §3). */
export interface ScramKeys {
  readonly salt: Uint8Array
  readonly iterations: number
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

/**
 * Rounds and octets of salt of keys that are made without a word about them. RFC 7677 §4 asks for 4 096 rounds at least; the
 * client has to work through them too, at every log-in.
 */
export const scramDefaults = { iterations: 10_000, saltOctets: 16 } as const

const CLIENT_KEY = encodeUtf8('Client Key')
const SERVER_KEY = encodeUtf8('Server Key')

/**
 * The octets that keys are derived from. What SASLprep prohibits is taken as it is, as most clients do: the account would
 * otherwise be without SCRAM for a control character, and nobody could tell why.
 */
export const passwordOctets = (password: string): Uint8Array => encodeUtf8(saslprep(password) || password)

/** Both keys out of the salted password (RFC 5802 §3). */
export function keysOf(sums: SaslCrypto, hash: ScramHash, salted: Uint8Array): { client: Uint8Array; server: Uint8Array } {
  return { client: sums.hmac(hash, salted, CLIENT_KEY), server: sums.hmac(hash, salted, SERVER_KEY) }
}

/** Keys to keep of a password. Rejects with what the host's cryptography rejects with. */
export async function scramKeysOf(
  sums: SaslCrypto,
  hash: ScramHash,
  password: string,
  options: { readonly iterations?: number; readonly salt?: Uint8Array } = {},
): Promise<ScramKeys> {
  const { iterations = scramDefaults.iterations, salt = sums.random(scramDefaults.saltOctets) } = options
  const { client, server } = keysOf(sums, hash, await sums.pbkdf2(hash, passwordOctets(password), salt, iterations))
  return { salt, iterations, storedKey: sums.hash(hash, client), serverKey: server }
}
