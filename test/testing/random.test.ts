import { expect, it } from 'vitest'
import { seededRandom } from '../../src/testing/random.ts'

it('is the same for the same seed, and another for another', () => {
  const draw = (seed: number): string => Buffer.from(seededRandom(seed).octets(16)).toString('hex')
  expect(draw(1)).toBe(draw(1))
  expect(new Set([0, 1, 2, 3, -1, 2 ** 31].map(draw)).size).toBe(6)
})

it('draws octets and numbers evenly', () => {
  const random = seededRandom(7)
  const counts = new Array<number>(256).fill(0)
  for (const octet of random.octets(256 * 200)) counts[octet]!++
  expect(Math.min(...counts)).toBeGreaterThan(120)
  expect(Math.max(...counts)).toBeLessThan(290)
  const faces = new Set(Array.from({ length: 200 }, () => random.below(6)))
  expect([...faces].sort()).toEqual([0, 1, 2, 3, 4, 5])
})
