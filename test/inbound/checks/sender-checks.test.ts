import { describe, expect, it } from 'vitest'
import {
  helo, type MailError, nullSender, observeOnly, type Policy, recipientLimit, reverseDns, senderDomainExists, sizeLimit,
} from '../../../src/index.ts'
import { type FakeZone, policyContract, type TestMail, world, type World } from '../../../src/testing/index.ts'

interface Sending extends Partial<TestMail> {
  readonly address?: string
  readonly name?: string
  readonly login?: string
}

const made = (policy: Policy, dns: FakeZone = {}): World => world({
  server: {
    policies: [policy], connections: false, authenticate: ({ username }) => ({ account: username }), plaintextAuth: true,
  },
  dns,
})

/** All replies to the recipients and the content, and what was noted. */
async function sent(w: World, sending: Sending): Promise<readonly unknown[]> {
  const { address = '203.0.113.9', name = 'mail.a.test', login, ...mail } = sending
  const client = w.connect(address, { name })
  if (login !== undefined) await client.login(login, 'pw')
  const before = w.delivered.length
  const { recipients } = await w.clock.until(client.send({ from: 'bob@a.test', to: 'alice@mx.test', ...mail }))
  const notes = w.delivered[before]?.notes ?? []
  const noted = notes.flatMap((note): readonly unknown[] => {
    if (note.kind === 'score') return [note.score]
    if (note.kind === 'quarantine') return [`quarantine: ${note.why}`]
    return note.kind === 'tag' ? [note.tag] : []
  })
  return [...recipients.map(({ reply }) => (reply.startsWith('250') ? 'ok' : reply)), ...noted]
}

type Case = readonly [what: string, options: object, sending: Sending, ...said: unknown[]]

/** A check for each case. */
function table(
  cases: readonly Case[],
  name: string,
  run: (options: never, sending: Sending, said: readonly unknown[]) => Promise<void>,
): void {
  const rows = cases.map(([what, options, sending, ...said]) => [what, options, sending, said] as const)
  it.each(rows)(name, (_, options, sending, said) => run(options as never, sending, said))
}

describe('reverseDns', () => {
  const dns: FakeZone = {
    '203.0.113.9': { PTR: ['other.a.test', 'mail.a.test'] },
    'mail.a.test': { A: '203.0.113.9', AAAA: '2001:db8::9' },
    '2001:db8::9': { PTR: 'mail.a.test' },
    '203.0.113.10': { PTR: 'liar.test' },
    'liar.test': { A: '198.51.100.1' },
    '203.0.113.11': 'SERVFAIL',
    '203.0.113.12': { PTR: 'slow.test' },
    'slow.test': 'TIMEOUT',
    '203.0.113.14': { PTR: Array.from({ length: 200 }, (_, at) => `h${at}.many.test`) },
    'h199.many.test': { A: '203.0.113.14' },
  }
  const missing = '550 5.7.25 Your address has no name in the DNS'
  table([
    ['whose name leads back', {}, {}, 'ok'],
    ['of IPv6 whose name leads back', { unconfirmed: 'reject' }, { address: '2001:DB8:0::9' }, 'ok'],
    ['without a name', {}, { address: '203.0.113.99' }, missing],
    ['without a name', { missing: 'defer' }, { address: '203.0.113.99' }, '450 4.7.25 Your address has no name in the DNS'],
    ['without a name', { missing: 2.5 }, { address: '203.0.113.99' }, 'ok', 2.5],
    ['without a name', { missing: 'quarantine' }, { address: '203.0.113.99' },
      'ok', 'quarantine: Your address has no name in the DNS'],
    ['without a name, logged in', {}, { address: '203.0.113.99', login: 'alice' }, 'ok'],
    ['whose name leads elsewhere', {}, { address: '203.0.113.10' }, 'ok'],
    ['whose name leads elsewhere', { unconfirmed: 'reject' }, { address: '203.0.113.10' },
      '550 5.7.25 The name of your address does not lead back to it'],
    ['with 200 names', { unconfirmed: 'reject' }, { address: '203.0.113.14' },
      '550 5.7.25 The name of your address does not lead back to it'],
    ['of whom the DNS does not say', { unconfirmed: 'reject' }, { address: '203.0.113.11' }, 'ok'],
    ['of whom the DNS does not say', { unknown: 'defer' }, { address: '203.0.113.11' },
      '450 4.7.25 The name of your address cannot be looked up'],
    ['of whom it does not say in time', { unknown: 1, timeout: 100 }, { address: '203.0.113.12' }, 'ok', 1],
  ], 'a client %s, %j', async (options, sending, said) => {
    const w = made(reverseDns(options), dns)
    expect(await sent(w, sending)).toEqual(said)
    expect(w.dns.asked.length).toBeLessThanOrEqual(11)
  })
})

