import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Address } from '../../src/message/index.ts'
import { type Routes, routeTable } from '../../src/outbound/route-table.ts'
import { destinationOf, destinationParts, type HostsRoute, inOrder, type MxRoute, type Route } from '../../src/outbound/routes.ts'
import { seededRandom } from '../../src/testing/index.ts'

const at = (text: string): Address => ({ local: text.split('@')[0]!, domain: text.split('@')[1]! })
const host = { host: 'smart.test', port: 587, tls: 'required' } as const
const smart: HostsRoute = { kind: 'hosts', name: 'smart', hosts: [host] }
const store: HostsRoute = { kind: 'hosts', name: 'store', protocol: 'lmtp', hosts: [{ ...host, port: 24, tls: 'never' }] }
const strict: MxRoute = { kind: 'mx', name: 'strict', requireTls: 'verified' }

describe('a table of routes', () => {
  const table = routeTable([
    { from: ['boss@own.test', '<>'], to: '*', route: smart },
    { to: ['example.org', 'b\u00fccher.test'], route: strict },
    { to: '.example.org', from: 'own.test', route: store },
    { to: '.sub.example.org', route: smart },
    { to: ['own.test', '[192.0.2.1]'], route: { kind: 'local' } },
    { to: '*', from: '.lists.test', route: smart },
  ])

  it.each<readonly [to: string, from: string | null, destination: string]>([
    ['x@elsewhere.test', 'a@own.test', 'mx:elsewhere.test'],
    ['x@Elsewhere.Test', 'boss@OWN.test', 'hosts:smart'],
    ['x@elsewhere.test', 'Boss@own.test', 'mx:elsewhere.test'],
    ['x@elsewhere.test', null, 'hosts:smart'],
    ['x@EXAMPLE.org', 'a@own.test', 'mx/strict:example.org'],
    ['x@b\u00fccher.test', 'a@own.test', 'mx/strict:xn--bcher-kva.test'],
    ['x@deep.example.org', 'a@own.test', 'hosts:store'],
    ['x@deep.example.org', 'a@other.test', 'mx:deep.example.org'],
    ['x@a.sub.example.org', 'a@own.test', 'hosts:store'],
    ['x@a.sub.example.org', 'a@other.test', 'hosts:smart'],
    ['x@sub.example.org', 'a@other.test', 'mx:sub.example.org'],
    ['x@notexample.org', 'a@own.test', 'mx:notexample.org'],
    ['x@own.test', 'a@own.test', 'local:'],
    ['x@[192.0.2.1]', 'a@own.test', 'local:'],
    ['x@[192.0.2.2]', 'a@own.test', 'mx:[192.0.2.2]'],
    ['x@elsewhere.test', 'a@a.lists.test', 'hosts:smart'],
    ['x@elsewhere.test', 'a@lists.test', 'mx:elsewhere.test'],
    ['x@__proto__', 'a@constructor', 'mx:__proto__'],
  ])('%s from %s', (to, from, destination) => {
    expect(table.destination(at(to), from === null ? null : at(from), undefined)).toBe(destination)
  })

  it.each<readonly [string, unknown]>([
    ['mx:example.org', { kind: 'mx', domain: 'example.org', route: { kind: 'mx' } }],
    ['mx/strict:example.org', { kind: 'mx', domain: 'example.org', route: strict }],
    ['mx:[ipv6:2001:db8::1]', { kind: 'mx', domain: '[ipv6:2001:db8::1]', route: { kind: 'mx' } }],
    ['hosts:store', { kind: 'hosts', route: store }],
    ['local:', { kind: 'local' }],
    ['hosts:gone', undefined],
    ['hosts:strict', undefined],
    ['mx/gone:example.org', undefined],
    ['mx/smart:example.org', undefined],
    ['report:', undefined],
    ['mx:', undefined],
    ['', undefined],
    ['example.org', undefined],
  ])('%s leads on', (destination, way) => {
    expect(table.way(destination)).toEqual(way)
  })

  it('gives the first row that fits, as going through all of them would', () => {
    const domains = ['a.test', 'b.a.test', 'c.b.a.test', 'test', 'b.test']
    const patterns = [...domains, ...domains.map((domain) => `.${domain}`), '*']
    const rows = fc.array(fc.tuple(fc.constantFrom(...patterns), fc.constantFrom(undefined, ...patterns)), { maxLength: 6 })
    const fits = (pattern: string | undefined, domain: string): boolean =>
      pattern === undefined || pattern === '*' || pattern === domain || (pattern.startsWith('.') && domain.endsWith(pattern))
    fc.assert(
      fc.property(rows, fc.constantFrom(...domains), fc.constantFrom(...domains), (rules, to, from) => {
        const routes = rules.map(([pattern, sender], number) => ({
          to: pattern,
          ...(sender === undefined ? {} : { from: sender }),
          route: { ...smart, name: `r${number}` },
        }))
        const expected = rules.findIndex(([pattern, sender]) => fits(pattern, to) && fits(sender, from))
        const found = routeTable(routes).destination(at(`x@${to}`), at(`y@${from}`), undefined)
        expect(found).toBe(expected < 0 ? `mx:${to}` : `hosts:r${expected}`)
      }),
      { numRuns: 200 },
    )
  })
})

