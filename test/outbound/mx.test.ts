import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DnsAnswer, Resolver } from '../../src/contracts/index.ts'
import { type MailHosts, mxHosts, type MxTerms } from '../../src/outbound/mx.ts'
import type { RouteFailure } from '../../src/outbound/route-failure.ts'
import { isLoopback } from '../../src/outbound/this-host.ts'
import { fakeDns, type FakeZone, seededRandom } from '../../src/testing/index.ts'

const zone: FakeZone = {
  'a.test': { MX: ['20 backup.a.test', '10 mx1.a.test', '10 mx2.a.test'] },
  'mx1.a.test': { A: '203.0.113.1', AAAA: '2001:db8::1' },
  'mx2.a.test': { A: '203.0.113.2' },
  'backup.a.test': { A: '203.0.113.3' },
  'own.test': { A: '203.0.113.4', AAAA: '2001:db8::4' },
  'nothing.test': { TXT: 'x' },
  'null.test': { MX: '0 .' },
  'mixed.test': { MX: ['0 .', '10 mx1.a.test'] },
  'alias.test': { CNAME: 'a.test' },
  'owner.test': { CNAME: 'own.test' },
  'broken.test': 'SERVFAIL',
  'slow.test': 'TIMEOUT',
  'half.test': { MX: 'SERVFAIL', A: '203.0.113.5' },
  'dead.test': { MX: ['10 gone.test', '20 nothing.test'] },
  'shaky.test': { MX: ['10 broken.test', '20 gone.test'] },
  'partly.test': { MX: ['10 broken.test', '20 mx1.a.test', '30 gone.test'] },
  'xn--bcher-kva.test': { MX: '5 mx2.a.test' },
  'loop.test': { MX: '10 us.test' },
  'loops.test': { MX: ['10 mx1.a.test', '20 us.test', '20 mx2.a.test', '30 backup.a.test'] },
  'hidden.test': { MX: ['10 other.test', '5 mx1.a.test'] },
  'other.test': { A: '198.51.100.25' },
  'unknown-us.test': { MX: ['10 mx1.a.test', '20 nameless.us.test', '30 mx2.a.test'] },
  'cname-us.test': { MX: ['10 called.test', '5 mx1.a.test'] },
  'called.test': { CNAME: 'us.test' },
  'us.test': { A: '198.51.100.25', AAAA: '2001:db8:0:0::25' },
  'inside.test': { MX: ['10 home.test', '5 mx1.a.test'] },
  'home.test': { A: '127.0.0.1' },
  'trap.test': { MX: '10 home.test' },
  'signed.test': { MX: ['10 mx.signed.test', '20 mx1.a.test'], authenticated: true },
  'mx.signed.test': { CNAME: 'host.signed.test', authenticated: true },
  'host.signed.test': { A: '203.0.113.6', AAAA: '2001:db8::6', authenticated: true },
}

const terms = (more: Partial<MxTerms> = {}): MxTerms => ({
  resolver: fakeDns(zone),
  chance: () => 0.99,
  own: { names: ['us.test', 'nameless.us.test'], addresses: ['198.51.100.25', '2001:db8::25'] },
  ...more,
})

const hostsOf = async (domain: string, more: Partial<MxTerms> = {}): Promise<MailHosts> => {
  const found = await mxHosts(domain, terms(more))
  if ('failure' in found) throw new Error(found.text)
  return found
}

