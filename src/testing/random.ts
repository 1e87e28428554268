/** Chance that is the same whenever it begins with the same seed. Not for secrets. */
export interface SeededRandom {
  /** So many random octets. Fits the `random` option of a receiver. */
  octets(count: number): Uint8Array
  /** A whole number from 0 to `bound` - 1. */
  below(bound: number): number
}

/** A generator (sfc32) for a seed: any number; its lower 32 bits count. */
export function seededRandom(seed: number): SeededRandom {
  let a = seed | 0
  let b = 0x9e3779b9 | 0
  let c = 0x243f6a88 | 0
  let counter = 1
  const next = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  // Neighbouring seeds begin alike: the first draws are not given out.
  for (let draw = 0; draw < 15; draw++) next()
  return {
    octets: (count) => Uint8Array.from({ length: count }, () => next() & 255),
    below: (bound) => Math.floor((next() / 0x1_0000_0000) * bound),
  }
}
