import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryKeyValue } from '../../../src/adapters/memory/index.ts'
import type { KeyValue } from '../../../src/contracts/index.ts'
import { type Policy, rateLimit, type RateLimitOptions, slidingCount } from '../../../src/index.ts'
import { policyContract, seededRandom, virtualClock, world, type World } from '../../../src/testing/index.ts'

const made = (policy: Policy): World => world({
  server: {
    policies: [policy], connections: false, authenticate: ({ username }) => ({ account: username }), plaintextAuth: true,
    smtp: { limits: { errors: Infinity } },
  },
})

const stores: readonly (readonly [string, () => Pick<RateLimitOptions, 'store'>])[] = [
  ['in memory', () => ({})],
  ['in a store', () => ({ store: memoryKeyValue() })],
]

describe.each(stores)('rateLimit, %s', (_, kept) => {
  interface Sending {
    readonly address?: string
    readonly from?: string | null
    readonly to?: string
    readonly login?: string
  }
  const sent = async (w: World, sending: Sending): Promise<string> => {
    const { address = '203.0.113.9', login, from = 'bob@a.test', to = 'alice@mx.test' } = sending
    const client = w.connect(address)
    if (login !== undefined) await client.login(login, 'pw')
    return (await client.send({ from, to })).reply.slice(0, 3)
  }

  it.each<readonly [Partial<RateLimitOptions>, Sending, Sending, string]>([
    [{ by: 'address' }, {}, {}, '450'],
    [{ by: 'address' }, {}, { address: '203.0.113.10' }, '250'],
    [{ by: 'address' }, { address: '2001:db8::1' }, { address: '2001:db8::2' }, '450'],
    [{ by: 'network' }, {}, { address: '203.0.113.10' }, '450'],
    [{ by: 'network' }, {}, { address: '203.0.114.9' }, '250'],
    [{ by: 'account' }, { login: 'a' }, { login: 'a', address: '198.51.100.1' }, '450'],
    [{ by: 'account' }, { login: 'a' }, { login: 'b' }, '250'],
    [{ by: 'account' }, {}, {}, '250'],
    [{ by: 'domain' }, {}, { from: 'carol@A.test', address: '198.51.100.1' }, '450'],
    [{ by: 'domain' }, {}, { from: 'bob@b.test' }, '250'],
    [{ by: 'domain' }, { from: null }, { from: null }, '250'],
    [{ by: 'domain', count: 'recipient' }, {}, {}, '450'],
    [{ by: 'recipient', count: 'recipient' }, {}, { to: 'Alice+x@MX.test', address: '198.51.100.1' }, '450'],
    [{ by: 'recipient', count: 'recipient' }, {}, { to: 'carol@mx.test' }, '250'],
    [{ by: (stage, to) => `${stage.connection.peer.address}/${to?.domain}`, count: 'recipient' }, {}, { to: 'x@mx.test' }, '450'],
    [{ by: () => undefined }, {}, {}, '250'],
    [{ by: () => 'x'.repeat(2000) }, {}, {}, '450'],
  ])('%j: after %j, %j hears %s', async (options, first, then, reply) => {
    const w = made(rateLimit({ perMinute: 1, ...options, ...kept() }))
    expect(await sent(w, first)).toBe('250')
    expect(await sent(w, then)).toBe(reply)
  })

  it('holds for as long as it is told to', async () => {
    const day = 86_400_000
    const w = made(rateLimit({ most: 2, window: day, ...kept() }))
    await w.clock.advance(day - (w.clock.now() % day))
    expect([await sent(w, {}), await sent(w, {}), await sent(w, {})]).toEqual(['250', '250', '450'])
    await w.clock.advance(day - 1)
    expect(await sent(w, {})).toBe('450')
    // A half of the two has left the window.
    await w.clock.advance(day / 2 + 2)
    expect([await sent(w, {}), await sent(w, {})]).toEqual(['250', '450'])
    await w.clock.advance(2 * day)
    expect([await sent(w, {}), await sent(w, {}), await sent(w, {})]).toEqual(['250', '250', '450'])
  })
})

