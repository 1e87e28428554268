import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AUTHENTIC_DATA, RECURSION_AVAILABLE } from 'dns-packet'
import { describe, expect, it } from 'vitest'
import { nodeResolver } from '../../../src/adapters/node/index.ts'
import { resolverContract, virtualClock } from '../../../src/testing/index.ts'
import { asking, changed, nothing, open, right, zone } from './dns-asking.ts'
import { dnsServer, failure, type Script, soa, truncated } from './dns-server.ts'

describe('nodeResolver keeps the contract', () => {
  resolverContract({
    describe,
    it,
    skipped: () => {},
    open: async (given) => {
      const clock = virtualClock()
      const server = await dnsServer(given, (_, packet) => {
        if (packet.type === undefined) void clock.next()
        return [packet]
      })
      const resolver = nodeResolver({ servers: [server.at], validating: true, hosts: false, tries: 1, clock })
      return { resolver, asked: () => server.asked.length, dispose: () => server.close() }
    },
  })
})

describe('a question', () => {
  it('desires recursion, says how much fits and wants to hear of DNSSEC', async () => {
    const { resolver, servers } = await asking([right])
    await resolver.resolve('a.test', 'A')
    expect(servers[0]!.asked).toMatchObject([{ name: 'a.test', type: 'A', by: 'udp', edns: true, wantsAd: true }])
    expect(servers[0]!.asked[0]!.octets[2]! & 1).toBe(1)
  })

  it('has an id and a port of its own', async () => {
    const { resolver, servers } = await asking([right], { cache: 0 })
    for (let at = 0; at < 40; at++) await resolver.resolve('a.test', 'A')
    const { asked } = servers[0]!
    expect(asked).toHaveLength(40)
    expect(new Set(asked.map(({ id }) => id)).size).toBeGreaterThan(30)
    expect(new Set(asked.map(({ port }) => port)).size).toBeGreaterThan(20)
  })
})

describe('TCP', () => {
  it('is taken where UDP has no room', async () => {
    const { resolver, servers } = await asking([({ by }, packet) => [by === 'udp' ? truncated(packet) : packet]])
    expect((await resolver.resolve('a.test', 'A')).records).toEqual(['192.0.2.1'])
    const [udp, tcp] = servers[0]!.asked
    expect([udp!.by, tcp!.by]).toEqual(['udp', 'tcp'])
  })

  it.each<readonly [string, Script]>([
    ['a server that hangs up', ({ by }, packet) => (by === 'udp' ? [truncated(packet)] : 'hang up')],
    ['no end of truncation', (_, packet) => [truncated(packet)]],
    ['a lie', ({ by, id }, packet) => [by === 'udp' ? truncated(packet) : changed(packet, { id: id ^ 1 })]],
    ['too many records', ({ by }, packet) => [
      by === 'udp' ? truncated(packet) : changed(packet, { answers: Array.from({ length: 1001 }, () => packet.answers![0]!) }),
    ]],
  ])('is no answer where there is %s, and the next server is asked', async (_, script) => {
    const { resolver } = await asking([script, right])
    expect((await resolver.resolve('a.test', 'A')).records).toEqual(['192.0.2.1'])
  })
})