describe('routes', () => {
  it('may be one for everything', () => {
    expect(routeTable().destination(at('x@a.test'), null, undefined)).toBe('mx:a.test')
    expect(routeTable(smart).destination(at('x@a.test'), null, undefined)).toBe('hosts:smart')
    const encrypted: Route = { kind: 'mx', requireTls: 'encrypted', sourceAddresses: ['192.0.2.1'] }
    expect(routeTable(encrypted).way('mx:a.test')).toEqual({ kind: 'mx', domain: 'a.test', route: encrypted })
  })

  it('may be chosen by a function, which names those that have a name', () => {
    const table = routeTable({
      choose: (to, _, account) => (account === 'vip' ? smart : to.domain === 'x.test' ? store : { kind: 'mx' }),
      named: [smart],
    })
    expect(table.destination(at('x@a.test'), null, 'vip')).toBe('hosts:smart')
    expect(table.destination(at('x@a.test'), null, undefined)).toBe('mx:a.test')
    expect(table.way('hosts:smart')).toEqual({ kind: 'hosts', route: smart })
    expect(() => table.destination(at('x@x.test'), null, undefined)).toThrow(expect.objectContaining({ code: 'misuse' }))
  })

  it.each<readonly [string, Routes]>([
    ['no hosts', { ...smart, hosts: [] }],
    ['a bad name', { ...smart, name: 'a:b' }],
    ['a name too long', { ...smart, name: 'x'.repeat(51) }],
    ['no name', { ...smart, name: '' }],
    ['no port', { ...smart, hosts: [{ ...host, port: 0 }] }],
    ['a port by MX that is none', { kind: 'mx', port: 65_536 }],
    ['a host without a name', { ...smart, hosts: [{ ...host, host: '' }] }],
    ['a weight below nothing', { ...smart, hosts: [{ ...host, weight: -1 }] }],
    ['a priority that is none', { ...smart, hosts: [{ ...host, priority: Number.NaN }] }],
    ['no source', { ...smart, sourceAddresses: [] }],
    ['two of one name', [{ to: 'a.test', route: smart }, { route: { ...smart } }]],
    ['MX that asks for something without a name', [{ to: 'a.test', route: { kind: 'mx', requireTls: 'encrypted' } }]],
    ['a pattern in the middle', [{ to: 'a.*.test', route: smart }]],
    ['an address for a domain', [{ to: 'x@a.test', route: smart }]],
    ['nothing for a domain', [{ to: '', route: smart }]],
    ['nothing below', [{ to: '.', route: smart }]],
    ['no domain of a sender', [{ from: 'a@', route: smart }]],
  ])('are refused: %s', (_, routes) => {
    expect(() => routeTable(routes)).toThrow(expect.objectContaining({ code: 'config' }))
  })

  it('are refused where a password would go out bare', () => {
    const auth = { identity: {}, crypto: {} } as never
    expect(() => routeTable({ ...smart, hosts: [{ ...host, tls: 'never', auth }] })).toThrow(/without TLS/)
  })
})

describe('a destination', () => {
  it('is what it was made of', () => {
    const name = fc.stringMatching(/^[a-z0-9_-]{1,50}$/)
    const domain = fc.oneof(fc.domain(), fc.constant('[ipv6:2001:db8::1]'), fc.constant('[192.0.2.1]'))
    fc.assert(
      fc.property(fc.option(name, { nil: undefined }), domain, fc.boolean(), (named, to, byMx) => {
        const kind = byMx ? 'mx' : 'hosts'
        const mx: MxRoute = { kind: 'mx', ...(named === undefined ? {} : { name: named }) }
        const route: Route = byMx ? mx : { ...smart, name: named ?? 'x' }
        const destination = destinationOf(route, { domain: to })
        expect(destination.length).toBeLessThanOrEqual(320)
        expect(destinationParts(destination)).toEqual({
          kind,
          ...(byMx ? { domain: to.toLowerCase() } : {}),
          ...(byMx ? (named === undefined ? {} : { name: named }) : { name: named ?? 'x' }),
        })
      }),
      { numRuns: 200 },
    )
  })

  it('fits into a queue, whatever the domain', () => {
    const long = { ...strict, name: 'x'.repeat(50) }
    expect(destinationOf(long, { domain: '\u{1f4ec}'.repeat(255) }).length).toBeLessThanOrEqual(320)
    expect(destinationOf({ kind: 'mx' }, { domain: 'x'.repeat(1000) })).toHaveLength(320)
  })
})

describe('inOrder', () => {
  it('goes by priority, and by weight among those of one', () => {
    const random = seededRandom(3)
    const hosts = [
      { ...host, host: 'last', priority: 2 },
      { ...host, host: 'never first', weight: 0 },
      { ...host, host: 'often', weight: 3 },
      { ...host, host: 'rarely', weight: 1 },
    ]
    const first = new Map<string, number>()
    for (let draws = 0; draws < 800; draws++) {
      const ordered = inOrder(hosts, () => random.below(1000) / 1000)
      expect(ordered).toHaveLength(4)
      expect(ordered.at(-1)!.host).toBe('last')
      const name = ordered[0]!.host
      first.set(name, (first.get(name) ?? 0) + 1)
    }
    expect([...first.keys()].sort()).toEqual(['often', 'rarely'])
    expect(first.get('often')).toBeGreaterThan(500)
  })
})
