import { describe, expect, it } from 'vitest'
import { type DirectionParts, directionsOf } from '../../../src/outbound/delivery/directions.ts'
import type { SiteTarget, Target } from '../../../src/outbound/delivery/target.ts'
import { routeTable, type Routes } from '../../../src/outbound/route-table.ts'
import type { StsPolicy } from '../../../src/outbound/sts-policy.ts'
import { MailError } from '../../../src/protocol/session/errors.ts'
import { fakeDns, seededRandom } from '../../../src/testing/index.ts'

const digest = 'ab'.repeat(32)
const resolver = fakeDns({
  'a.test': { MX: ['10 mx1.a.test', '10 mx2.a.test', '20 mx3.a.test'] },
  'b.test': { MX: ['10 mx2.a.test', '10 mx1.a.test', '20 mx3.a.test'] },
  'c.test': { MX: ['10 mx1.a.test', '20 mx2.a.test', '20 mx3.a.test'] },
  'mx1.a.test': { A: '203.0.113.1', AAAA: '2001:db8::1' },
  'mx2.a.test': { A: '203.0.113.2' },
  'mx3.a.test': { A: '203.0.113.3' },
  'null.test': { MX: '0 .' },
  'broken.test': 'SERVFAIL',
  'signed.test': { MX: ['10 mx.signed.test', '20 mx1.a.test'], authenticated: true },
  'mx.signed.test': { A: '203.0.113.4', authenticated: true },
  '_25._tcp.mx.signed.test': { TLSA: `3 1 1 ${digest}`, authenticated: true },
  'hidden.test': { MX: '10 mx.hidden.test', authenticated: true },
  'mx.hidden.test': { A: '203.0.113.5', authenticated: true },
  '_25._tcp.mx.hidden.test': 'SERVFAIL',
  'smart.test': { A: '203.0.113.6' },
})

const sts = (policy: Partial<StsPolicy>): DirectionParts['sts'] => async () =>
  ({ policy: { mode: 'enforce', mx: [], maxAge: 1, ...policy } })

function directed(
  destination: string, more: Partial<DirectionParts> & { readonly table?: Routes; readonly strictly?: boolean } = {},
): Promise<Target> {
  const { table, strictly = false, ...parts } = more
  const find = directionsOf({ routes: routeTable(table), resolver, chance: () => 0.99, ...parts })
  return find(destination, { strictly, signal: new AbortController().signal })
}

async function site(...given: Parameters<typeof directed>): Promise<SiteTarget> {
  const target = await directed(...given)
  if (target.kind !== 'site') throw new Error(JSON.stringify(target))
  return target
}