describe('servers', () => {
  it.each<readonly [string, Script]>([
    ['fails', ({ id, name, type }) => [failure(id, name, type, 2)]],
    ['refuses', ({ id, name, type }) => [failure(id, name, type, 5)]],
    ['knows no such thing', ({ id, name, type }) => [failure(id, name, type, 4)]],
    ['is silent', nothing],
    ['only refers to others', (_, packet) => [changed(packet, { flags: 0, answers: [], authorities: [] })]],
  ])('come one after another: one that %s', async (_, script) => {
    const { resolver, servers } = await asking([script, right])
    expect((await resolver.resolve('a.test', 'A')).records).toEqual(['192.0.2.1'])
    expect(servers.map(({ asked }) => asked.length)).toEqual([1, 1])
  })

  it('that were silent come last for a while', async () => {
    const { resolver, servers, clock } = await asking([nothing, right], { cache: 0 })
    for (let at = 0; at < 3; at++) await resolver.resolve('a.test', 'A')
    expect(servers.map(({ asked }) => asked.length)).toEqual([1, 3])
    await clock.advance(60_000)
    await resolver.resolve('a.test', 'A')
    expect(servers.map(({ asked }) => asked.length)).toEqual([2, 4])
  })

  it('are asked as often as is said where all are silent', async () => {
    const { resolver, servers, clock } = await asking([nothing, nothing], { tries: 3, timeout: 1000 })
    await expect(resolver.resolve('a.test', 'A')).rejects.toMatchObject({ code: 'temporary' })
    expect(servers.map(({ asked }) => asked.length)).toEqual([3, 3])
    expect(clock.ticks()).toBe(6000)
  })

  it('that nobody runs are no servers', async () => {
    const gone = await dnsServer(zone)
    await gone.close()
    const { resolver } = await asking([right], {})
    const other = nodeResolver({ servers: [gone.at], hosts: false, tries: 1, timeout: 1000 })
    open.unshift(other)
    await expect(other.resolve('a.test', 'A')).rejects.toMatchObject({ code: 'temporary' })
    expect((await resolver.resolve('a.test', 'A')).exists).toBe(true)
  })

  it.each([1, 16])('that know no EDNS are asked without: RCODE %i', async (code) => {
    const { resolver, servers } = await asking([
      ({ id, name, type, edns }, packet) => {
        const opt = { type: 'OPT', name: '.', udpPayloadSize: 512, extendedRcode: code >> 4, ednsVersion: 0, flags: 0 } as const
        const refusal = { ...failure(id, name, type, code & 15), additionals: [{ ...opt, flag_do: false, options: [] }] }
        return [edns ? refusal : packet]
      },
    ])
    expect((await resolver.resolve('a.test', 'A')).records).toEqual(['192.0.2.1'])
    expect(servers[0]!.asked.map(({ edns }) => edns)).toEqual([true, false])
  })

  it('are not believed that they validate unless it is said that they are trusted', async () => {
    const script: Script = (_, packet) => [changed(packet, { flags: packet.flags! | AUTHENTIC_DATA })]
    const distrusting = await asking([script])
    expect((await distrusting.resolver.resolve('a.test', 'A')).authenticated).toBe(false)
    const trusting = await asking([script], { validating: true })
    expect((await trusting.resolver.resolve('a.test', 'A')).authenticated).toBe(true)
  })

  it.each([
    [['']], [[]], [['dns.example']], [['192.0.2.1:0']], [['192.0.2.1:65536']],
    [['[::1']], [['[::1]x']], [['192.0.2.1:x']], [['[::1]:']],
  ])('are addresses: not %o', (servers) => {
    expect(() => nodeResolver({ servers })).toThrow(expect.objectContaining({ code: 'config' }))
  })

  it.each([
    'localhost:5353', '192.0.2.1', '192.0.2.1:53', '::1', '[::1]', '[::1]:5353', ' 192.0.2.1 ',
  ])('are addresses: %s', (server) => {
    open.push(nodeResolver({ servers: [server] }))
  })

  it.each([{ timeout: 0 }, { timeout: Number.NaN }, { tries: 0 }, { tries: 1.5 }, { cache: -1 }])('take no %o', (options) => {
    expect(() => nodeResolver(options)).toThrow(expect.objectContaining({ code: 'config' }))
  })
})

describe('aliases', () => {
  it('of which the server does not tell the end are asked for', async () => {
    const { resolver, servers } = await asking([
      ({ name }, packet) => [name === 'alias.test' ? changed(packet, { answers: packet.answers!.slice(0, 1) }) : packet],
    ])
    expect(await resolver.resolve('alias.test', 'A')).toMatchObject({ records: ['192.0.2.1'], name: 'a.test', ttl: 60 })
    expect(servers[0]!.asked.map(({ name }) => name)).toEqual(['alias.test', 'a.test'])
  })

  it('that never end are given up', async () => {
    const { resolver, servers } = await asking([
      ({ name }, packet) => [changed(packet, {
        flags: RECURSION_AVAILABLE,
        answers: [{ type: 'CNAME', name, ttl: 60, data: `x${name}` }],
        authorities: [],
      })],
    ])
    await expect(resolver.resolve('a.test', 'A')).rejects.toMatchObject({ code: 'temporary' })
    expect(servers[0]!.asked.length).toBeLessThan(12)
  })
})

