import { describe, expect, it } from 'vitest'
import type { DmarcFinding } from '../../../src/contracts/authentication.ts'
import type { FakeZone } from '../../../src/testing/fake-dns.ts'
import { look, spfPass } from './looking.ts'
import { signedWith } from './signer.ts'
import { testKey } from './verifying.ts'

const key = testKey('rsa')
const rest = 'To: bob@example.net\r\nSubject: Hello\r\n\r\nHow are you?\r\n'
const from = (field: string): string => `From: ${field}\r\n${rest}`
const policy = (record: string): FakeZone[string] => ({ TXT: record })
const keyAt = (domain: string): FakeZone => ({ [`s._domainkey.${domain}`]: { TXT: key.record } })

interface Way {
  /** Domain of the envelope, for which SPF passes. */
  readonly spf?: string
  /** `d=`. */
  readonly dkim?: string
}

/** What DMARC says of a message of an author. */
async function dmarcOf(message: string, zone: FakeZone, { spf, dkim }: Way = {}, id = 'message-1'): Promise<DmarcFinding> {
  const octets = Buffer.from(message).toString('latin1')
  const text = dkim === undefined ? octets : signedWith(octets, { domain: dkim, pem: key.pem, fields: 'from:from:to' })
  const what = { spf: spf === undefined ? undefined : spfPass(spf), id }
  return (await look(Buffer.from(text, 'latin1'), { ...zone, ...(dkim === undefined ? {} : keyAt(dkim)) }, what)).dmarc!
}

const org: FakeZone = { '_dmarc.example.org': policy('v=DMARC1; p=reject') }
const strict: FakeZone = { '_dmarc.example.org': policy('v=DMARC1; p=reject; adkim=s; aspf=s') }

describe('alignment', () => {
  it.each<[string, string, FakeZone, Way, 'pass' | 'fail']>([
    ['SPF of the same domain', 'a@example.org', org, { spf: 'example.org' }, 'pass'],
    ['SPF of a sub-domain', 'a@example.org', org, { spf: 'bounces.example.org' }, 'pass'],
    ['SPF of the domain above', 'a@news.example.org', org, { spf: 'example.org' }, 'pass'],
    ['SPF of a sister', 'a@news.example.org', org, { spf: 'shop.example.org' }, 'pass'],
    ['SPF of somebody else', 'a@example.org', org, { spf: 'example.com' }, 'fail'],
    ['SPF of one that ends alike', 'a@example.org', org, { spf: 'badexample.org' }, 'fail'],
    ['SPF of one that begins alike', 'a@example.org', org, { spf: 'example.org.evil.test' }, 'fail'],
    ['DKIM of the same domain', 'a@example.org', org, { dkim: 'example.org' }, 'pass'],
    ['DKIM of a sub-domain', 'a@example.org', org, { dkim: 'mail.example.org' }, 'pass'],
    ['DKIM of the domain above', 'a@news.example.org', org, { dkim: 'example.org' }, 'pass'],
    ['DKIM of somebody else', 'a@example.org', org, { dkim: 'evil.test' }, 'fail'],
    ['letter case and dots', 'a@Example.ORG', org, { dkim: 'example.org' }, 'pass'],
    ['nothing', 'a@example.org', org, {}, 'fail'],
    ['strictly, SPF of the same domain', 'a@example.org', strict, { spf: 'example.org' }, 'pass'],
    ['strictly, SPF of a sub-domain', 'a@example.org', strict, { spf: 'bounces.example.org' }, 'fail'],
    ['strictly, SPF of the domain above', 'a@news.example.org', strict, { spf: 'example.org' }, 'fail'],
    ['strictly, DKIM of the same domain', 'a@example.org', strict, { dkim: 'example.org' }, 'pass'],
    ['strictly, DKIM of a sub-domain', 'a@example.org', strict, { dkim: 'mail.example.org' }, 'fail'],
    ['strictly, DKIM of the domain above', 'a@news.example.org', strict, { dkim: 'example.org' }, 'fail'],
    ['a U-label and its A-label', 'a@b\u00fccher.example', { '_dmarc.xn--bcher-kva.example': policy('v=DMARC1; p=reject') },
      { dkim: 'xn--bcher-kva.example' }, 'pass'],
  ])('%s', async (_, author, zone, way, result) => {
    const found = await dmarcOf(from(author), zone, way)
    expect(found).toMatchObject({ result, disposition: result === 'pass' ? 'none' : 'reject' })
    const passes = result === 'pass'
    expect(found.aligned).toEqual({ spf: passes && way.spf !== undefined, dkim: passes && way.dkim !== undefined })
  })

  it('is not of a registry: what is below it belongs to different people, whatever it publishes', async () => {
    const zone: FakeZone = { '_dmarc.co.uk': policy('v=DMARC1; p=reject') }
    const evil = await dmarcOf(from('a@victim.co.uk'), zone, { dkim: 'evil.co.uk' })
    expect(evil).toMatchObject({ result: 'fail', disposition: 'reject' })
    expect(await dmarcOf(from('a@victim.co.uk'), zone, { dkim: 'co.uk' })).toMatchObject({ result: 'fail' })
    expect(await dmarcOf(from('a@victim.co.uk'), zone, { dkim: 'victim.co.uk' })).toMatchObject({ result: 'pass' })
  })

  it('is never of a signature with l=', async () => {
    const text = signedWith(from('a@example.org'), { domain: 'example.org', pem: key.pem, length: 14 })
    const { dkim, dmarc } = await look(text, { ...org, ...keyAt('example.org') })
    expect(dkim).toMatchObject([{ result: 'pass', covers: 'part' }])
    expect(dmarc).toMatchObject({ result: 'fail', disposition: 'reject' })
  })

  it.each(['softfail', 'neutral', 'none', 'fail', 'permerror'] as const)('is not of SPF that says %s', async (result) => {
    const { dmarc } = await look(from('a@example.org'), org, { spf: spfPass('example.org', result) })
    expect(dmarc).toMatchObject({ result: 'fail' })
  })
})

