import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SlidingCounts } from '../../src/accounts/guard-counts.ts'
import { memoryKeyValue } from '../../src/adapters/memory/index.ts'
import { Guarding, HOUR, MINUTE, T } from './guarding.ts'

const names = ['alice', 'bob', 'carol'] as const
const addresses = ['192.0.2.1', '198.51.100.7', '203.0.113.9', '2001:db8::1'] as const

/** Somebody tries to log in, some time after the one before. */
const step = fc.record({
  name: fc.constantFrom(...names),
  address: fc.constantFrom(...addresses),
  right: fc.boolean(),
  after: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 * MINUTE })),
})
const steps = fc.array(step, { maxLength: 40, size: 'max' })

const small = { perAddress: 4, perAddressNames: 2, perAccount: 3, perKnown: 3 } as const

/** What everybody would be told who fails now: nobody knows more than this of what the guard has in mind. */
async function outlook(g: Guarding): Promise<string[]> {
  const all: string[] = []
  for (const name of names) {
    for (const address of [...addresses, '192.0.2.99']) {
      const attempt = g.attempt(name, address)
      all.push(JSON.stringify(await g.guard.admit(attempt)))
      g.guard.dropped(attempt)
    }
  }
  return all
}

describe('whatever happens', () => {
  it('a success takes back exactly what its own address got wrong for its own name', async () => {
    await fc.assert(fc.asyncProperty(steps, fc.array(fc.boolean(), { maxLength: 2 }), async (before, mistakes) => {
      const [with_, without] = [new Guarding(small), new Guarding(small)]
      for (const g of [with_, without]) {
        // Somebody who has never been here, from where nobody ever was, and who is in the end right.
        for (const { name, address, right, after } of before) {
          g.now += after
          await g.try(name, address, right)
        }
        if (g === with_) for (const mistake of mistakes) await g.try('dora', '192.0.2.99', !mistake)
        await g.try('dora', '192.0.2.99', true)
      }
      expect(await outlook(with_)).toEqual(await outlook(without))
    }), { numRuns: 60 })
  })

  it('no more fail in a window than its limits say', async () => {
    await fc.assert(fc.asyncProperty(steps, async (all) => {
      const g = new Guarding(small)
      let failed: { at: number; name: string; address: string; known: boolean }[] = []
      const known = new Set<string>()
      for (const { name, address, right, after } of all) {
        g.now += after
        const outcome = await g.try(name, address, right)
        if (outcome === 'in') {
          known.add(name + address)
          // Taken back
          failed = failed.filter((one) => one.name !== name || one.address !== address)
        } else if (!outcome.startsWith('no')) {
          failed.push({ at: g.now, name, address, known: known.has(name + address) })
        }
        const stretch = Math.floor(g.now / HOUR)
        const present = failed.filter((one) => Math.floor(one.at / HOUR) === stretch && !one.known)
        const count = (is: (one: (typeof present)[number]) => boolean): number => present.filter(is).length
        for (const of of names) expect(count((one) => one.name === of)).toBeLessThanOrEqual(small.perAccount)
        for (const of of addresses) expect(count((one) => one.address === of)).toBeLessThanOrEqual(small.perAddress)
      }
    }), { numRuns: 60 })
  })

  it('who comes again after the delay is heard, if nobody else failed meanwhile', async () => {
    await fc.assert(fc.asyncProperty(steps, step, async (all, { name, address }) => {
      const g = new Guarding(small)
      for (const one of all) {
        g.now += one.after
        await g.try(one.name, one.address, one.right)
      }
      const { admitted, delay } = await g.guard.admit(g.attempt(name, address))
      g.now += delay
      if (!admitted) expect(await g.try(name, address, true)).toBe('in')
    }), { numRuns: 100 })
  })

  it('nothing is kept that does not end', async () => {
    await fc.assert(fc.asyncProperty(steps, async (all) => {
      const g = new Guarding(small)
      for (const { name, address, right, after } of all) {
        g.now += after
        await g.try(name, address, right)
      }
      const later = await g.kept(g.now + 2 * HOUR)
      expect(later.every(([key]) => key.startsWith('guard:known:'))).toBe(true)
      expect(await g.kept(g.now + 31 * 24 * HOUR)).toEqual([])
    }), { numRuns: 40 })
  })
})

describe('a count over a sliding window', () => {
  it('is never above what is in two windows, never below what is in the present one, and falls below when it says', async () => {
    const add = fc.record({ after: fc.integer({ min: 0, max: HOUR }), amount: fc.integer({ min: 1, max: 5 }) })
    const adds = fc.array(add, { maxLength: 30 })
    await fc.assert(fc.asyncProperty(adds, fc.integer({ min: 1, max: 20 }), async (all, limit) => {
      const counts = new SlidingCounts(memoryKeyValue(), HOUR)
      let now = T
      const added: { at: number; amount: number }[] = []
      for (const { after, amount } of all) {
        now += after
        await counts.add('x', amount, now)
        added.push({ at: now, amount })
      }
      const sum = (since: number): number => added.reduce((total, { at, amount }) => (at >= since ? total + amount : total), 0)
      const stretch = Math.floor(now / HOUR) * HOUR
      const counted = await counts.read('x', now)
      const total = counts.total(counted, now)
      expect(total).toBeGreaterThanOrEqual(sum(stretch))
      expect(total).toBeLessThanOrEqual(sum(stretch - HOUR))
      if (total < limit) return
      const later = now + counts.below(limit, counted, now)
      expect(later - now).toBeLessThanOrEqual(2 * HOUR)
      expect(counts.total(await counts.read('x', later), later)).toBeLessThan(limit)
      const earlier = later - 2 * 1000
      if (earlier > now) expect(counts.total(await counts.read('x', earlier), earlier)).toBeGreaterThanOrEqual(limit - 0.1)
    }), { numRuns: 200 })
  })
})
