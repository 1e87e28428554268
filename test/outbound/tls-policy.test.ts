import { describe, expect, it } from 'vitest'
import { type DaneFinding, daneOf } from '../../src/outbound/dane.ts'
import type { MailHost, MailHosts } from '../../src/outbound/mx.ts'
import { hostTls, type TlsWish } from '../../src/outbound/tls-policy.ts'
import type { StsMode, StsPolicy } from '../../src/outbound/sts-policy.ts'
import { fakeDns } from '../../src/testing/index.ts'

const host: MailHost = { name: 'mx.a.test', preference: 10, addresses: ['192.0.2.1'], authenticated: true }
const digest = (octets: number): string => 'ab'.repeat(octets)

describe('daneOf', () => {
  const dns = fakeDns({
    '_25._tcp.mx.a.test': { TLSA: [`3 1 1 ${digest(32)}`, '3 1 1 ab', `1 0 1 ${digest(32)}`, '2 1 0 ab'], authenticated: true },
    '_25._tcp.odd.a.test': { TLSA: [`0 0 1 ${digest(32)}`, '3 1 1 ab', '3 2 0 ab', '3 1 9 ab'], authenticated: true },
    '_25._tcp.plain.a.test': { TLSA: `3 1 1 ${digest(32)}` },
    '_25._tcp.broken.a.test': 'SERVFAIL',
    '_25._tcp.real.b.test': { TLSA: `2 0 2 ${digest(64)}`, authenticated: true },
    '_25._tcp.alias.a.test': { TLSA: `3 0 0 ab`, authenticated: true },
    'out.a.test': { CNAME: 'real.c.test', authenticated: true },
    '_25._tcp.out.a.test': { TLSA: '3 0 0 ab', authenticated: true },
    'in.d.test': { CNAME: 'real.c.test' },
    '_25._tcp.in.d.test': { TLSA: '3 0 0 ab', authenticated: true },
    '_25._tcp.there.test': { CNAME: '_dane.there.test', authenticated: true },
    '_dane.there.test': { TLSA: '3 0 0 ab', authenticated: true },
  })
  const kindOf = async (given: Partial<MailHost>): Promise<unknown> => {
    const found = await daneOf({ ...host, ...given }, 25, dns)
    return found.kind === 'usable' ? [found.base, found.records.length] : found.kind
  }

  it.each<readonly [string, Partial<MailHost>, unknown]>([
    ['those that can be used', {}, ['mx.a.test', 2]],
    ['none that can', { name: 'odd.a.test' }, 'unusable'],
    ['none', { name: 'none.a.test' }, 'none'],
    ['unsigned ones', { name: 'plain.a.test' }, 'none'],
    ['no answer', { name: 'broken.a.test' }, 'failed'],
    ['a host that is not signed', { authenticated: false }, 'none'],
    ['those of what the aliases lead to', { name: 'alias.a.test', alias: 'real.b.test' }, ['real.b.test', 1]],
    ['those of the name where that has none', { name: 'alias.a.test', alias: 'none.b.test' }, ['alias.a.test', 1]],
    ['those of the name where the aliases lead out of DNSSEC', {
      name: 'out.a.test', alias: 'real.c.test', authenticated: false,
    }, ['out.a.test', 1]],
    ['none where no alias is signed', { name: 'in.d.test', alias: 'real.c.test', authenticated: false }, 'none'],
    ['those behind an alias of their own', { name: 'there.test' }, ['there.test', 1]],
  ])('%s', async (_, given, expected) => {
    expect(await kindOf(given)).toEqual(expected)
  })

  it('asks for another port where there is one, and ends by the signal', async () => {
    expect(await daneOf(host, 26, dns)).toEqual({ kind: 'none' })
    const controller = new AbortController()
    controller.abort(new Error('enough'))
    await expect(daneOf(host, 25, dns, controller.signal)).rejects.toThrow('enough')
  })
})

const records = [{ usage: 3, selector: 1, matching: 1, data: new Uint8Array(32) }]
const usable: DaneFinding = { kind: 'usable', base: 'mx.a.test', records }
const none: DaneFinding = { kind: 'none' }
const unusable: DaneFinding = { kind: 'unusable' }
const failed: DaneFinding = { kind: 'failed' }
const sts = (mode: StsMode, ...mx: string[]): StsPolicy => ({ mode, mx, maxAge: 1 })
const named = sts('enforce', '*.a.test')
const other = sts('enforce', 'elsewhere.test')
const found = (more: Partial<MailHosts> = {}): MailHosts => ({ hosts: [host], authenticated: false, implicit: false, ...more })
const signed = found({ authenticated: true })
const wish = (more: Partial<TlsWish> = {}): TlsWish =>
  ({ domain: 'a.test', found: found(), sts: undefined, required: undefined, strictly: false, ...more })