describe('rateLimit in a store', () => {
  /** The policy as a server asks it, at that time. */
  const asked = async (policy: Policy, now: number, troubles: unknown[] = []): Promise<'pass' | 'defer'> => {
    const connection = { peer: { address: '203.0.113.9' } }
    const trouble = (error: unknown): number => troubles.push(error)
    const stage = { now, connection, envelope: { sender: null, recipients: [] }, trouble }
    const verdict = await policy.sender!(null, stage as never)
    return verdict === undefined ? 'pass' : (verdict.kind as 'defer')
  }

  it('decides as it does in memory', async () => {
    const steps = fc.array(fc.oneof(fc.nat(50), fc.nat(1500), fc.nat(4000)), { minLength: 1, maxLength: 60 })
    await fc.assert(fc.asyncProperty(steps, fc.integer({ min: 1, max: 8 }), async (pauses, most) => {
      const bounds = { most, window: 1000 }
      const [one, other] = [rateLimit(bounds), rateLimit({ ...bounds, store: memoryKeyValue() })]
      let now = 1_000_000
      for (const pause of pauses) {
        now += pause
        expect(await asked(other, now)).toBe(await asked(one, now))
      }
    }), { numRuns: 60 })
  })

  it('lets no more than so many in, whichever server they come to, and however their steps mix', async () => {
    const [most, window] = [10, 1000]
    const seeds = fc.integer({ min: 1, max: 1e6 })
    await fc.assert(fc.asyncProperty(seeds, async (seed) => {
      const random = seededRandom(seed)
      const clock = virtualClock()
      const store = memoryKeyValue()
      const slowly = <T>(step: () => Promise<T>): Promise<T> =>
        new Promise((resolve, reject) => clock.alarm(clock.ticks() + random.below(5), () => void step().then(resolve, reject)))
      const slow = (): KeyValue => Object.assign(Object.create(store) as KeyValue, {
        get: (...given: Parameters<KeyValue['get']>) => slowly(() => store.get(...given)),
        add: (...given: Parameters<KeyValue['add']>) => slowly(() => store.add(...given)),
      })
      const servers = Array.from({ length: 3 }, () => rateLimit({ most, window, store: slow() }))
      const began = clock.now() - (clock.now() % window) + window
      const passed: number[] = []
      for (let burst = 0; burst < 8; burst++) {
        const now = began + burst * 400
        const verdicts = await clock.until(Promise.all(Array.from({ length: 8 }, (_, at) => asked(servers[at % 3]!, now))))
        for (const verdict of verdicts) if (verdict === 'pass') passed.push(now)
      }
      for (let from = began; from < began + 4000; from += window) {
        expect(passed.filter((at) => at >= from && at < from + window).length).toBeLessThanOrEqual(most)
      }
      expect(passed.length).toBeGreaterThan(0)
    }), { numRuns: 15 })
  })

  it.each(['pass', 'defer'] as const)('says so where the store fails, and lets %s', async (onError) => {
    const store = Object.assign(Object.create(memoryKeyValue()) as KeyValue, { add: () => Promise.reject(new Error('gone')) })
    const troubles: unknown[] = []
    expect(await asked(rateLimit({ perMinute: 5, store, onError }), 0, troubles)).toBe(onError)
    expect(troubles).toEqual([new Error('gone')])
  })

  it('keeps limits apart that have names, and those that count something else', async () => {
    const store = memoryKeyValue()
    const by = (): string => 'x'
    const limits: readonly RateLimitOptions[] = [
      { perMinute: 1 }, { perMinute: 1, name: 'second' }, { perMinute: 1, by }, { perMinute: 1, by: 'network' },
      { most: 1, window: 30_000 },
    ]
    for (const limit of limits) expect(await asked(rateLimit({ ...limit, store }), 1000)).toBe('pass')
    expect(await asked(rateLimit({ perMinute: 1, store }), 1000)).toBe('defer')
  })

  it('writes nothing that does not time out', async () => {
    const store = memoryKeyValue()
    const policy = rateLimit({ most: 2, window: 1000, store })
    for (let now = 0; now < 10_000; now += 100) await asked(policy, now)
    await store.sweep!(12_000)
    for await (const page of store.list('', 12_000)) expect(page).toEqual([])
  })
})