describe('the policy', () => {
  it.each<[string, string, FakeZone, Partial<DmarcFinding>]>([
    ['its own', 'a@example.org', { '_dmarc.example.org': policy('v=DMARC1; p=quarantine') },
      { policyDomain: 'example.org', policy: 'quarantine', disposition: 'quarantine' }],
    ['none', 'a@example.org', { '_dmarc.example.org': policy('v=DMARC1; p=none') }, { policy: 'none', disposition: 'none' }],
    ['that above', 'a@x.y.example.org', org, { policyDomain: 'example.org', policy: 'reject', disposition: 'reject' }],
    ['for sub-domains', 'a@x.example.org',
      { '_dmarc.example.org': policy('v=DMARC1; p=reject; sp=none'), 'x.example.org': { A: '192.0.2.1' } },
      { policyDomain: 'example.org', policy: 'none', disposition: 'none' }],
    ['not that for sub-domains', 'a@example.org', { '_dmarc.example.org': policy('v=DMARC1; p=reject; sp=none') },
      { policy: 'reject', disposition: 'reject' }],
    ['for names that do not exist', 'a@gone.example.org',
      { '_dmarc.example.org': policy('v=DMARC1; p=none; sp=none; np=reject') },
      { policy: 'reject', disposition: 'reject' }],
    ['not that for names that do not exist', 'a@x.example.org', {
      '_dmarc.example.org': policy('v=DMARC1; p=none; sp=quarantine; np=reject'), 'x.example.org': { A: '192.0.2.1' },
    }, { policy: 'quarantine', disposition: 'quarantine' }],
    ['in test', 'a@example.org', { '_dmarc.example.org': policy('v=DMARC1; p=reject; t=y') },
      { policy: 'reject', disposition: 'quarantine' }],
    ['of quarantine in test', 'a@example.org', { '_dmarc.example.org': policy('v=DMARC1; p=quarantine; t=y') },
      { policy: 'quarantine', disposition: 'none' }],
    ['for no message', 'a@example.org', { '_dmarc.example.org': policy('v=DMARC1; p=reject; pct=0') },
      { policy: 'reject', disposition: 'quarantine' }],
    ['with a share that is none', 'a@example.org', { '_dmarc.example.org': policy('v=DMARC1; p=reject; pct=many') },
      { policy: 'reject', disposition: 'reject' }],
  ])('is %s', async (_, author, zone, found) => {
    expect(await dmarcOf(from(author), zone)).toMatchObject({ result: 'fail', ...found })
  })

  it.each<[string, FakeZone]>([
    ['there is none', {}],
    ['there are two', { '_dmarc.example.org': { TXT: ['v=DMARC1; p=reject', 'v=DMARC1; p=none'] } }],
    ['it is of another kind', { '_dmarc.example.org': policy('v=spf1 -all') }],
    ['it has no policy', { '_dmarc.example.org': policy('v=DMARC1; adkim=s') }],
  ])('is none where %s', async (_, zone) => {
    expect(await dmarcOf(from('a@example.org'), zone)).toMatchObject({ result: 'none', disposition: 'none', policy: undefined })
  })

  it('is told as it is published, for a report', async () => {
    const { record } = await dmarcOf(from('a@example.org'), {
      '_dmarc.example.org': policy('v=DMARC1; p=none; rua=mailto:d@example.org; pct=50'),
    })
    expect(Object.fromEntries(record!)).toEqual({ v: 'DMARC1', p: 'none', rua: 'mailto:d@example.org', pct: '50' })
  })

  it('is for the share of messages that pct says, and always the same for one', async () => {
    const zone: FakeZone = { '_dmarc.example.org': policy('v=DMARC1; p=reject; pct=30') }
    let rejected = 0
    for (let at = 0; at < 200; at++) {
      const { disposition } = await dmarcOf(from('a@example.org'), zone, {}, `message-${at}`)
      expect((await dmarcOf(from('a@example.org'), zone, {}, `message-${at}`)).disposition).toBe(disposition)
      if (disposition === 'reject') rejected++
    }
    expect(rejected).toBeGreaterThan(30)
    expect(rejected).toBeLessThan(90)
  })
})

