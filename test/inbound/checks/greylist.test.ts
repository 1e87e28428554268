import { describe, expect, it } from 'vitest'
import { memoryKeyValue } from '../../../src/adapters/memory/index.ts'
import type { Authentication, KeyValue } from '../../../src/contracts/index.ts'
import { greylist, type GreylistOptions, inOrder, type Policy } from '../../../src/index.ts'
import { policyContract, seededRandom, type TestClient, virtualClock, world, type World } from '../../../src/testing/index.ts'

const made = (options: Partial<GreylistOptions> = {}, before: readonly Policy[] = []): World => world({
  server: {
    policies: [inOrder(...before, greylist({ store: memoryKeyValue(), ...options }))],
    connections: false,
    authenticate: ({ username }) => ({ account: username }),
    plaintextAuth: true,
  },
})

interface Sending {
  readonly address?: string | undefined
  readonly from?: string | null
  readonly to?: string | readonly string[]
  readonly login?: string
}

async function sent(w: World, sending: Sending = {}): Promise<readonly string[]> {
  const { login, from = 'bob@a.test', to = 'alice@mx.test' } = sending
  const client: TestClient = w.connect('address' in sending ? sending.address : '203.0.113.9')
  if (login !== undefined) await client.login(login, 'pw')
  const { recipients } = await client.send({ from, to })
  return recipients.map(({ reply }) => reply.replace(/^(2\d\d) .*$/, '$1'))
}

const wait = (seconds: number): string[] => [`450 4.7.1 Greylisted, try again in ${seconds} seconds`]

const finding = (spf: string | undefined, dmarc: string | undefined): Authentication => ({
  spf: spf === undefined ? undefined : { result: spf as 'pass', identity: 'mailfrom', domain: 'a.test', why: undefined },
  dkim: undefined,
  dmarc: dmarc === undefined ? undefined : {
    result: dmarc as 'pass', domain: 'a.test', policyDomain: 'a.test', policy: 'reject', disposition: 'none',
    aligned: { spf: true, dkim: false }, record: undefined, why: undefined,
  },
  arc: undefined,
  iprev: undefined,
  bimi: undefined,
})

