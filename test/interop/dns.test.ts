import { beforeAll, expect, it } from 'vitest'
import { nodeResolver } from '../../src/adapters/node/index.ts'
import type { DnsRecordType, Resolver } from '../../src/contracts/index.ts'
import { holding } from './held.ts'
import { describeWith } from './programs.ts'
import { UNBOUND, unbound } from './unbound.ts'

const held = holding()
const LONG = 'x'.repeat(700)
const strings = (text: string): string => (text.match(/.{1,255}/g) ?? []).map((part) => `"${part}"`).join(' ')

const plain = `
@     IN MX 10 mail
@     IN MX 20 mail.signed.example.
@     IN TXT "v=spf1 mx -all"
long  IN TXT ${strings(LONG)}
${Array.from({ length: 30 }, (_, at) => `crowd IN TXT "${at} ${'y'.repeat(200)}"\n`).join('')}
mail  IN A 192.0.2.1
mail  IN AAAA 2001:db8::1
null  IN MX 0 .
www   IN CNAME alias
alias IN CNAME mail
away  IN CNAME host.signed.example.
lost  IN CNAME nowhere
round IN CNAME circle
circle IN CNAME round
a.b.c IN A 192.0.2.2
`

const signed = `
@     IN MX 10 host
host  IN A 192.0.2.3
_25._tcp.host IN TLSA 3 1 1 ${'ab'.repeat(32)}
away  IN CNAME mail.plain.example.
here  IN CNAME host
`

describeWith(UNBOUND, 'nodeResolver asks Unbound', () => {
  let resolver: Resolver
  beforeAll(async () => {
    const server = await unbound(held, [
      { name: 'plain.example', records: plain },
      { name: 'signed.example', records: signed, signed: true },
    ])
    const opened = nodeResolver({ servers: [server], validating: true, hosts: false, timeout: 10_000 })
    held.later(() => opened.close())
    resolver = opened
  })

  const found = (records: readonly unknown[], more: object = {}): object =>
    ({ records, exists: true, authenticated: false, ...more })

  it.each<readonly [string, DnsRecordType, object]>([
    ['mail.plain.example', 'A', found(['192.0.2.1'], { ttl: 300 })],
    ['MAIL.plain.example', 'AAAA', found(['2001:db8::1'])],
    ['long.plain.example', 'TXT', found([LONG])],
    ['null.plain.example', 'MX', found([{ preference: 0, exchange: '' }])],
    ['www.plain.example', 'A', found(['192.0.2.1'], { name: 'mail.plain.example' })],
    ['www.plain.example', 'CNAME', found(['alias.plain.example'], { name: 'www.plain.example' })],
    ['www.plain.example', 'MX', found([], { name: 'mail.plain.example', ttl: 60 })],
    ['mail.plain.example', 'TXT', found([], { ttl: 60 })],
    ['b.c.plain.example', 'A', found([])],
    ['nowhere.plain.example', 'A', found([], { exists: false, ttl: 60 })],
    ['lost.plain.example', 'A', found([], { exists: false, name: 'nowhere.plain.example' })],
    ['host.signed.example', 'A', found(['192.0.2.3'], { authenticated: true })],
    ['signed.example', 'MX', found([{ preference: 10, exchange: 'host.signed.example' }], { authenticated: true })],
    ['_25._tcp.host.signed.example', 'TLSA', found(
      [{ usage: 3, selector: 1, matching: 1, data: new Uint8Array(32).fill(0xab) }],
      { authenticated: true },
    )],
    ['_26._tcp.host.signed.example', 'TLSA', found([], { exists: false, authenticated: true })],
    ['here.signed.example', 'A', found(['192.0.2.3'], { authenticated: true })],
    // One half of the way is signed.
    ['away.signed.example', 'A', found(['192.0.2.1'])],
    ['away.plain.example', 'A', found(['192.0.2.3'])],
  ])('%s %s', async (name, type, answer) => {
    expect(await resolver.resolve(name, type)).toMatchObject(answer)
  })

  it('by TCP where UDP has no room', async () => {
    expect((await resolver.resolve('crowd.plain.example', 'TXT')).records).toHaveLength(30)
  })

  it('and is told of circles', async () => {
    await expect(resolver.resolve('round.plain.example', 'A')).rejects.toMatchObject({ code: 'temporary' })
  })

  it('for all at once', async () => {
    const names = Array.from({ length: 400 }, (_, at) => `x${at}.plain.example`)
    const answers = await Promise.all(names.map((name) => resolver.resolve(name, 'A')))
    expect(answers.filter(({ exists }) => exists)).toEqual([])
  })

  it('and believes nothing that is signed wrongly', async () => {
    const tampered = ['192.0.2.4', '192.0.2.66'] as const
    const zone = { name: 'bad.example', records: 'host IN A 192.0.2.4\n', signed: true, instead: tampered }
    const server = await unbound(held, [zone])
    const other = nodeResolver({ servers: [server], validating: true, hosts: false, tries: 1, timeout: 10_000 })
    held.later(() => other.close())
    await expect(other.resolve('host.bad.example', 'A')).rejects.toMatchObject({ code: 'temporary' })
  })
})