describe('a DNS that does not answer', () => {
  it.each(['SERVFAIL', 'TIMEOUT'] as const)('makes it temporary: %s', async (failure) => {
    const nowhere = { policy: undefined, disposition: 'none', result: 'temperror' }
    const zone: FakeZone = { '_dmarc.example.org': failure }
    expect(await dmarcOf(from('a@example.org'), zone, { dkim: 'example.org' })).toMatchObject(nowhere)
    expect(await dmarcOf(from('a@x.example.org'), zone, { dkim: 'x.example.org' })).toMatchObject(nowhere)
    expect(await dmarcOf(from('a@gone.example.org'), {
      '_dmarc.example.org': policy('v=DMARC1; p=none; np=reject'), 'gone.example.org': failure,
    })).toMatchObject({ result: 'temperror', disposition: 'none' })
  })

  it('makes it temporary where a key or SPF would have decided', async () => {
    const text = signedWith(from('a@example.org'), { domain: 'example.org', pem: key.pem })
    const open = { result: 'temperror', disposition: 'none' }
    expect((await look(text, { ...org, 's._domainkey.example.org': 'SERVFAIL' })).dmarc).toMatchObject(open)
    expect((await look(from('a@example.org'), org, { spf: spfPass('example.org', 'temperror') })).dmarc).toMatchObject(open)
  })

  it('changes nothing where it decides nothing', async () => {
    const text = signedWith(from('a@example.org'), { domain: 'evil.test', pem: key.pem })
    const failed = { result: 'fail', disposition: 'reject' }
    expect((await look(text, { ...org, 's._domainkey.evil.test': 'SERVFAIL' })).dmarc).toMatchObject(failed)
    expect((await look(from('a@example.org'), org, { spf: spfPass('evil.test', 'temperror') })).dmarc).toMatchObject(failed)
  })
})

