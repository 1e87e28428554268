import { createHash, randomBytes } from 'node:crypto'

/** SHA-256, lower-case hex. */
export function sha256(octets: Uint8Array | string): string {
  return createHash('sha256').update(octets).digest('hex')
}

/** So many random octets, lower-case hex. */
export function randomHex(octets: number): string {
  return randomBytes(octets).toString('hex')
}
