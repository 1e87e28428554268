import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { mailauthAuthenticator } from '../../../src/adapters/mailauth/index.ts'
import { loadVerifying } from '../../../src/adapters/mailauth/package.ts'
import type { SpfSubject } from '../../../src/contracts/authenticator.ts'
import type { Resolver } from '../../../src/contracts/resolver.ts'
import { fakeDns, type FakeZone } from '../../../src/testing/fake-dns.ts'
import { received } from './messages.ts'

const authenticator = mailauthAuthenticator()
const subject: SpfSubject = {
  address: '203.0.113.9', helo: 'mail.example.org', sender: 'a@example.org', hostname: 'mx.test', now: 0,
}
const allowed = 'v=spf1 ip4:203.0.113.9 -all'
const spfOf = async (zone: FakeZone, change: Partial<SpfSubject> = {}) => {
  const resolver = fakeDns(zone)
  const found = await authenticator.spf({ ...subject, ...change }, { resolver, signal: new AbortController().signal })
  return { ...found, asked: resolver.asked.length }
}
const records = (count: number, text: (at: number) => string): FakeZone =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`n${at}.test`, { TXT: text(at) }]))

const includes = Array.from({ length: 11 }, (_, at) => `include:n${at}.test`).join(' ')

describe('SPF', () => {
  it.each<[string, FakeZone, Partial<SpfSubject>, object]>([
    ['passes', { 'example.org': { TXT: allowed } }, {},
      { result: 'pass', identity: 'mailfrom', domain: 'example.org' }],
    ['of the name in EHLO', { 'mail.example.org': { TXT: allowed } }, { sender: '' },
      { result: 'pass', identity: 'helo', domain: 'mail.example.org' }],
    ['of an IPv6 client', { 'example.org': { TXT: 'v=spf1 ip6:2001:db8::/32 -all' } }, { address: '2001:db8::9' },
      { result: 'pass' }],
    ['of a mapped address', { 'example.org': { TXT: allowed } }, { address: '::ffff:203.0.113.9' }, { result: 'pass' }],
    ['of a domain in U-labels', { 'xn--bcher-kva.example': { TXT: allowed } }, { sender: 'a@B\u00fccher.example' },
      { result: 'pass', domain: 'xn--bcher-kva.example' }],
    ['of nobody', {}, {}, { result: 'none' }],
    ['of an address literal', {}, { sender: '', helo: '[203.0.113.9]' }, { result: 'none' }],
    ['with an explanation',
      { 'example.org': { TXT: 'v=spf1 -all exp=why.example.org' }, 'why.example.org': { TXT: 'Not %{i}' } }, {},
      { result: 'fail', why: 'Not 203.0.113.9' }],
    ['of a DNS that fails', { 'example.org': 'SERVFAIL' }, {}, { result: 'temperror' }],
    ['of a DNS that fails further on', { 'example.org': { TXT: 'v=spf1 include:x.test -all' }, 'x.test': 'TIMEOUT' }, {},
      { result: 'temperror' }],
  ])('%s', async (_, zone, change, found) => {
    expect(await spfOf(zone, change)).toMatchObject(found)
  })

  it.each<[string, FakeZone, number]>([
    ['a record that includes itself', { 'example.org': { TXT: 'v=spf1 include:example.org -all' } }, 1],
    ['a circle of redirects',
      { 'example.org': { TXT: 'v=spf1 redirect=n0.test' }, 'n0.test': { TXT: 'v=spf1 redirect=example.org' } }, 2],
    ['a bomb',
      { 'example.org': { TXT: 'v=spf1 include:n0.test -all' }, ...records(99, (at) => `v=spf1 include:n${at + 1}.test`) }, 11],
    ['eleven terms', { 'example.org': { TXT: `v=spf1 ${includes} -all` }, ...records(11, () => 'v=spf1 ?all') }, 11],
    ['three that find nothing', { 'example.org': { TXT: 'v=spf1 a:x.test a:y.test a:z.test -all' } }, 4],
  ])('stops: %s', async (_, zone, most) => {
    const { result, asked } = await spfOf(zone)
    expect(result).toBe('permerror')
    expect(asked).toBeLessThanOrEqual(most)
  })
})

describe('a question that is withdrawn', () => {
  it.each(['spf', 'message'] as const)('is over: %s', async (which) => {
    const ended = new AbortController()
    // Answers when nobody wants to know any more.
    const resolver: Resolver = {
      resolve: (name, _, signal) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(new Error(`${name}: given up`)), { once: true })
          ended.abort()
        }),
    }
    const by = { resolver, signal: ended.signal }
    const what = { spf: undefined, dkim: true, dmarc: true, arc: true, bimi: true }
    const message = received('From: a@example.org\r\n\r\n')
    const asked = which === 'spf' ? authenticator.spf(subject, by) : authenticator.message(message, what, by)
    await expect(asked).rejects.toMatchObject({ code: 'closed' })
  })

  it('fails as reading the message does', async () => {
    const broken = received('')
    const message = { ...broken, raw: async function* () { throw new Error('no disk') } }
    const by = { resolver: fakeDns(), signal: new AbortController().signal }
    await expect(authenticator.message(message as never, { spf: undefined, dkim: true, dmarc: true, arc: true, bimi: false }, by))
      .rejects.toThrow('no disk')
  })
})

describe('mailauth', () => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-mailauth-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const placeIn = (name: string): string => pathToFileURL(join(folder, name, 'package.json')).href

  it('that is not there is named, with the command that installs it', () => {
    expect(() => loadVerifying([placeIn('none')])).toThrow(
      expect.objectContaining({
        code: 'unavailable', message: 'authentication needs mailauth, which is not installed: npm install mailauth',
      }),
    )
  })

  it('that is too old is refused: it passes mail that should fail', () => {
    mkdirSync(join(folder, 'old/node_modules/mailauth'), { recursive: true })
    writeFileSync(join(folder, 'old/node_modules/mailauth/package.json'), JSON.stringify({ name: 'mailauth', version: '4.8.2' }))
    const refused = expect.objectContaining({ code: 'config', message: expect.stringContaining('mailauth 4.8.2') })
    expect(() => loadVerifying([placeIn('old')])).toThrow(refused)
  })

  it('that is another inside is refused', () => {
    const at = join(folder, 'new/node_modules/mailauth')
    mkdirSync(at, { recursive: true })
    writeFileSync(join(at, 'package.json'), JSON.stringify({ name: 'mailauth', version: '7.9.0' }))
    for (const module of ['spf/index', 'arc/index', 'dmarc/index', 'tools', 'dkim/dkim-verifier']) {
      const path = join(at, 'lib', `${module}.js`)
      mkdirSync(join(path, '..'), { recursive: true })
      writeFileSync(path, 'exports.DkimVerifier = class {}')
    }
    const refused = expect.objectContaining({ code: 'config', message: expect.stringContaining('another inside') })
    expect(() => loadVerifying([placeIn('new')])).toThrow(refused)
  })

  it('is loaded when it is asked whether it is there', () => {
    expect(() => authenticator.ready!()).not.toThrow()
  })
})
