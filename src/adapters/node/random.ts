import { randomFillSync } from 'node:crypto'

/** One call to the generator costs as much for 16 octets as for a few thousand: draw ahead. */
const pool = new Uint8Array(4096)
let used = pool.length

/**
 * Octets of the machine's cryptographic generator. What is handed out is wiped from the pool, so that no later leak of
 * memory tells an id or nonce of the past.
 */
export function randomBytes(octets: number): Uint8Array {
  if (octets > 256) return randomFillSync(new Uint8Array(octets))
  if (used + octets > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const drawn = new Uint8Array(octets)
  const from = pool.subarray(used, used + octets)
  drawn.set(from)
  from.fill(0)
  used += octets
  return drawn
}