describe('hostTls', () => {
  const anybody = { trust: 'none', serverName: 'mx.a.test' }
  const proven = { trust: 'pkix', serverName: 'mx.a.test' }
  const dane = { trust: { tlsa: records }, serverName: 'mx.a.test' }
  it.each<readonly [string, DaneFinding, Partial<TlsWish>, object]>([
    ['nothing is asked', none, {}, { by: 'none', tls: 'opportunistic', demand: anybody, verified: false }],
    ['the route asks for encryption', none, { required: 'encrypted' }, { by: 'route', tls: 'required', demand: anybody }],
    ['the route asks for proof', none, { required: 'verified' }, { by: 'route', tls: 'required', demand: proven }],
    ['testing changes nothing', none, { sts: sts('testing', 'x.test') }, { by: 'none', tls: 'opportunistic', demand: anybody }],
    ['none changes nothing', none, { sts: sts('none') }, { by: 'none', tls: 'opportunistic', demand: anybody }],
    ['a policy that names it', none, { sts: named }, { by: 'sts', tls: 'required', demand: proven, verified: true }],
    ['a policy that does not', none, { sts: other }, { may: false, by: 'sts', failure: 'temporary' }],
    ['DANE', usable, { found: signed }, { by: 'dane', tls: 'required', demand: dane, verified: true }],
    ['DANE wins over STS', usable, { found: signed, sts: other }, { by: 'dane', tls: 'required', demand: dane }],
    ['DANE wins over the route', usable, { found: signed, required: 'verified' }, { by: 'dane', tls: 'required', demand: dane }],
    ['DANE without signed MX is none', usable, { sts: named }, { by: 'sts', tls: 'required', demand: proven }],
    ['nor does it fail there', failed, {}, { by: 'none', tls: 'opportunistic' }],
    ['DANE that cannot be looked up', failed, { found: signed }, { may: false, by: 'dane', failure: 'temporary' }],
    ['STS does not override that', failed, { found: signed, sts: named }, { may: false, by: 'dane', failure: 'temporary' }],
    ['DANE that nobody understands', unusable, { found: signed }, { by: 'dane', tls: 'required', demand: anybody }],
    ['and STS', unusable, { found: signed, sts: named }, { by: 'sts', tls: 'required', demand: proven, verified: true }],
    ['and the route', unusable, { found: signed, required: 'verified' }, { by: 'route', demand: proven }],
    ['REQUIRETLS with nothing certain', none, { strictly: true }, { may: false, by: 'requiretls', failure: 'permanent' }],
    ['REQUIRETLS with signed MX', none, { strictly: true, found: signed }, { by: 'requiretls', demand: proven, verified: true }],
    ['REQUIRETLS with a policy under test', none, { strictly: true, sts: sts('testing', 'mx.a.test') }, {
      by: 'requiretls', tls: 'required', demand: proven, verified: true,
    }],
    ['REQUIRETLS with a policy that is over', none, { strictly: true, sts: sts('none', 'mx.a.test') }, { may: false }],
    ['REQUIRETLS with DANE', usable, { strictly: true, found: signed }, { by: 'dane', demand: dane, verified: true }],
    ['REQUIRETLS with the domain itself', none, { strictly: true, found: found({ implicit: true }) }, {
      demand: proven, verified: true,
    }],
  ])('%s', (_, finding, more, expected) => {
    expect(hostTls(host, finding, wish(more))).toMatchObject({ may: true, ...expected })
  })

  it('lets a certificate of an authority by DANE be for the domain too', () => {
    const finding: DaneFinding = { kind: 'usable', base: 'real.b.test', records: [{ ...records[0]!, usage: 2 }] }
    const aliased = found({ authenticated: true, alias: 'c.test' })
    expect(hostTls(host, finding, wish({ found: aliased }))).toMatchObject({
      demand: { serverName: 'real.b.test', names: ['mx.a.test', 'a.test', 'c.test'] },
    })
    expect(hostTls(host, usable, wish({ found: aliased }))).not.toHaveProperty('demand.names')
  })

  it('has no name to prove for an address', () => {
    const literal = { ...host, name: '[192.0.2.1]' }
    const by = (more: Partial<TlsWish>): unknown => hostTls(literal, none, wish({ found: found({ implicit: true }), ...more }))
    expect(by({})).toEqual({ may: true, by: 'none', tls: 'opportunistic', demand: { trust: 'none' }, verified: false })
    expect(by({ required: 'encrypted' })).toMatchObject({ tls: 'required', demand: { trust: 'none' } })
    expect(by({ required: 'verified' })).toMatchObject({ may: false, failure: 'permanent' })
    expect(by({ strictly: true })).toMatchObject({ may: false, failure: 'permanent' })
  })
})
