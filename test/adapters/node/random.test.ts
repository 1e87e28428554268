import { describe, expect, it } from 'vitest'
import { randomBytes } from '../../../src/adapters/node/index.ts'

describe('randomBytes', () => {
  it.each([0, 1, 16, 255, 256, 257, 4096, 10_000])('gives %d octets of the caller\'s own', (octets) => {
    const bytes = randomBytes(octets)
    expect(bytes.length).toBe(octets)
    expect(bytes.buffer.byteLength).toBe(octets)
  })

  it('never gives the same twice, across many refills', () => {
    const seen = new Set(Array.from({ length: 5_000 }, () => Buffer.from(randomBytes(16)).toString('hex')))
    expect(seen.size).toBe(5_000)
  })

  it('uses all values of an octet', () => {
    expect(new Set(Array.from({ length: 200 }, () => [...randomBytes(64)]).flat()).size).toBe(256)
  })
})