describe('helo', () => {
  const dns: FakeZone = {
    'mail.a.test': { A: '203.0.113.9' },
    'mx-only.test': { MX: '10 mail.a.test' },
    'broken.test': 'SERVFAIL',
    'slow.test': 'TIMEOUT',
  }
  const unknown = '550 5.7.1 The name in your greeting does not exist'
  const mismatch = '550 5.7.1 The name in your greeting is not that of your address'
  table([
    ['its own', { mismatch: 'reject' }, { name: 'MAIL.a.test' }, 'ok'],
    ['that of another', {}, { address: '203.0.113.10' }, 'ok'],
    ['that of another', { mismatch: 'reject' }, { address: '203.0.113.10' }, mismatch],
    ['that of another', { mismatch: 1 }, { address: '203.0.113.10' }, 'ok', 1],
    ['that of a domain without addresses', {}, { name: 'mx-only.test' }, 'ok'],
    ['that of nobody', {}, { name: 'nowhere.test' }, unknown],
    ['that of nobody', { unknown: 'defer' }, { name: 'nowhere.test' }, '450 4.7.1 The name in your greeting does not exist'],
    ['that of nobody, with an account', {}, { name: 'nowhere.test', login: 'alice' }, 'ok'],
    ['one of which the DNS does not say', { mismatch: 'reject' }, { name: 'broken.test' }, 'ok'],
    ['one of which it does not say in time', { timeout: 10 }, { name: 'slow.test' }, 'ok'],
    ['a bare word', {}, { name: 'localhost' }, 'ok'],
    ['a literal', {}, { name: '[203.0.113.9]' }, 'ok'],
  ], 'a client that says %s, %j', async (options, sending, said) => {
    expect(await sent(made(helo(options), dns), sending)).toEqual(said)
  })
})

describe('senderDomainExists', () => {
  const dns: FakeZone = {
    'mx.test': { MX: '10 mail.a.test' },
    'a.test': { A: '203.0.113.9' },
    'six.test': { AAAA: '2001:db8::9' },
    'null.test': { MX: '0 .' },
    'half.test': { MX: ['0 .', '10 mail.a.test'] },
    'txt.test': { TXT: 'x' },
    'broken.test': 'SERVFAIL',
    'half-broken.test': { AAAA: 'SERVFAIL' },
    'slow.test': 'TIMEOUT',
    'xn--bcher-kva.test': { A: '203.0.113.9' },
  }
  const missing = '550 5.1.8 The domain of the sender does not exist'
  const failing = '451 4.4.3 The domain of the sender cannot be looked up'
  const from = (domain: string, more: object = {}): Sending => ({ from: `x@${domain}`, ...more })
  table([
    ['with MX', {}, from('mx.test'), 'ok'],
    ['with an address', {}, from('A.test'), 'ok'],
    ['with an IPv6 address', {}, from('six.test'), 'ok'],
    ['in letters that are not ASCII', {}, from('b\u00fccher.test', { parameters: 'SMTPUTF8' }), 'ok'],
    ['that takes no mail', {}, from('null.test'), '550 5.7.27 The domain of the sender takes no mail'],
    ['that takes no mail', { nullMx: 3 }, from('null.test'), 'ok', 3],
    ['that says two things', {}, from('half.test'), 'ok'],
    ['that is none', {}, from('nowhere.test'), missing],
    ['that has neither', {}, from('txt.test'), missing],
    ['that is none, logged in', {}, from('nowhere.test', { login: 'alice' }), 'ok'],
    ['of which the DNS does not say', {}, from('broken.test'), failing],
    ['of which the DNS does not say all', {}, from('half-broken.test'), failing],
    ['of which the DNS does not say', { failing: 'pass' }, from('broken.test'), 'ok'],
    ['of which it does not say in time', { timeout: 50 }, from('slow.test'), failing],
    ['that is a literal', {}, from('[203.0.113.9]'), 'ok'],
    ['that is not there', {}, { from: null }, 'ok'],
  ], 'a sender at a domain %s, %j', async (options, sending, said) => {
    expect(await sent(made(senderDomainExists(options), dns), sending)).toEqual(said)
  })
})

