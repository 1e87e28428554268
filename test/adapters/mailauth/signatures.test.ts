import { createHash, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CanonicalBody } from '../../../src/adapters/mailauth/canonical-body.ts'
import type { DkimFinding } from '../../../src/contracts/authentication.ts'
import { fakeDns, type FakeZone } from '../../../src/testing/fake-dns.ts'
import { look } from './looking.ts'
import { type Signing, signedWith } from './signer.ts'
import { keyOf, testKey } from './verifying.ts'

const rsa = testKey('rsa')
const ed = testKey('ed25519')
const zone: FakeZone = { 's._domainkey.example.org': { TXT: rsa.record }, 'e._domainkey.example.org': { TXT: ed.record } }
const HEAD = 'From: Alice <alice@example.org>\r\nTo: bob@example.net\r\nSubject: Hello\r\n\r\n'
const MESSAGE = `${HEAD}How are  you? \r\n\r\nBye\r\n\r\n`
const plain: Signing = { domain: 'example.org', pem: rsa.pem }

type Dns = Parameters<typeof look>[1]
async function dkimOf(message: string | Uint8Array, dns: Dns = zone, piece?: number): Promise<readonly DkimFinding[]> {
  return (await look(message, dns, { dmarc: false, arc: false, ...(piece === undefined ? {} : { piece }) })).dkim!
}

describe('the message of RFC 8463, appendix A', () => {
  const text = [
    'DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;',
    ' d=football.example.com; i=@football.example.com;',
    ' q=dns/txt; s=brisbane; t=1528637909; h=from : to :',
    ' subject : date : message-id : from : subject : date;',
    ' bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;',
    ' b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus',
    ' Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==',
    'DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;',
    ' d=football.example.com; i=@football.example.com;',
    ' q=dns/txt; s=test; t=1528637909; h=from : to : subject :',
    ' date : message-id : from : subject : date;',
    ' bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;',
    ' b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3',
    ' DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz',
    ' dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=',
    'From: Joe SixPack <joe@football.example.com>',
    'To: Suzie Q <suzie@shopping.example.net>',
    'Subject: Is dinner ready?',
    'Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)',
    'Message-ID: <20030712040037.46341.5F8J@football.example.com>',
    '', 'Hi.', '', 'We lost the game.  Are you hungry yet?', '', 'Joe.', '',
  ].join('\r\n')
  const rsaKey =
    'MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC' +
    'DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB'
  const keys: FakeZone = {
    'brisbane._domainkey.football.example.com': { TXT: 'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=' },
    'test._domainkey.football.example.com': { TXT: `v=DKIM1; k=rsa; p=${rsaKey}` },
  }

  it('passes with both signatures', async () => {
    expect(await dkimOf(text, keys)).toEqual([
      {
        result: 'pass', domain: 'football.example.com', selector: 'brisbane', algorithm: 'ed25519-sha256', signature: '/gCrinpc',
        bits: 256, covers: 'all', why: undefined,
      },
      {
        result: 'pass', domain: 'football.example.com', selector: 'test', algorithm: 'rsa-sha256', signature: 'F45dVWDf',
        bits: 1024, covers: 'all', why: undefined,
      },
    ])
  })

  it('fails when a word is another', async () => {
    const found = await dkimOf(text.replace('hungry', 'thirsty'), keys)
    expect(found.map(({ result }) => result)).toEqual(['fail', 'fail'])
  })
})

it('verifies the message of RFC 6376, appendix A', async () => {
  const text = [
    'DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;',
    '      c=simple/simple; q=dns/txt; i=joe@football.example.com;',
    '      h=Received : From : To : Subject : Date : Message-ID;',
    '      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;',
    '      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB',
    '      4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut',
    '      KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV',
    '      4bmp/YzhwvcubU4=;',
    'Received: from client1.football.example.com  [192.0.2.1]',
    '      by submitserver.example.com with SUBMISSION;',
    '      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)',
    'From: Joe SixPack <joe@football.example.com>',
    'To: Suzie Q <suzie@shopping.example.net>',
    'Subject: Is dinner ready?',
    'Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)',
    'Message-ID: <20030712040037.46341.5F8J@football.example.com>',
    '', 'Hi.', '', 'We lost the game. Are you hungry yet?', '', 'Joe.', '',
  ].join('\r\n')
  const key =
    'MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7' +
    'od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB'
  const found = await dkimOf(text, { 'brisbane._domainkey.example.com': { TXT: `v=DKIM1; p=${key}` } })
  expect(found).toMatchObject([{ result: 'pass', domain: 'example.com', selector: 'brisbane', bits: 1024 }])
})

