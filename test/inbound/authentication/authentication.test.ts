import { describe, expect, it } from 'vitest'
import type { Authentication } from '../../../src/contracts/authentication.ts'
import { authentication, type Policy, type TrustOptions } from '../../../src/index.ts'
import { type FakeZone, world, type World, type WorldOptions } from '../../../src/testing/index.ts'
import { signedWith } from '../../adapters/mailauth/signer.ts'
import { testKey } from '../../adapters/mailauth/verifying.ts'

const key = testKey('rsa')
const MESSAGE = 'From: Alice <alice@example.org>\r\nTo: b@mx.test\r\nSubject: Hello\r\n\r\nHow are you?\r\n'
const signed = signedWith(MESSAGE, { domain: 'example.org', pem: key.pem })
const zone: FakeZone = {
  'example.org': { TXT: 'v=spf1 ip4:203.0.113.9 -all' },
  's._domainkey.example.org': { TXT: key.record },
  '_dmarc.example.org': { TXT: 'v=DMARC1; p=reject' },
  'mail.example.org': { A: '203.0.113.9', TXT: 'v=spf1 a -all' },
  '203.0.113.9': { PTR: 'mail.example.org' },
}

interface Sent {
  readonly w: World
  readonly reply: string
  /** The header as it was delivered, unfolded. */
  readonly header: string
  readonly found: Authentication | undefined
  readonly notes: readonly { readonly kind: string }[]
}

type ServerOptions = Exclude<NonNullable<WorldOptions['server']>, (...given: never[]) => unknown>

interface Mail {
  readonly content?: string | Uint8Array
  readonly from?: string | null
  readonly address?: string | undefined
  readonly dns?: FakeZone
  readonly server?: ServerOptions
  readonly policies?: readonly Policy[]
}

async function send(options: TrustOptions | undefined, mail: Mail = {}): Promise<Sent> {
  const { content = signed, from = 'alice@example.org', dns = zone, server = {}, policies = [] } = mail
  const address = 'address' in mail ? mail.address : '203.0.113.9'
  const w = world({ dns, server: { policies: [authentication(options), ...policies], connections: false, ...server } })
  const client = w.connect(address, { name: 'mail.example.org' })
  if (server.authenticate) await client.login('alice', 'pw')
  const { reply } = await w.clock.until(client.send({ from, to: 'b@mx.test', content }))
  const [message] = w.delivered
  let text = ''
  if (message) for await (const chunk of message.raw()) text += Buffer.from(chunk).toString('latin1')
  const notes = message?.notes ?? []
  const found = notes.findLast((note) => note.kind === 'authentication')?.authentication
  const head = text.slice(0, text.indexOf('\r\n\r\n') + 2)
  return { w, reply, header: head.replace(/\r\n(?=[ \t])/g, ''), found, notes }
}

const resultsOf = (header: string): string[] => header.split('\r\n').filter((line) => /^authentication-results/i.test(line))

