import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import type { ArcFinding } from '../../../src/contracts/authentication.ts'
import type { FakeZone } from '../../../src/testing/fake-dns.ts'
import { look } from './looking.ts'
import { testKey } from './verifying.ts'

interface Sealer {
  sealMessage(message: Buffer, seal: object): Promise<Buffer>
}
const { sealMessage } = createRequire(import.meta.url)('mailauth/lib/arc/index.js') as Sealer
const key = testKey('rsa')
const MESSAGE = Buffer.from('From: Alice <alice@example.org>\r\nTo: bob@example.net\r\nSubject: Hello\r\n\r\nHow are you?\r\n')
const zone: FakeZone = { 's._domainkey.one.test': { TXT: key.record }, 's._domainkey.two.test': { TXT: key.record } }

/** A message that somebody has passed on, and sealed. */
async function sealed(message: Buffer, signingDomain: string, results: string, cv: 'none' | 'pass' = 'none'): Promise<Buffer> {
  const seal = { signingDomain, selector: 's', privateKey: key.pem, authResults: `mx.${signingDomain}; ${results}`, cv }
  return Buffer.concat([await sealMessage(message, seal), message])
}

const arcOf = async (message: Buffer | string, dns: FakeZone = zone): Promise<ArcFinding> =>
  (await look(message, dns, { dkim: false, dmarc: false })).arc!

describe('a chain', () => {
  it('of nobody is none', async () => {
    expect(await arcOf(MESSAGE)).toEqual({ result: 'none', sealers: [], said: undefined, why: undefined })
  })

  it('tells who has sealed, and what the last one found', async () => {
    const first = await sealed(MESSAGE, 'one.test', 'dmarc=pass header.from=example.org')
    expect(await arcOf(first)).toMatchObject({ result: 'pass', sealers: ['one.test'], why: undefined })
    const { result, sealers, said } = await arcOf(await sealed(first, 'two.test', 'dmarc=fail header.from=example.org', 'pass'))
    expect({ result, sealers }).toEqual({ result: 'pass', sealers: ['one.test', 'two.test'] })
    expect(said).toMatch(/^i=2; mx\.two\.test; dmarc=fail/)
  })

  it('tells it of the last one in whatever order the fields stand, and whatever else they say', async () => {
    const first = await sealed(MESSAGE, 'one.test', 'dmarc=pass (i=2; mx.two.test; dmarc=pass) header.from=example.org')
    const second = await sealed(first, 'two.test', 'dmarc=fail header.from=example.org', 'pass')
    const [head = '', body = ''] = second.toString('latin1').split('\r\n\r\n')
    const fields = head.split(/\r\n(?![ \t])/)
    const earlier = fields.filter((field) => /^ARC-Auth[^;]*i=1;/s.test(field))
    expect(earlier).toHaveLength(1)
    const moved = `${[...earlier, ...fields.filter((field) => !earlier.includes(field))].join('\r\n')}\r\n\r\n${body}`
    const found = await arcOf(moved)
    expect(found.result).toBe('pass')
    expect(found.said).toMatch(/^i=2; mx\.two\.test; dmarc=fail/)
  })

  it.each<[string, (message: string) => string]>([
    ['the body is another', (text) => text.replace('How are you', 'Where are you')],
    ['the author is another', (text) => text.replace('From: Alice <alice', 'From: Alice <mallory')],
    ['what was found is another', (text) => text.replace('dmarc=fail', 'dmarc=pass')],
    ['a set is missing', (text) => text.replace(/ARC-Seal: i=1(?:.|\r\n[ \t])*\r\n/, '')],
    ['a set is there twice', (text) => `${/ARC-Seal: i=1(?:.|\r\n[ \t])*\r\n/.exec(text)![0]}${text}`],
    ['there are more fields than a chain has', (text) => `${'ARC-Seal: i=1; cv=none\r\n'.repeat(200)}${text}`],
  ])('is broken where %s', async (_, change) => {
    const first = await sealed(MESSAGE, 'one.test', 'dmarc=pass')
    const text = (await sealed(first, 'two.test', 'dmarc=fail', 'pass')).toString('latin1')
    const { result, why, said } = await arcOf(change(text))
    expect(change(text)).not.toBe(text)
    expect(result).toBe('fail')
    expect(why).toBeTypeOf('string')
    expect(said).toBeUndefined()
  })

  it('is broken where its keys cannot be had', async () => {
    const first = await sealed(MESSAGE, 'one.test', 'dmarc=pass')
    const failing: readonly FakeZone[] = [{}, { 's._domainkey.one.test': 'SERVFAIL' }]
    for (const dns of failing) expect((await arcOf(first, dns)).result).toBe('fail')
  })
})