describe('directions to a domain', () => {
  it('lead to its servers by preference, encrypted where they can', async () => {
    const target = await site('mx:a.test')
    expect(target).toMatchObject({ protocol: 'smtp', verified: false })
    expect(target.hops.map(({ host, port, tls }) => [host, port, tls])).toEqual([
      ['mx1.a.test', 25, 'opportunistic'], ['mx2.a.test', 25, 'opportunistic'], ['mx3.a.test', 25, 'opportunistic'],
    ])
    expect(target.hops[0]).toMatchObject({
      addresses: ['2001:db8::1', '203.0.113.1'],
      demand: { trust: 'none', serverName: 'mx1.a.test' },
    })
  })

  it('are one site for all domains with the same servers, whatever order chance gives them', async () => {
    const random = seededRandom(5)
    const chance = (): number => random.below(1000) / 1000
    const keys = new Set<string>()
    for (let at = 0; at < 20; at++) {
      for (const domain of ['a.test', 'b.test']) keys.add((await site(`mx:${domain}`, { chance })).key)
    }
    expect(keys.size).toBe(1)
    keys.add((await site('mx:c.test')).key)
    keys.add((await site('mx:a.test', { sts: sts({ mx: ['*.a.test'] }) })).key)
    keys.add((await site('mx/other:a.test', { table: { kind: 'mx', name: 'other', port: 26 } })).key)
    expect(keys.size).toBe(4)
  })

  it.each<readonly [string, string, Parameters<typeof directed>[1], object]>([
    ['a domain that takes none', 'mx:null.test', {}, { result: 'permanent', reason: 'null-mx', code: 556, status: '5.1.10' }],
    ['no domain', 'mx:nowhere.test', {}, { result: 'permanent', reason: 'no-domain', status: '5.1.2' }],
    ['a DNS that fails', 'mx:broken.test', {}, { result: 'temporary', reason: 'dns', status: '4.4.3' }],
    ['a route that is gone', 'hosts:gone', {}, { result: 'temporary', reason: 'ours' }],
    ['no destination of ours', 'x', {}, { result: 'temporary', reason: 'ours' }],
    ['a policy that names nobody there', 'mx:a.test', { sts: sts({ mx: ['x.test'] }) }, {
      result: 'temporary', reason: 'tls-policy', status: '4.7.5',
    }],
    ['policies that cannot be looked up', 'mx:a.test', { sts: () => Promise.reject(new MailError('temporary', 'x')) }, {
      result: 'temporary', reason: 'tls-policy', status: '4.3.0',
    }],
    ['TLSA records that cannot be', 'mx:hidden.test', { dane: true }, {
      result: 'temporary', reason: 'tls-policy', status: '4.7.5',
    }],
    ['REQUIRETLS and nothing certain', 'mx:a.test', { strictly: true }, {
      result: 'permanent', reason: 'tls-policy', code: 550, status: '5.7.10',
    }],
  ])('lead nowhere: %s', async (_, destination, more, failure) => {
    expect(await directed(destination, more)).toMatchObject({ kind: 'nowhere', failure: { phase: 'route', ...failure } })
  })

  it('leave out servers that a policy does not name, and ask the others for proof', async () => {
    const target = await site('mx:a.test', { sts: sts({ mx: ['mx2.a.test'] }) })
    expect(target.hops).toMatchObject([
      { host: 'mx2.a.test', tls: 'required', demand: { trust: 'pkix', serverName: 'mx2.a.test' } },
    ])
    expect(target.verified).toBe(true)
    expect(target.hops[0]!.judged).toMatchObject({ domain: 'a.test', policy: { type: 'sts', mx: ['mx2.a.test'] } })
  })

  it('ask for what TLSA records say, where the resolver is believed', async () => {
    const tlsa = [{ usage: 3, selector: 1, matching: 1, data: new Uint8Array(32).fill(0xab) }]
    const believed = await site('mx:signed.test', { dane: true })
    expect(believed.hops).toMatchObject([
      { host: 'mx.signed.test', tls: 'required', demand: { trust: { tlsa }, serverName: 'mx.signed.test' } },
      { host: 'mx1.a.test', tls: 'opportunistic', demand: { trust: 'none' } },
    ])
    expect(believed.verified).toBe(false)
    expect(believed.hops.map(({ judged }) => judged!.policy.type)).toEqual(['tlsa', 'no-policy-found'])
    expect((await site('mx:signed.test')).hops.map(({ tls }) => tls)).toEqual(['opportunistic', 'opportunistic'])
    const strict = await site('mx:signed.test', { dane: true, strictly: true })
    expect(strict.hops.map(({ tls }) => tls)).toEqual(['required', 'required'])
    expect(strict.verified).toBe(true)
  })

  it('know no policy of an address', async () => {
    const asked: string[] = []
    const lookup: DirectionParts['sts'] = async (domain) => {
      asked.push(domain)
      return {}
    }
    const { hops } = await site('mx:[203.0.113.9]', { sts: lookup })
    expect(hops).toMatchObject([{ host: '[203.0.113.9]', addresses: ['203.0.113.9'], tls: 'opportunistic' }])
    expect(asked).toEqual([])
  })
})

it('leads into mailboxes, and to servers of our own choice', async () => {
  expect(await directed('local:')).toEqual({ kind: 'here' })
  const smart: Routes = { kind: 'hosts', name: 'smart', hosts: [{ host: 'smart.test', port: 587, tls: 'required' }] }
  expect(await directed('hosts:smart', { table: smart })).toMatchObject({
    kind: 'site',
    verified: true,
    hops: [{ host: 'smart.test', port: 587, addresses: ['203.0.113.6'], demand: { trust: 'pkix', serverName: 'smart.test' } }],
  })
})