describe('an author who cannot be told', () => {
  // Whoever writes these has mail of his own domain pass: evil.test signs, and SPF passes for it.
  const zone: FakeZone = { ...org, '_dmarc.evil.test': policy('v=DMARC1; p=reject') }
  const evil: Way = { spf: 'evil.test', dkim: 'evil.test' }
  const bank = 'ceo@example.org'

  it.each<[string, string]>([
    ['two addresses', `${bank}, x@evil.test`],
    ['two addresses, the other first', `x@evil.test, ${bank}`],
    ['an address for a name', `${bank} <x@evil.test>`],
    ['two in angle brackets', `<${bank}> <x@evil.test>`],
    ['a group', `Bank: ${bank}, x@evil.test;`],
    ['a group and a mailbox', `Bank: ${bank}; x@evil.test`],
    ['a route', `<@example.org:x@evil.test>`],
    ['a route the other way', `<@evil.test:${bank}>`],
    ['two at signs', 'ceo@example.org@evil.test'],
    ['a comment between', `ceo@example.org(, x)@evil.test`],
    ['a comment that never ends', `x@evil.test (, ${bank}`],
    ['a quote that never ends', `"x@evil.test <${bank}>`],
    ['an encoded word and an address', `=?utf-8?q?Bank?= <${bank}>, x@evil.test`],
    ['a carriage return alone', `x@evil.test\rFrom: ${bank}`],
    ['a line feed alone', `x@evil.test\nFrom: ${bank}`],
    ['a second field', `x@evil.test\r\nFrom: ${bank}`],
    ['a second field before it', `${bank}\r\nFrom: x@evil.test`],
    ['a second field in capitals', `x@evil.test\r\nFROM: ${bank}`],
    ['a second field with a blank before its colon', `x@evil.test\r\nFrom : ${bank}`],
    ['a blank before a dot', 'ceo@example .org'],
    ['a fold before a dot', 'ceo@example\r\n .org'],
    ['comments around a dot', 'ceo@example (x) . (y) org'],
    ['two dots at the end', 'ceo@example.org..'],
    ['two dots within', 'ceo@example..org'],
    ['a dot in front', 'ceo@.example.org'],
    ['a control character in a domain', 'ceo@exa\x01mple.org'],
    ['a backslash in a domain', 'ceo@exa\\mple.org'],
    ['a joiner in a domain', 'ceo@exa\u200dmple.org'],
    ['a mark of direction in a domain', 'ceo@\u202eexample.org'],
    ['a label that is too long', `ceo@${'x'.repeat(64)}.example.org`],
    ['a name that is too long', `ceo@${'x.'.repeat(200)}example.org`],
    ['a name of 20 KB, all blanks', `CEO${`\r\n${' '.repeat(80)}`.repeat(250)}<${bank}>`],
  ])('is looked at for each that anybody could read, and the strictest holds: %s', async (_, field) => {
    const found = await dmarcOf(from(field), zone, evil)
    expect(found).toMatchObject({ result: 'permerror', disposition: 'reject', aligned: { spf: false, dkim: false } })
    expect(found.why).toBeTypeOf('string')
  })

  it.each<[string, string]>([
    ['a quoted local part with an address in it', `"${bank}"@evil.test`],
    ['a quoted local part with brackets', `"<${bank}>"@evil.test`],
    ['an encoded local part', '=?utf-8?q?ceo=40example.org?=@evil.test'],
    ['an encoded local part in brackets', 'Bank <=?utf-8?b?Y2VvQGV4YW1wbGUub3JnAA==?=@evil.test>'],
    ['a domain in pieces', 'x@evil .test'],
    ['a domain of dots', 'x@....'],
    ['an empty domain', 'x@'],
    ['no address', 'Bank'],
    ['nothing', ''],
    ['a NUL', `x@evil.test\0`],
    ['a bell', `x\x07@evil.test`],
    ['a backslash', `x\\@example.org@evil.test`],
    ['a group of one', 'Bank: x@evil.test;'],
    ['a single group, empty', 'undisclosed:;'],
    ['a field of 20 KB', `${'x'.repeat(20_000)} <x@evil.test>`],
    ['the same field twice', 'x@evil.test\r\nFrom: x@evil.test'],
  ])('never passes: %s', async (_, field) => {
    expect((await dmarcOf(from(field), zone, evil)).result).toBe('permerror')
  })

  it('never passes without a From field, or with more fields than are kept', async () => {
    const nobody = await dmarcOf(rest, zone, { spf: 'evil.test' })
    expect(nobody).toMatchObject({ result: 'permerror', domain: '', disposition: 'none' })
    const hidden = `${from('x@evil.test').slice(0, -rest.length)}${'X: y\r\n'.repeat(20_000)}From: ${bank}\r\n${rest}`
    expect((await dmarcOf(hidden, zone, { spf: 'evil.test' })).result).toBe('permerror')
  })

  it('is not let in for being one of many', async () => {
    const others = Array.from({ length: 20 }, (_, at) => `a@n${at}.test`).join(', ')
    expect(await dmarcOf(from(`${others}, ${bank}`), zone, evil)).toMatchObject({ result: 'permerror', disposition: 'reject' })
  })

  it('is not let in among a thousand fields', async () => {
    const many = `x@evil.test\r\n${'From: x@evil.test\r\n'.repeat(1000)}From: ${bank}`
    expect(await dmarcOf(from(many), zone, evil)).toMatchObject({ result: 'permerror', disposition: 'reject' })
  })

  it.each<[string, string]>([
    ['a name', 'Alice <a@example.org>'],
    ['a name in quotes, with an address', '"x@evil.test" <a@example.org>'],
    ['the same address for a name', 'a@example.org <a@example.org>'],
    ['a name with a comma', 'Doe, Alice <a@example.org>'],
    ['comments', 'a (x@evil.test) @ (x) example.org (y)'],
    ['an encoded name', '=?utf-8?q?x=40evil=2Etest?= <a@example.org>'],
    ['a folded one', 'Alice\r\n <a@example.org>'],
    ['two of one domain', 'a@example.org, b@example.org'],
    ['a quoted local part', '"a b"@example.org'],
    ['a name in UTF-8', 'J\u00fcrgen <a@example.org>'],
  ])('is no question: %s', async (_, field) => {
    const found = await dmarcOf(from(field), org, { spf: 'example.org' })
    expect(found).toMatchObject({ result: 'pass', domain: 'example.org', why: undefined })
  })
})