describe('a signature', () => {
  const kinds = ['simple/simple', 'relaxed/relaxed', 'simple/relaxed', 'relaxed/simple'] as const
  it.each(kinds)('passes as %s', async (canonicalization) => {
    const text = signedWith(MESSAGE, { ...plain, canonicalization })
    for (const piece of [undefined, 1, 7]) {
      expect(await dkimOf(text, zone, piece)).toMatchObject([{ result: 'pass', covers: 'all' }])
    }
  })

  it('passes of a message whose lines have lost their CR', async () => {
    const text = signedWith(MESSAGE, { ...plain, canonicalization: 'simple/simple' })
    expect(await dkimOf(text.replaceAll('\r\n', '\n'))).toMatchObject([{ result: 'pass' }])
  })

  const other = 'p=MFswDQYJKoZIhvcNAQEBBQADSgAwRwJAeL'
  it.each<[string, Partial<Signing> | ((text: string) => string), FakeZone | undefined, string, string | undefined]>([
    ['of Ed25519', { selector: 'e', pem: ed.pem, algorithm: 'ed25519-sha256' }, undefined, 'pass', undefined],
    ['for a sub-domain of d=', { more: 'i=alice@mail.example.org' }, undefined, 'pass', undefined],
    ['for another domain than d=', { more: 'i=alice@example.com' }, undefined, 'neutral', 'domain mismatch'],
    ['for a domain that only ends like d=', { more: 'i=alice@evilexample.org' }, undefined, 'neutral', 'domain mismatch'],
    ['that has expired', { more: 't=1600000000; x=1700000000' }, undefined, 'neutral', 'expired'],
    ['that expires later', { more: 't=1600000000; x=1900000000' }, undefined, 'pass', undefined],
    ['that expires before it is made', { more: 't=1700000000; x=1600000000' }, undefined, 'neutral', 'invalid expiration'],
    ['that does not cover From', { fields: 'to:subject' }, undefined, 'neutral', 'From field not signed'],
    ['by SHA-1', { algorithm: 'rsa-sha1' }, undefined, 'policy', 'weak algorithm'],
    ['whose body is another', (text) => text.replace('Bye', 'By'), undefined, 'fail', 'body hash did not verify'],
    ['whose header is another', (text) => text.replace('Hello', 'Hullo'), undefined, 'fail', 'bad signature'],
    ['of another version', (text) => text.replace('v=1', 'v=2'), undefined, 'neutral', 'incompatible version'],
    ['that says the same twice', { more: 'd=example.com' }, undefined, 'neutral', 'signature syntax error'],
    ['without a key', {}, {}, 'neutral', 'no key'],
    ['whose key was withdrawn', {}, { 's._domainkey.example.org': { TXT: 'v=DKIM1; p=' } }, 'neutral', 'invalid public key'],
    ['whose key is nonsense', {}, { 's._domainkey.example.org': { TXT: `v=DKIM1; ${other}` } }, 'neutral', 'unknown key type'],
    ['whose key is not for mail', {}, { 's._domainkey.example.org': { TXT: `s=web; ${rsa.record.slice(9)}` } }, 'neutral',
      'key not for email'],
    ['whose key cannot be had', {}, { 's._domainkey.example.org': 'SERVFAIL' }, 'temperror', undefined],
    ['whose key does not come', {}, { 's._domainkey.example.org': 'TIMEOUT' }, 'temperror', undefined],
  ])('%s', async (_, change, keys, result, why) => {
    const text = signedWith(MESSAGE, typeof change === 'function' ? plain : { ...plain, ...change })
    const [found] = await dkimOf(typeof change === 'function' ? change(text) : text, keys ?? zone)
    expect(found!.result).toBe(result)
    if (result !== 'temperror') expect(found!.why).toBe(why)
  })

  it('of too short a key does not count', async () => {
    // Of 512 bits, which anybody can factor.
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 512 })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    const keys: FakeZone = { 's._domainkey.example.org': { TXT: keyOf(pem, 'rsa').record } }
    const [found] = await dkimOf(signedWith(MESSAGE, { ...plain, pem }), keys)
    expect(found).toMatchObject({ result: 'policy', why: 'weak-key' })
  })

  it.each([0, 5, 17])('covers a part where l= is %d, whatever comes behind', async (length) => {
    const text = signedWith(MESSAGE, { ...plain, canonicalization: 'simple/simple', length })
    expect(await dkimOf(`${text}Buy!\r\n`)).toMatchObject([{ result: 'pass', covers: 'part' }])
  })

  it('is told as a whole where there is none, or no sense in it', async () => {
    expect(await dkimOf(MESSAGE)).toEqual([])
    expect(await dkimOf(`DKIM-Signature: \r\n${MESSAGE}`)).toEqual([
      {
        result: 'neutral', domain: '', selector: '', algorithm: '', signature: '', bits: undefined, covers: 'all',
        why: 'unknown algorithm',
      },
    ])
  })
})

