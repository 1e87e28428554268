/** Hashes that SASL mechanisms take, by their IANA names. MD5 only inside HMAC (RFC 2195), where it is not broken. */
export type SaslHash = 'SHA-1' | 'SHA-256' | 'MD5'

/** A hash that SCRAM is defined with (RFC 5802, RFC 7677). */
export type ScramHash = 'SHA-1' | 'SHA-256'

/** The cryptography that mechanisms take from the host. Nothing given is changed or kept. */
export interface SaslCrypto {
  /** The digest. */
  hash(name: SaslHash, bytes: Uint8Array): Uint8Array
  /** RFC 2104. */
  hmac(name: SaslHash, key: Uint8Array, data: Uint8Array): Uint8Array
  /** As many octets as the hash has (RFC 5802 §2.2, `Hi`). Off the event loop's thread. */
  pbkdf2(name: ScramHash, password: Uint8Array, salt: Uint8Array, iterations: number): Promise<Uint8Array>
  /** Octets that nobody can guess. */
  random(octets: number): Uint8Array
}