describe('BIMI', () => {
  const picture = 'https://example.org/logo.svg'
  const bimiOf = async (zone: FakeZone, more = '', record = 'v=DMARC1; p=reject') =>
    (await look(`${more}${from('a@news.example.org')}`, { '_dmarc.example.org': policy(record), ...zone }, {
      bimi: true, spf: spfPass('example.org'),
    })).bimi

  it.each<[string, FakeZone, string, string | undefined, object]>([
    ['at the domain', { 'default._bimi.news.example.org': policy(`v=BIMI1; l=${picture}; a=`) }, '', undefined,
      { result: 'pass', domain: 'news.example.org', selector: 'default', location: picture, evidence: undefined }],
    ['above it, with evidence',
      { 'default._bimi.example.org': policy(`v=BIMI1; l=${picture}; a=https://example.org/v.pem`) }, '', undefined,
      { result: 'pass', domain: 'example.org', evidence: 'https://example.org/v.pem' }],
    ['under a selector',
      { 'brand._bimi.example.org': policy(`v=BIMI1; l=${picture}`) }, 'BIMI-Selector: v=BIMI1; s=brand\r\n', undefined,
      { result: 'pass', selector: 'brand' }],
    ['nowhere', {}, '', undefined, { result: 'none', location: undefined }],
    ['declined', { 'default._bimi.example.org': policy('v=BIMI1; l=; a=') }, '', undefined, { result: 'none' }],
    ['not over TLS', { 'default._bimi.example.org': policy('v=BIMI1; l=http://example.org/x') }, '', undefined,
      { result: 'fail' }],
    ['twice', { 'default._bimi.example.org': { TXT: ['v=BIMI1; l=', 'v=BIMI1; l='] } }, '', undefined, { result: 'fail' }],
    ['under a selector that is none', {}, 'BIMI-Selector: v=BIMI1; s=a.b/../c\r\n', undefined, { result: 'fail' }],
    ['unknown', { 'default._bimi.news.example.org': 'SERVFAIL' }, '', undefined, { result: 'temperror' }],
    ['of no interest where nothing is enforced', {}, '', 'v=DMARC1; p=none', { result: 'skipped' }],
    ['of no interest in a test', {}, '', 'v=DMARC1; p=reject; t=y', { result: 'skipped' }],
    ['of no interest where sub-domains are free', {}, '', 'v=DMARC1; p=reject; sp=none', { result: 'skipped' }],
  ])('is %s', async (_, zone, more, record, found) => {
    expect(await bimiOf(zone, more, record)).toMatchObject(found)
  })
})