describe('nullSender', () => {
  const to = ['a@mx.test', 'b@mx.test']
  const one = '452 4.5.3 One recipient at a time for the null sender'
  table([
    ['one recipient', {}, { from: null }, 'ok'],
    ['two', {}, { from: null, to }, 'ok', one],
    ['two from somebody', {}, { to }, 'ok', 'ok'],
    ['a log-in', {}, { from: null, login: 'alice' }, '550 5.7.1 Messages from people need a sender'],
    ['a log-in that may', { refuseLogins: false }, { from: null, login: 'alice', to }, 'ok', one],
  ], '%s, %j', async (options, sending, said) => {
    expect(await sent(made(nullSender(options)), sending)).toEqual(said)
  })
})

describe('recipientLimit', () => {
  const to = ['a@mx.test', 'b@mx.test', 'c@mx.test']
  const many = '452 4.5.3 Too many recipients, send another message'
  table([
    ['as many as may be', { most: 3 }, { to }, 'ok', 'ok', 'ok'],
    ['more', { most: 2 }, { to }, 'ok', 'ok', many],
    ['by who sends', { most: ({ connection }: { connection: { account?: string } }) => (connection.account ? 1 : undefined) },
      { to, login: 'alice' }, 'ok', many, many],
    ['without a limit', { most: () => undefined }, { to }, 'ok', 'ok', 'ok'],
  ], '%s', async (options, sending, said) => {
    expect(await sent(made(recipientLimit(options)), sending)).toEqual(said)
  })
})

describe('sizeLimit', () => {
  const large = '552 5.3.4 Message too large'
  const content = (octets: number): string => `Subject: x\r\n\r\n${'x'.repeat(octets - 16)}\r\n`
  table([
    ['as large as may be', { most: 1000 }, { content: content(1000), parameters: 'SIZE=1000' }, 'ok'],
    ['one octet more', { most: 1000 }, { content: content(1001) }, large],
    ['announced as one octet more', { most: 1000 }, { parameters: 'SIZE=1001' }, large],
    ['without a limit', { most: () => undefined }, { content: content(100_000) }, 'ok'],
  ], '%s', async (options, sending, said) => {
    expect(await sent(made(sizeLimit(options)), sending)).toEqual(said)
  })
})

describe('observeOnly', () => {
  it.each<readonly [string, Policy, Sending, string]>([
    ['reverseDns', reverseDns(), {}, 'would reject: 550 5.7.25 Your address has no name in the DNS'],
    ['helo', helo(), {}, 'would reject: 550 5.7.1 The name in your greeting does not exist'],
    ['senderDomainExists', senderDomainExists(), {}, 'would reject: 550 5.1.8 The domain of the sender does not exist'],
    ['sizeLimit', sizeLimit({ most: 1 }), {}, 'would reject: 552 5.3.4 Message too large'],
  ])('says what %s would have done', async (_, policy, sending, said) => {
    expect(await sent(made(observeOnly(policy)), sending)).toEqual(['ok', said])
  })
})

it.each<readonly [string, () => Policy]>([
  ['reverseDns', () => reverseDns({ missing: 'accept' as never })],
  ['reverseDns', () => reverseDns({ unknown: 'reject' as never })],
  ['helo', () => helo({ unkown: 'reject' } as never)],
  ['senderDomainExists', () => senderDomainExists({ failing: 'reject' as never })],
  ['nullSender', () => nullSender({ refuseLogins: 1 as never })],
  ['recipientLimit', () => recipientLimit({ most: 0 })],
  ['sizeLimit', () => sizeLimit({} as never)],
])('%s refuses options that are none', (_, make) => {
  expect(make).toThrow(expect.objectContaining<Partial<MailError>>({ code: 'config' }))
})

describe.each<readonly [string, () => Policy]>([
  ['reverseDns', () => reverseDns({ unconfirmed: 'defer', unknown: 1 })],
  ['helo', () => helo({ mismatch: 1 })],
  ['senderDomainExists', () => senderDomainExists()],
  ['nullSender', () => nullSender()],
  ['recipientLimit', () => recipientLimit({ most: 1 })],
  ['sizeLimit', () => sizeLimit({ most: 500 })],
])('%s keeps the contract', (_, open) => policyContract({ describe, it, open, skipped: () => undefined }))