describe('what is kept', () => {
  const count = async (
    steps: readonly (readonly [name: string, type: 'A' | 'MX', after?: number])[],
    script = right,
    options = {},
  ): Promise<number> => {
    const { resolver, servers, clock } = await asking([script], options)
    for (const [name, type, after = 0] of steps) {
      await clock.advance(after)
      await resolver.resolve(name, type)
    }
    return servers[0]!.asked.length
  }

  it.each([
    ['an answer, until its time', [['a.test', 'A'], ['A.TEST', 'A', 58_999]], 1],
    ['an answer, no longer', [['a.test', 'A'], ['a.test', 'A', 60_000]], 2],
    ['nothing that is to be asked for each time', [['b.test', 'A'], ['b.test', 'A']], 2],
    ['another type', [['a.test', 'A'], ['a.test', 'MX']], 2],
    ['that there is no such record, as long as the SOA says', [['b.test', 'MX'], ['b.test', 'MX', 118_000]], 1],
    ['that there is no such record, no longer', [['b.test', 'MX'], ['b.test', 'MX', 120_000]], 2],
    ['that there is no such name, for all types', [['c.test', 'MX'], ['c.test', 'A', 118_000]], 1],
    ['an alias with what it leads to', [['alias.test', 'A'], ['alias.test', 'A', 58_000], ['alias.test', 'A', 2000]], 2],
  ] as const)('%s', async (_, steps, asked) => {
    expect(await count(steps)).toBe(asked)
  })

  it('nothing that nobody answers for', async () => {
    const silent: Script = (_, packet) => [changed(packet, { authorities: [] })]
    expect(await count([['c.test', 'A'], ['c.test', 'A']], silent)).toBe(2)
  })

  it('the negative TTL by the SOA\'s own where that is less', async () => {
    const brief: Script = (_, packet) => [changed(packet, { authorities: [{ ...soa, ttl: 5 } as typeof soa] })]
    expect(await count([['c.test', 'A'], ['c.test', 'A', 6000]], brief)).toBe(2)
  })

  it('is told with the time that is left', async () => {
    const { resolver, clock } = await asking([right])
    expect((await resolver.resolve('a.test', 'A')).ttl).toBe(60)
    await clock.advance(20_000)
    expect((await resolver.resolve('a.test', 'A')).ttl).toBe(40)
  })

  it('no more than is said, and no failures', async () => {
    expect(await count([['a.test', 'A'], ['a.test', 'MX'], ['c.test', 'A'], ['a.test', 'A']], right, { cache: 2 })).toBe(4)
    expect(await count([['a.test', 'A'], ['a.test', 'A']], right, { cache: 0 })).toBe(2)
    let fails = true
    const { resolver } = await asking([({ id, name, type }, packet) => [fails ? failure(id, name, type, 2) : packet]])
    await expect(resolver.resolve('a.test', 'A')).rejects.toMatchObject({ code: 'temporary' })
    fails = false
    expect((await resolver.resolve('a.test', 'A')).exists).toBe(true)
  })
})

describe('the table of hosts', () => {
  it('comes first, for addresses', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-'))
    const hosts = join(folder, 'hosts')
    const lines = ['# comment', '192.0.2.77 Known.test known # more', '2001:DB8::7\tknown.test', 'none', '192.0.2.78 a.test']
    writeFileSync(hosts, lines.join('\n'))
    const { resolver, servers, clock } = await asking([right], { hosts })
    const of = async (name: string, type: 'A' | 'AAAA' | 'MX'): Promise<unknown> => (await resolver.resolve(name, type)).records
    expect(await of('KNOWN.test', 'A')).toEqual(['192.0.2.77'])
    expect(await of('known.test', 'AAAA')).toEqual(['2001:db8::7'])
    expect(await of('known', 'A')).toEqual(['192.0.2.77'])
    expect(servers[0]!.asked).toEqual([])
    // What it does not say of a name the DNS may.
    expect(await of('a.test', 'AAAA')).toEqual([])
    expect(await of('a.test', 'MX')).toHaveLength(1)
    expect(servers[0]!.asked).toHaveLength(2)
    writeFileSync(hosts, '192.0.2.79 known.test\n')
    await clock.advance(10_000)
    expect(await of('known.test', 'A')).toEqual(['192.0.2.79'])
    rmSync(folder, { recursive: true })
    await clock.advance(10_000)
    expect(await of('known.test', 'A')).toEqual([])
  })

  it('is not needed for localhost', async () => {
    const { resolver, servers } = await asking([right])
    expect((await resolver.resolve('LOCALHOST', 'A')).records).toEqual(['127.0.0.1'])
    expect((await resolver.resolve('x.localhost', 'AAAA')).records).toEqual(['::1'])
    expect(servers[0]!.asked).toEqual([])
  })
})

describe('questions', () => {
  it('that nobody waits for any more are given up', async () => {
    const { resolver, clock } = await asking([() => [new Uint8Array(1)]])
    const controller = new AbortController()
    const asked = [1, 2].map(() => resolver.resolve('a.test', 'A', controller.signal).catch((error: unknown) => error))
    await new Promise((resolve) => setImmediate(resolve))
    controller.abort()
    expect(await Promise.all(asked)).toEqual([
      expect.objectContaining({ code: 'temporary' }),
      expect.objectContaining({ code: 'temporary' }),
    ])
    expect(clock.pending).toBe(0)
  })
})