describe('authentication()', () => {
  it('finds out who sent a message, and writes it down', async () => {
    const { header, found, reply } = await send(undefined)
    expect(reply).toMatch(/^250/)
    expect(found).toMatchObject({
      spf: { result: 'pass', identity: 'mailfrom', domain: 'example.org' },
      helo: { result: 'pass', identity: 'helo', domain: 'mail.example.org' },
      dkim: [{ result: 'pass', domain: 'example.org', bits: 2048 }],
      dmarc: { result: 'pass', aligned: { spf: true, dkim: true } },
      arc: { result: 'none', sealers: [] },
      iprev: { result: 'pass', name: 'mail.example.org' },
      bimi: undefined,
    })
    const [results, ...others] = resultsOf(header)
    expect(others).toEqual([])
    expect(header.indexOf(results!)).toBe(0)
    expect(results).toBe(
      'Authentication-Results: mx.test; ' +
        'spf=pass (domain of alice@example.org designates 203.0.113.9 as permitted sender) smtp.mailfrom=example.org; ' +
        'spf=pass (domain of postmaster@mail.example.org designates 203.0.113.9 as permitted sender) ' +
        'smtp.helo=mail.example.org; ' +
        `dkim=pass (2048-bit key) header.d=example.org header.s=s header.a=rsa-sha256 header.b=${bOf(signed)}; ` +
        'dmarc=pass (p=reject) policy.dmarc=none header.from=example.org; arc=none smtp.remote-ip=203.0.113.9; ' +
        'iprev=pass (mail.example.org) policy.iprev=203.0.113.9',
    )
  })

  it('looks at the name in EHLO where the sender is null', async () => {
    const { found, reply } = await send(undefined, { from: null })
    expect(reply).toMatch(/^250/)
    expect(found!.spf).toMatchObject({ result: 'pass', identity: 'helo', domain: 'mail.example.org' })
    expect(found!.dmarc).toMatchObject({ result: 'pass', aligned: { spf: true, dkim: true } })
  })

  it('has noted SPF by the time the recipients come', async () => {
    const seen: unknown[] = []
    const later: Policy = {
      name: 'later',
      recipient: (_, { noted }) => {
        seen.push(noted.findLast((note) => note.kind === 'authentication')?.authentication.spf?.result)
      },
    }
    await send(undefined, { policies: [later] })
    expect(seen).toEqual(['pass'])
  })

  it('looks at each message of a connection for itself', async () => {
    const w = world({ dns: zone, server: { policies: [authentication()], connections: false } })
    const client = w.connect('203.0.113.9', { name: 'mail.example.org' })
    for (const from of ['alice@example.org', 'x@nowhere.test', 'alice@example.org']) {
      await w.clock.until(client.send({ from, to: 'b@mx.test', content: signed }))
    }
    const found = w.delivered.map(({ notes }) => notes.findLast((note) => note.kind === 'authentication')?.authentication.spf)
    expect(found.map((spf) => spf?.result)).toEqual(['pass', 'none', 'pass'])
  })

  it('asks the DNS of the server, and nothing twice for a message', async () => {
    const { w } = await send({ iprev: false })
    const asked = w.dns.asked.map(({ name, type }) => `${type} ${name}`)
    expect(asked.filter((question) => question.includes('_d')).sort()).toEqual([
      'TXT _dmarc.example.org', 'TXT _dmarc.org', 'TXT s._domainkey.example.org',
    ])
  })

  it('says which option cannot be', () => {
    const make = (options: object) => () => authentication(options)
    expect(make({ spff: false })).toThrow('authentication: there is no option "spff". Did you mean spf?')
    expect(make({ policy: 'honor' })).toThrow("it takes 'none' or 'quarantine' or 'reject' or 'honour'")
    expect(make({ dkim: false })).toThrow('dmarc rests on spf and dkim')
    expect(make({ spf: false })).toThrow('dmarc rests on spf and dkim')
    expect(make({ bimi: true, dmarc: false })).toThrow('bimi rests on dmarc')
    expect(make({ trusted: '10.0.0.0/8' })).toThrow('trusted is "10.0.0.0/8"')
    expect(make({ trusted: ['10.0.0.0/99'] })).toThrow(expect.objectContaining({ code: 'config' }))
    expect(make({ spf: false, dmarc: false, dkim: false })).not.toThrow()
  })

  it('looks at what it is told to', async () => {
    const { found, header, w } = await send({ spf: false, dkim: false, dmarc: false, arc: false, iprev: false })
    const nothing = { spf: undefined, dkim: undefined, dmarc: undefined, arc: undefined, iprev: undefined, bimi: undefined }
    expect(found).toEqual(nothing)
    expect(resultsOf(header)).toEqual(['Authentication-Results: mx.test; none'])
    expect(w.dns.asked).toEqual([])
  })
})