describe('mxHosts', () => {
  it.each<readonly [string, readonly string[]]>([
    ['a.test', ['mx1.a.test', 'mx2.a.test', 'backup.a.test']],
    ['A.Test', ['mx1.a.test', 'mx2.a.test', 'backup.a.test']],
    ['own.test', ['own.test']],
    ['mixed.test', ['mx1.a.test']],
    ['alias.test', ['mx1.a.test', 'mx2.a.test', 'backup.a.test']],
    ['owner.test', ['owner.test']],
    ['partly.test', ['mx1.a.test']],
    ['b\u00fccher.test', ['mx2.a.test']],
    ['B\u00dcCHER.test', ['mx2.a.test']],
    ['[203.0.113.9]', ['[203.0.113.9]']],
    ['[IPv6:2001:db8::9]', ['[ipv6:2001:db8::9]']],
    // Where we are among them, only the better ones count (RFC 5321 §5.1).
    ['loops.test', ['mx1.a.test']],
    ['hidden.test', ['mx1.a.test']],
    ['unknown-us.test', ['mx1.a.test']],
    ['cname-us.test', ['mx1.a.test']],
    ['inside.test', ['mx1.a.test']],
  ])('%s', async (domain, names) => {
    expect((await hostsOf(domain)).hosts.map(({ name }) => name)).toEqual(names)
  })

  it.each<readonly [string, RouteFailure['failure'], RouteFailure['reason'], number, string]>([
    ['nowhere.test', 'permanent', 'no-domain', 550, '5.1.2'],
    ['', 'permanent', 'no-domain', 550, '5.1.2'],
    ['a..test', 'permanent', 'no-domain', 550, '5.1.2'],
    ['a b.test', 'permanent', 'no-domain', 550, '5.1.2'],
    [`${'x'.repeat(64)}.test`, 'permanent', 'no-domain', 550, '5.1.2'],
    ['[203.0.113.999]', 'permanent', 'no-domain', 550, '5.1.2'],
    ['[x400:abc]', 'permanent', 'no-domain', 550, '5.1.2'],
    ['null.test', 'permanent', 'null-mx', 556, '5.1.10'],
    ['nothing.test', 'permanent', 'no-address', 550, '5.4.4'],
    ['dead.test', 'permanent', 'no-address', 550, '5.4.4'],
    ['broken.test', 'temporary', 'dns', 451, '4.4.3'],
    ['slow.test', 'temporary', 'dns', 451, '4.4.3'],
    ['half.test', 'temporary', 'dns', 451, '4.4.3'],
    ['shaky.test', 'temporary', 'dns', 451, '4.4.3'],
    ['loop.test', 'permanent', 'self', 554, '5.4.6'],
    ['us.test', 'permanent', 'self', 554, '5.4.6'],
    ['trap.test', 'permanent', 'self', 554, '5.4.6'],
    ['home.test', 'permanent', 'self', 554, '5.4.6'],
    ['[127.0.0.1]', 'permanent', 'self', 554, '5.4.6'],
    ['[198.51.100.25]', 'permanent', 'self', 554, '5.4.6'],
    ['[IPv6:2001:db8:0::0:25]', 'permanent', 'self', 554, '5.4.6'],
    ['[IPv6:::ffff:127.0.0.1]', 'permanent', 'self', 554, '5.4.6'],
  ])('%s: %s, %s', async (domain, failure, reason, code, enhanced) => {
    expect(await mxHosts(domain, terms())).toMatchObject({ failure, reason, code, enhanced })
  })

  it('takes loopback addresses where it is told to', async () => {
    expect((await hostsOf('trap.test', { loopback: true })).hosts[0]!.addresses).toEqual(['127.0.0.1'])
  })

  it('lets addresses of both families take turns', async () => {
    const many = fakeDns({ 'many.test': { A: ['192.0.2.1', '192.0.2.2', '192.0.2.3'], AAAA: ['2001:db8::1', '2001:db8::2'] } })
    const { hosts } = await hostsOf('many.test', { resolver: many })
    expect(hosts[0]!.addresses.map((address) => (address.includes(':') ? '6' : '4')).join('')).toBe('64644')
  })

  it('says what DNSSEC has validated, and where aliases lead to', async () => {
    const { authenticated, implicit, hosts } = await hostsOf('signed.test')
    expect([authenticated, implicit]).toEqual([true, false])
    expect(hosts).toMatchObject([
      { name: 'mx.signed.test', alias: 'host.signed.test', authenticated: true },
      { name: 'mx1.a.test', authenticated: false },
    ])
    expect(hosts[1]).not.toHaveProperty('alias')
    expect(await hostsOf('alias.test')).toMatchObject({ alias: 'a.test', authenticated: false, implicit: false })
    expect(await hostsOf('own.test')).toMatchObject({ implicit: true })
  })

  it('is bounded', async () => {
    const names = Array.from({ length: 200 }, (_, at) => `h${at}.crowd.test`)
    const addresses = Array.from({ length: 100 }, (_, at) => `192.0.2.${at + 1}`)
    const dns = fakeDns({
      'crowd.test': { MX: names.map((name, at) => `${at} ${name}`) },
      ...Object.fromEntries(names.map((name) => [name, { A: addresses }])),
    })
    const { hosts } = await hostsOf('crowd.test', { resolver: dns })
    expect(hosts.map(({ preference }) => preference)).toEqual(Array.from({ length: 20 }, (_, at) => at))
    expect(hosts.every((host) => host.addresses.length === 8)).toBe(true)
    expect(dns.asked).toHaveLength(41)
  })

  it('names a server that is there twice once, with its better preference', async () => {
    const dns = fakeDns({
      'twice.test': { MX: ['30 h.test', '10 H.test', '20 i.test'] },
      'h.test': { A: '192.0.2.1' },
      'i.test': { A: '192.0.2.2' },
    })
    const { hosts } = await hostsOf('twice.test', { resolver: dns })
    expect(hosts.map(({ name, preference }) => [name, preference])).toEqual([['h.test', 10], ['i.test', 20]])
  })

  it('shares load among servers of one preference, and never changes the order of preferences', async () => {
    const random = seededRandom(7)
    const first = new Map<string, number>()
    for (let at = 0; at < 400; at++) {
      const { hosts } = await hostsOf('a.test', { chance: () => random.below(1000) / 1000 })
      expect(hosts[2]!.name).toBe('backup.a.test')
      first.set(hosts[0]!.name, (first.get(hosts[0]!.name) ?? 0) + 1)
    }
    for (const name of ['mx1.a.test', 'mx2.a.test']) expect(first.get(name)).toBeGreaterThan(150)
  })

  it('ends by the signal', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(mxHosts('a.test', terms({ signal: controller.signal }))).rejects.toBe(reason)
  })

  it('passes faults of a resolver on', async () => {
    const faulty: Resolver = { resolve: () => Promise.reject(new TypeError('x')) }
    await expect(mxHosts('a.test', terms({ resolver: faulty }))).rejects.toThrow(TypeError)
  })

  it('never rejects and never names a server without address, whatever is asked and answered', async () => {
    const name = fc.constantFrom('', 'a.test', 'us.test', 'x', '127.0.0.1', 'h.test')
    const answer = fc.record({
      records: fc.array(fc.record({ preference: fc.nat(3), exchange: name }), { maxLength: 4 }),
      addresses: fc.array(fc.constantFrom('192.0.2.1', '127.0.0.1', '::1', '198.51.100.25'), { maxLength: 3 }),
      exists: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.oneof(name, fc.string()), answer, async (domain, { records, addresses, exists }) => {
        const resolver = {
          resolve: async (asked: string, type: string): Promise<DnsAnswer<never>> => ({
            records: (type === 'MX' ? records : addresses) as never[],
            exists,
            name: asked,
            ttl: 1,
            authenticated: true,
          }),
        }
        const found = await mxHosts(domain, terms({ resolver }))
        if ('failure' in found) return
        expect(found.hosts.length).toBeGreaterThan(0)
        for (const host of found.hosts) {
          expect(host.addresses.length).toBeGreaterThan(0)
          expect(host.addresses).not.toContain('127.0.0.1')
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('isLoopback', () => {
  it.each([
    ['127.0.0.1', true], ['127.255.0.3', true], ['0.0.0.0', true], ['::1', true], ['::', true], ['0:0:0:0:0:0:0:1', true],
    ['::ffff:127.0.0.1', true], ['::ffff:7f00:1', true], ['::127.0.0.1', true], ['0000::0001', true],
    ['192.0.2.1', false], ['10.0.0.1', false], ['128.0.0.1', false], ['2001:db8::1', false], ['::ffff:192.0.2.1', false],
    ['::ffff:c000:201', false], ['fe80::1%eth0', false], ['::1:0:0', false],
  ])('%s: %s', (address, is) => {
    expect(isLoopback(address)).toBe(is)
  })
})