it.each<readonly [RateLimitOptions]>([
  [{}], [{ perMinute: 5, most: 5, window: 5 }], [{ most: 5 }], [{ window: 5 }], [{ perMinute: 5, window: 5 }],
  [{ most: 5, window: Infinity }], [{ most: 0, window: 5 }], [{ perMinute: 5, by: 'recipient' }],
  [{ perMinute: 5, by: 'account', count: 'connection' }],
  [{ perMinute: 5, by: 'domain', count: 'connection' }], [{ perMinute: 5, store: {} as KeyValue }],
  [{ perMinute: 5, onError: 'no' as 'pass' }],
])('rateLimit refuses %j', (options) => {
  expect(() => rateLimit(options)).toThrow(expect.objectContaining({ code: 'config' }))
})

describe('slidingCount', () => {
  const counts = fc.record({ stretch: fc.nat(1e6), present: fc.nat(1000), before: fc.nat(1000) })
  const length = fc.integer({ min: 1, max: 1e9 })

  it('never grows while nothing is counted, and comes to nothing after two windows', () => {
    const share = (max: number): fc.Arbitrary<number> => fc.double({ min: 0, max, noNaN: true })
    fc.assert(fc.property(counts, length, share(2), share(1), (one, window, when, later) => {
      const from = one.stretch * window + Math.floor(when * window)
      const [first, then] = [slidingCount(one, from, window), slidingCount(one, from + Math.floor(later * window), window)]
      expect(then).toBeLessThanOrEqual(first + 1e-9)
      expect(first).toBeGreaterThanOrEqual(0)
      expect(first).toBeLessThanOrEqual(one.present + one.before)
      expect(slidingCount(one, (one.stretch + 2) * window, window)).toBe(0)
    }), { numRuns: 200 })
  })

  it('is what was counted, at the beginning of a stretch and at its end', () => {
    fc.assert(fc.property(counts, length, (one, window) => {
      expect(slidingCount(one, one.stretch * window, window)).toBe(one.present + one.before)
      expect(slidingCount(one, (one.stretch + 1) * window, window)).toBe(one.present)
    }), { numRuns: 100 })
  })

  it('lets no window have more than twice the limit, wherever it lies', () => {
    const many = fc.array(fc.nat(700), { minLength: 30, maxLength: 120 })
    fc.assert(fc.property(many, fc.integer({ min: 1, max: 10 }), (pauses, most) => {
      const window = 1000
      const held = { stretch: 0, present: 0, before: 0 }
      const passed: number[] = []
      let now = 0
      for (const pause of pauses) {
        now += Math.floor(pause / most)
        const stretch = Math.floor(now / window)
        if (stretch !== held.stretch) {
          Object.assign(held, { before: held.stretch === stretch - 1 ? held.present : 0, present: 0, stretch })
        }
        if (slidingCount(held, now, window) + 1 > most) continue
        held.present++
        passed.push(now)
      }
      for (const at of passed) {
        expect(passed.filter((other) => other > at - window && other <= at).length).toBeLessThanOrEqual(2 * most)
      }
    }), { numRuns: 60 })
  })
})

describe.each<readonly [string, () => Policy]>([
  ['rateLimit in a store', () => rateLimit({ perMinute: 5, store: memoryKeyValue() })],
  ['rateLimit of connections in a store', () =>
    rateLimit({ most: 5, window: 600_000, count: 'connection', store: memoryKeyValue() })],
  ['rateLimit by domain', () => rateLimit({ perMinute: 5, by: 'domain' })],
  ['rateLimit by recipient', () => rateLimit({ perMinute: 5, by: 'recipient', count: 'recipient', store: memoryKeyValue() })],
])('%s keeps the contract', (_, open) => policyContract({ describe, it, open, skipped: () => undefined }))