describe('what DMARC asks for', () => {
  const forged = MESSAGE.replace('Hello', 'Pay now')
  const asking = (policy: string): FakeZone => ({ ...zone, '_dmarc.example.org': { TXT: `v=DMARC1; p=${policy}` } })
  const outcome = async (options: TrustOptions, dns: FakeZone, content = forged): Promise<string> => {
    const { reply, notes } = await send(options, { dns, content, from: 'x@evil.test' })
    return notes.some(({ kind }) => kind === 'quarantine') ? 'quarantine' : reply
  }
  const refused = '550 5.7.1 DMARC: the policy of example.org is not to take this'

  it.each<[TrustOptions['policy'], string, string]>([
    ['honour', 'reject', refused],
    ['honour', 'quarantine', 'quarantine'],
    ['honour', 'none', '250'],
    ['quarantine', 'reject', 'quarantine'],
    ['quarantine', 'quarantine', 'quarantine'],
    ['quarantine', 'none', '250'],
    ['reject', 'reject', refused],
    ['reject', 'quarantine', refused],
    ['reject', 'none', '250'],
    ['none', 'reject', '250'],
    [undefined, 'reject', refused],
  ])('%s, of a domain that says %s: %s', async (policy, published, result) => {
    const reply = await outcome(policy === undefined ? {} : { policy }, asking(published))
    if (result === '250') expect(reply).toMatch(/^250/)
    else expect(reply).toBe(result)
    // What passes comes in, whatever is asked for.
    expect(await outcome(policy === undefined ? {} : { policy }, asking(published), signed)).toMatch(/^250/)
  })

  it('is done for authors that cannot be told, too', async () => {
    const two = forged.replace('From: Alice <alice@example.org>', 'From: alice@example.org, x@evil.test')
    const refusal = '550 5.7.1 DMARC: the policy of those it says it is from is not to take this'
    expect(await outcome({}, asking('reject'), two)).toBe(refusal)
  })

  it('waits, if it is told to, where the DNS does not say', async () => {
    for (const failure of ['SERVFAIL', 'TIMEOUT'] as const) {
      const dns: FakeZone = { ...zone, '_dmarc.example.org': failure }
      expect(await outcome({ onTemporary: 'defer' }, dns)).toBe('451 4.7.1 The DNS does not say who sent this, try again later')
      expect(await outcome({}, dns)).toMatch(/^250/)
    }
  })

  it('refuses what SPF forbids where that is asked for, and only notes it otherwise', async () => {
    const mail: Mail = { address: '198.51.100.7', content: signed }
    expect((await send({ spf: 'reject' }, mail)).reply).toBe('550 5.7.23 SPF: example.org does not let 198.51.100.7 send for it')
    const { reply, found } = await send({}, mail)
    expect(reply).toMatch(/^250/)
    expect(found).toMatchObject({ spf: { result: 'fail' }, dmarc: { result: 'pass', aligned: { spf: false, dkim: true } } })
    expect((await send({ spf: 'reject' }, { ...mail, dns: { 'example.org': { TXT: 'v=spf1 ~all' } } })).reply).toMatch(/^250/)
  })
})

describe('those whose mail is not looked at', () => {
  const login: ServerOptions = {
    authenticate: ({ username }) => ({ account: username }), plaintextAuth: true,
  }
  const forged = `Authentication-Results: mx.test; dmarc=pass\r\n${MESSAGE}`

  it.each<[string, TrustOptions, Mail, boolean]>([
    ['who has logged in', {}, { server: login }, true],
    ['this machine', {}, { address: '127.0.0.1' }, true],
    ['this machine by IPv6', {}, { address: '::1' }, true],
    ['a unix socket', {}, { address: undefined }, true],
    ['a relay that is trusted', { trusted: ['203.0.113.0/24'] }, {}, true],
    ['anybody', {}, {}, false],
    ['a relay that is not among the trusted', { trusted: ['198.51.100.0/24'] }, {}, false],
    ['this machine where it is not exempt', { exempt: () => false }, { address: '127.0.0.1' }, false],
  ])('%s', async (_, options, mail, isExempt) => {
    const { found, header } = await send({ policy: 'none', ...options }, { ...mail, content: forged })
    expect(found === undefined).toBe(isExempt)
    // Nobody forges.
    expect(header).not.toContain('Authentication-Results: mx.test; dmarc=pass\r\n')
    expect(resultsOf(header)).toHaveLength(isExempt ? 0 : 1)
  })
})