describe('what costs too much', () => {
  it('is not looked at: a thousand signatures are ten', async () => {
    const dns = fakeDns({})
    const one = signatureOf(plain)
    const many = Array.from({ length: 1000 }, (_, at) => `DKIM-Signature: ${one.replace('s=s;', `s=k${at};`)}`)
    const found = await dkimOf(`${many.join('\r\n')}\r\n${MESSAGE}`, dns)
    expect(found).toHaveLength(10)
    expect(dns.asked).toHaveLength(10)
  })

  it.each([
    ['a signature of a megabyte', `DKIM-Signature: ${signatureOf(plain)}; z=${'x'.repeat(1 << 20)}\r\n${MESSAGE}`],
    ['blanks that go on for long', `DKIM-Signature: ${signatureOf(plain)}; z=${' '.repeat(10_000)}x\r\n${MESSAGE}`],
    ['a hundred thousand folds', `DKIM-Signature: v=1;${'\r\n '.repeat(100_000)}${signatureOf(plain)}\r\n${MESSAGE}`],
    ['names without end', `DKIM-Signature: ${signatureOf(plain).replace('h=', `h=${'x:'.repeat(5000)}`)}\r\n${MESSAGE}`],
    ['a signed field of a megabyte', signedWith(`Cc: ${'a '.repeat(1 << 19)}\r\n${MESSAGE}`, { ...plain, fields: 'from:cc' })],
    ['more fields than are kept', `${'X: y\r\n'.repeat(20_001)}${signedWith(MESSAGE, plain)}`],
    ['a header without end', `DKIM-Signature: ${signatureOf(plain)}\r\n${'X: y\r\n'.repeat(400_000)}`],
  ])('%s is not verified', async (_, text) => {
    const found = await dkimOf(text)
    expect(found.every(({ result }) => result === 'neutral')).toBe(true)
  })

  it('is verified all the same: a hundred thousand lines in a field, signed', async () => {
    const text = `X-Long:${'\r\n x'.repeat(100_000)}\r\n${MESSAGE}`
    expect(await dkimOf(signedWith(text, { ...plain, fields: 'from:x-long' }), zone, 65536)).toMatchObject([{ result: 'pass' }])
  })

  it('is a body of one line, or of line ends alone', async () => {
    for (const body of ['x'.repeat(3_000_000), '\r\n'.repeat(1_000_000), ' \t'.repeat(500_000)]) {
      for (const canonicalization of ['simple/simple', 'relaxed/relaxed'] as const) {
        const text = signedWith(`${HEAD}${body}x\r\n`, { ...plain, canonicalization })
        expect(await dkimOf(text, zone, 65_536)).toMatchObject([{ result: 'pass' }])
      }
    }
  })
})

describe('the body as it is hashed', () => {
  const pieces = fc.array(fc.constantFrom('\r', '\n', '\r\n', ' ', '\t', 'a', 'bc', ' \r\n', '\r\r'), { maxLength: 30 })
  const hashOf = (kind: 'simple' | 'relaxed', chunks: readonly string[]): string => {
    const hash = createHash('sha256')
    const body = new CanonicalBody(kind, (bytes) => hash.update(bytes))
    for (const chunk of chunks) body.push(Buffer.from(chunk))
    body.end()
    return hash.digest('hex')
  }
  const expected = (kind: 'simple' | 'relaxed', text: string): string => {
    const lines = text.replace(/\r?\n/g, '\r\n')
    const blanks = kind === 'simple' ? lines : lines.replace(/[ \t]+/g, ' ').replaceAll(' \r\n', '\r\n')
    const end = (kind === 'relaxed' ? blanks.replace(/ $/, '') : blanks).replace(/(\r\n)*$/, '')
    return createHash('sha256').update(kind === 'relaxed' && end === '' ? '' : `${end}\r\n`).digest('hex')
  }

  it.each(['simple', 'relaxed'] as const)('is what RFC 6376 says, however it is cut: %s', (kind) => {
    fc.assert(
      fc.property(pieces, (chunks) => {
        expect(hashOf(kind, chunks)).toBe(expected(kind, chunks.join('')))
      }),
      { numRuns: 300 },
    )
  })
})

function signatureOf(signing: Signing): string {
  return signedWith(MESSAGE, signing).split('\r\n')[0]!.slice('DKIM-Signature: '.length)
}