describe('greylist', () => {
  it('lets who is new wait, and then knows him', async () => {
    const w = made()
    expect(await sent(w)).toEqual(wait(300))
    await w.clock.advance(299_000)
    expect(await sent(w)).toEqual(wait(1))
    await w.clock.advance(1000)
    expect(await sent(w)).toEqual(['250'])
    expect(await sent(w)).toEqual(['250'])
    // A month later, from the last message on, he still is; and after five weeks of nothing he is new.
    await w.clock.advance(34 * 86_400_000)
    expect(await sent(w)).toEqual(['250'])
    await w.clock.advance(34 * 86_400_000)
    expect(await sent(w)).toEqual(['250'])
    await w.clock.advance(35 * 86_400_000)
    expect(await sent(w)).toEqual(wait(300))
  })

  it('lets nobody wait for a day that a wrong clock has written', async () => {
    const store = memoryKeyValue()
    const inAYear = world({
      now: Date.UTC(2027, 0, 1), server: { policies: [greylist({ store })], connections: false },
    })
    expect(await sent(inAYear)).toEqual(wait(300))
    const w = world({ now: Date.UTC(2026, 0, 1), server: { policies: [greylist({ store })], connections: false } })
    expect(await sent(w)).toEqual(wait(300))
    await w.clock.advance(300_000)
    expect(await sent(w)).toEqual(['250'])
  })

  it('takes who comes too late for one who is new', async () => {
    const w = made({ wait: 60_000, retryWithin: 3_600_000 })
    expect(await sent(w)).toEqual(wait(60))
    await w.clock.advance(3_600_000)
    expect(await sent(w)).toEqual(wait(60))
    await w.clock.advance(3_599_999)
    expect(await sent(w)).toEqual(['250'])
  })

  it.each<readonly [string, Sending, Sending, boolean]>([
    ['another of the network', {}, { address: '203.0.113.77' }, true],
    ['another network', {}, { address: '203.0.114.9' }, false],
    ['another of the /64', { address: '2001:db8:1:2::1' }, { address: '2001:db8:1:2:ffff::1' }, true],
    ['another /64', { address: '2001:db8:1:2::1' }, { address: '2001:db8:1:3::1' }, false],
    ['another sender', {}, { from: 'carol@a.test' }, false],
    ['the sender in capitals, with a tag', {}, { from: 'BOB+x@A.test' }, true],
    ['a list with another number', { from: 'bounce-17@a.test' }, { from: 'bounce-4711@a.test' }, true],
    ['another recipient', {}, { to: 'carol@mx.test' }, false],
    ['the recipient with a tag', {}, { to: 'Alice+shop@mx.test' }, true],
  ])('knows or not, who has come again: %s', async (_, first, then, isKnown) => {
    const w = made()
    await sent(w, first)
    await w.clock.advance(300_000)
    expect(await sent(w, then)).toEqual(isKnown ? ['250'] : wait(300))
  })

  it('goes by the address, where it is told to', async () => {
    const w = made({ by: 'address' })
    await sent(w)
    await w.clock.advance(300_000)
    expect(await sent(w, { address: '203.0.113.10' })).toEqual(wait(300))
    expect(await sent(w)).toEqual(['250'])
  })

  it('lets in a client of which several have come again', async () => {
    const w = made({ allowAfter: 3 })
    const to = ['a@mx.test', 'b@mx.test', 'c@mx.test']
    await sent(w, { to })
    await w.clock.advance(300_000)
    expect(await sent(w, { to: to.slice(0, 2) })).toEqual(['250', '250'])
    expect(await sent(w, { to: 'd@mx.test' })).toEqual(wait(300))
    expect(await sent(w, { to: 'c@mx.test' })).toEqual(['250'])
    expect(await sent(w, { from: 'x@y.test', to: 'e@mx.test' })).toEqual(['250'])
    await w.clock.advance(36 * 86_400_000)
    expect(await sent(w, { from: 'x@y.test', to: 'e@mx.test' })).toEqual(wait(300))
  })

  it('never does so, where it is told not to', async () => {
    const w = made({ allowAfter: 0 })
    const to = Array.from({ length: 8 }, (_, at) => `a${at}@mx.test`)
    await sent(w, { to })
    await w.clock.advance(300_000)
    expect(new Set(await sent(w, { to }))).toEqual(new Set(['250']))
    expect(await sent(w, { to: 'new@mx.test' })).toEqual(wait(300))
  })

  it('lets the null sender pass at RCPT, and wait once the message is there', async () => {
    const w = made()
    const client = w.connect('203.0.113.9')
    const [, , mail, rcpt] = await client.ask('EHLO client.test', 'MAIL FROM:<>', 'RCPT TO:<alice@mx.test>')
    expect([mail, rcpt].map((reply) => reply!.slice(0, 3))).toEqual(['250', '250'])
    await client.ask('QUIT')
    expect(await sent(w, { from: null })).toEqual(wait(300))
    await w.clock.advance(300_000)
    expect(await sent(w, { from: null })).toEqual(['250'])
  })

  it('exempts log-ins, clients of no address, and whom it is told to', async () => {
    const w = made({ exempt: async (sender, to) => sender?.domain === 'friend.test' || to.user === 'postmaster' })
    expect(await sent(w, { login: 'alice' })).toEqual(['250'])
    expect(await sent(w, { address: undefined })).toEqual(['250'])
    expect(await sent(w, { from: 'x@friend.test' })).toEqual(['250'])
    expect(await sent(w, { to: ['postmaster@mx.test', 'alice@mx.test'] })).toEqual(['250', ...wait(300)])
  })

  it('knows by its domain whom SPF vouches for, wherever he comes from', async () => {
    let spf = 'pass'
    const w = made({}, [{ name: 'spf', sender: (_, { notes }) => notes.authentication(finding(spf, undefined)) }])
    expect(await sent(w)).toEqual(wait(300))
    await w.clock.advance(300_000)
    expect(await sent(w, { address: '198.51.100.1' })).toEqual(['250'])
    spf = 'softfail'
    expect(await sent(w, { address: '198.51.100.1' })).toEqual(wait(300))
  })

  it('exempts whom DMARC has passed, where it is asked once the message is there', async () => {
    let dmarc = 'pass'
    const found: Policy = { name: 'dmarc', message: (_, { notes }) => notes.authentication(finding(undefined, dmarc)) }
    const w = made({ at: 'message' }, [found])
    expect(await sent(w)).toEqual(['250'])
    dmarc = 'fail'
    expect(await sent(w)).toEqual(wait(300))
  })

  it('lets a message wait whose recipients have not all come again', async () => {
    const w = made({ at: 'message' })
    expect(await sent(w, { to: 'a@mx.test' })).toEqual(wait(300))
    await w.clock.advance(200_000)
    expect(await sent(w, { to: ['a@mx.test', 'b@mx.test'] })).toEqual([...wait(300), ...wait(300)])
    await w.clock.advance(300_000)
    expect(await sent(w, { to: ['a@mx.test', 'b@mx.test'] })).toEqual(['250', '250'])
  })

  it('writes nothing that does not time out', async () => {
    const store = memoryKeyValue()
    const w = made({ store })
    for (let at = 0; at < 20; at++) await sent(w, { to: `a${at % 4}@mx.test`, address: `203.0.${at}.9` })
    await w.clock.advance(300_000)
    for (let at = 0; at < 20; at++) await sent(w, { to: `a${at % 4}@mx.test`, address: `203.0.${at}.9` })
    const keys = async (): Promise<number> => {
      let count = 0
      for await (const page of store.list('', w.clock.now())) count += page.length
      return count
    }
    expect(await keys()).toBeGreaterThan(20)
    await w.clock.advance(35 * 86_400_000)
    expect(await keys()).toBe(0)
  })

  it('writes keys of no more than 512 characters, whatever comes', async () => {
    const lengths: number[] = []
    const store = memoryKeyValue()
    const seen = new Proxy(store, {
      get: (target, name: keyof KeyValue) => (typeof target[name] !== 'function' ? target[name] : (...args: unknown[]) => {
        lengths.push(String(args[0]).length)
        return (target[name] as (...args: unknown[]) => unknown).call(target, ...args)
      }),
    })
    const w = made({ store: seen })
    const long = (domain: string): string => `${'a'.repeat(64)}@${`${'b'.repeat(60)}.`.repeat(3)}${domain}`
    expect(await sent(w, { from: long('test'), to: long('test') })).toEqual(wait(300))
    expect(await sent(w, { from: long('test2'), to: long('test') })).toEqual(wait(300))
    await w.clock.advance(300_000)
    expect(await sent(w, { from: long('test3'), to: long('test') })).toEqual(wait(300))
    expect(await sent(w, { from: long('test'), to: long('test') })).toEqual(['250'])
    expect(Math.max(...lengths)).toBeLessThanOrEqual(512)
  })

  it.each(['pass', 'defer'] as const)('where the store fails: %s', async (onError) => {
    const gone = (): Promise<never> => Promise.reject(new Error('gone'))
    const store = Object.assign(Object.create(memoryKeyValue()) as KeyValue, { get: gone, set: gone, swap: gone })
    const w = made({ store, onError })
    expect(await sent(w)).toEqual(onError === 'pass' ? ['250'] : ['451 4.3.0 Temporary failure, try again later'])
    const what = `policy inOrder(greylist) at recipient`
    expect(w.events).toContainEqual(expect.objectContaining({ kind: 'failed', what, error: new Error('gone') }))
  })

  it('is one for all who share the store, who may come at once', async () => {
    const store = memoryKeyValue()
    // Every step takes its time, and others come in between.
    const random = seededRandom(4)
    const clock = virtualClock()
    const slowly = <T>(step: () => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => clock.alarm(clock.ticks() + random.below(20), () => void step().then(resolve, reject)))
    const slow = (): KeyValue => Object.assign(Object.create(store) as KeyValue, {
      get: (...given: Parameters<KeyValue['get']>) => slowly(() => store.get(...given)),
      swap: (...given: Parameters<KeyValue['swap']>) => slowly(() => store.swap(...given)),
    })
    const worlds = [1, 2, 3].map(() => made({ store: slow(), allowAfter: 4 }))
    const round = (to: string): Promise<readonly (readonly string[])[]> =>
      clock.until(Promise.all([...worlds, ...worlds].map((w) => sent(w, { to }))))
    const again = async (milliseconds: number): Promise<void> => {
      for (const w of worlds) await w.clock.advance(milliseconds)
    }
    for (let at = 0; at < 4; at++) {
      expect(await round(`a${at}@mx.test`)).toEqual(Array.from({ length: 6 }, () => wait(300)))
      await again(300_000)
      expect(await round(`a${at}@mx.test`)).toEqual(Array.from({ length: 6 }, () => ['250']))
    }
    // Each of the four counted once, however many brought it.
    expect((await store.get('greylist:c:203.0.113.0/24', worlds[0]!.clock.now()))?.split(' ')[0]).toBe('4')
    expect(await round('new@mx.test')).toEqual(Array.from({ length: 6 }, () => ['250']))
  })

  it.each([
    {},
    { store: {} },
    { store: memoryKeyValue(), wait: -1 },
    { store: memoryKeyValue(), wait: 1000, retryWithin: 1000 },
    { store: memoryKeyValue(), by: 'sender' },
    { store: memoryKeyValue(), delay: 5 },
  ])('refuses options that are none: %#', (options) => {
    expect(() => greylist(options as never)).toThrow(expect.objectContaining({ code: 'config' }))
  })
})

describe.each<readonly [string, () => Policy]>([
  ['greylist', () => greylist({ store: memoryKeyValue() })],
  ['greylist once the message is there', () => greylist({ store: memoryKeyValue(), at: 'message', wait: 1 })],
])('%s keeps the contract', (_, open) => policyContract({ describe, it, open, skipped: () => undefined }))