describe('forged results', () => {
  it.each([
    'Authentication-Results: mx.test; dmarc=pass',
    'AUTHENTICATION-RESULTS: MX.TEST; dmarc=pass',
    'authentication-results:mx.test;dmarc=pass',
    'Authentication-Results : mx.test; dmarc=pass',
    'Authentication-Results:\r\n mx.test;\r\n dmarc=pass',
    'Authentication-Results: (hello) mx.test (there) 1; dmarc=pass',
    'Authentication-Results: mx.test 1; dmarc=pass',
    'Authentication-Results: mx.test/1; dmarc=pass',
    'Authentication-Results: mx.test.; dmarc=pass',
    'Authentication-Results: "mx.test"; dmarc=pass',
    'Authentication-Results: "mx\\.test"; dmarc=pass',
    'Authentication-Results: "mx.test; dmarc=pass',
    'Authentication-Results: mx.test',
    'Authentication-Results: =?utf-8?q?mx.test?=; dmarc=pass',
    'Authentication-Results: mx.test(; dmarc=pass',
    'Authentication-Results: ; dmarc=pass',
    'Authentication-Results:',
    'Authentication-Results: \tmx.test\t; dmarc=pass',
    'Authentication-Results: mx(x).test; dmarc=pass',
    'Authentication-Results: mx . test; dmarc=pass',
    'Authentication-Results: mx.\r\n test; dmarc=pass',
    'Authentication-Results: ) mx.test; dmarc=pass',
    'Authentication-Results:: mx.test; dmarc=pass',
    'Authentication-Results: \uff4d\uff58\u3002test; dmarc=pass',
    'Authentication-Results: dmarc=pass header.from=example.org',
  ])('go: %j', async (field) => {
    const { header } = await send(undefined, { content: `${field}\r\n${signed}` })
    expect(resultsOf(header)).toHaveLength(1)
    expect(header).not.toContain(`${field}\r\n`)
    expect(header).toContain('\r\nSubject: Hello\r\n')
  })

  it.each([
    'Authentication-Results: mx.example.org; dmarc=pass',
    'Authentication-Results: notmx.test; spf=pass smtp.mailfrom=mx.test',
    'Authentication-Results: mx.test.evil.example; dmarc=pass',
    'X-Authentication-Results: mx.test; dmarc=pass',
    'ARC-Authentication-Results: i=1; mx.test; dmarc=pass',
  ])('of others stay: %s', async (field) => {
    expect((await send(undefined, { content: `${field}\r\n${signed}` })).header).toContain(`\r\n${field}\r\n`)
  })

  it('go by the name that is used', async () => {
    const fields = 'Authentication-Results: mx.test; dmarc=pass\r\nAuthentication-Results: Mail.Example; dmarc=pass\r\n'
    const { header } = await send({ authservId: 'mail.example' }, { content: fields + signed })
    expect(resultsOf(header).map((line) => line.split(';')[0])).toEqual([
      'Authentication-Results: mail.example', 'Authentication-Results: mx.test',
    ])
  })

  it('are not let in among a thousand of others', async () => {
    const many = 'Authentication-Results: mx.example.org; dmarc=pass\r\n'.repeat(1000)
    const { header } = await send(undefined, { content: `${many}Authentication-Results: mx.test; dmarc=pass\r\n${signed}` })
    expect(resultsOf(header)).toHaveLength(1)
  })

  it('are not let in among more fields than can be looked through', async () => {
    const many = 'X: y\r\n'.repeat(20_000)
    const { reply } = await send(undefined, { content: `${many}Authentication-Results: mx.test; dmarc=pass\r\n${MESSAGE}` })
    expect(reply).toBe('550 5.6.0 The header has too many fields')
  })
})

describe('what is written', () => {
  it.each([
    'No) smtp.mailfrom=x; dmarc=pass (',
    '=?utf-8?q?=0D=0ADmarc:_pass?=',
    '\\',
  ])('means nothing that comes from others: %s', async (why) => {
    const dns: FakeZone = { ...zone, 'evil.test': { TXT: 'v=spf1 -all exp=why.evil.test' }, 'why.evil.test': { TXT: why } }
    const { header } = await send({ policy: 'none' }, { dns, from: '"a;dmarc=pass"@evil.test', content: MESSAGE })
    const [results = ''] = resultsOf(header)
    expect(results).toMatch(/^Authentication-Results: mx\.test; spf=fail \((?:[^()\\]|\\.)*\) smtp\.mailfrom=evil\.test; /)
    expect(results.replace(/\((?:[^()\\]|\\.)*\)/g, '').match(/; dmarc=\w+/g)).toEqual(['; dmarc=fail'])
  })

  it('means nothing that a signature says of itself', async () => {
    const field = 'DKIM-Signature: v=1; a=rsa-sha256; d=x"(;dmarc=pass; s=a\\"\u00e4=?utf-8?q?x?=; h=from; bh=x; b=)=?\r\n'
    const { header } = await send({ policy: 'none' }, { content: field + MESSAGE, from: 'x@evil.test' })
    const [results = ''] = resultsOf(header)
    expect(results).toMatch(/^[ -~]*$/)
    expect(results.replace(/"(?:[^"\\]|\\.)*"/g, '').match(/; dmarc=\w+/g)).toEqual(['; dmarc=fail'])
  })

  it('has Received-SPF on request', async () => {
    const { header } = await send({ receivedSpf: true })
    expect(header.split('\r\n')[1]).toBe(
      'Received-SPF: pass (domain of alice@example.org designates 203.0.113.9 as permitted sender) identity=mailfrom; ' +
        'client-ip=203.0.113.9; helo=mail.example.org; envelope-from="alice@example.org"; receiver=mx.test',
    )
  })
})

describe('a DNS that never answers', () => {
  it('costs twenty seconds at MAIL and sixty for the message, and is no pass', async () => {
    const names = ['example.org', 'mail.example.org', '203.0.113.9', 's._domainkey.example.org', '_dmarc.example.org']
    const never: FakeZone = Object.fromEntries(names.map((name) => [name, 'TIMEOUT']))
    const { w, found, reply } = await send(undefined, { dns: never })
    expect(reply).toMatch(/^250/)
    expect(found).toMatchObject({
      spf: { result: 'temperror' }, dkim: [{ result: 'temperror' }], dmarc: { result: 'temperror', disposition: 'none' },
      iprev: { result: 'temperror' },
    })
    expect(w.clock.ticks()).toBeLessThanOrEqual(80_000)
  })

  it('keeps no other connection waiting', async () => {
    const w = world({ dns: { 'slow.test': 'TIMEOUT' }, server: { policies: [authentication()], connections: false } })
    const waiting = w.connect('203.0.113.9').send({ from: 'x@slow.test', to: 'b@mx.test' })
    const { accepted } = await w.connect('203.0.113.10').send({ from: 'x@quick.test', to: 'b@mx.test' })
    expect([accepted, w.clock.ticks()]).toEqual([true, 0])
    await w.clock.until(waiting)
  })
})

function bOf(message: string): string {
  const b = message.slice(message.indexOf('; b=') + 4, message.indexOf('; b=') + 12)
  return /^[^/=]*$/.test(b) ? b : `"${b}"`
}
