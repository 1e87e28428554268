import { describe, expect, it } from 'vitest'
import { arcSealer } from '../../../src/adapters/mailauth/index.ts'
import { look } from './looking.ts'
import { outgoing } from './messages.ts'
import { testKey } from './verifying.ts'

const [one, other] = [testKey('rsa'), testKey('ed25519')]
const zone = { 's._domainkey.one.test': { TXT: [one.record] }, 's._domainkey.other.test': { TXT: [other.record] } }
const now = (): number => Date.UTC(2026, 0, 1)

const sealerOf = (domain: 'one.test' | 'other.test', authservId = `mx.${domain}`) =>
  arcSealer({ key: { domain, selector: 's', key: (domain === 'one.test' ? one : other).pem }, authservId, now })

/** The message with a seal before it. */
async function sealed(text: string, domain: 'one.test' | 'other.test'): Promise<string> {
  const { seal } = await sealerOf(domain)
  return (await seal(outgoing(text))) + text
}

const RESULTS = 'Authentication-Results: mx.one.test; spf=pass smtp.mailfrom=a.test;\r\n' +
  '\tdkim=pass header.d=a.test; dmarc=pass; arc=none\r\n'
const MESSAGE = 'From: a@a.test\r\nTo: b@one.test\r\nSubject: Hello\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\n\r\n' +
  'How are you?\r\n'

describe('arcSealer', () => {
  it('seals what was found out, and whoever gets it can verify that', async () => {
    const text = await sealed(RESULTS + MESSAGE, 'one.test')
    expect(text.split('\r\n').filter((line) => line.startsWith('ARC-')).map((line) => line.split(':')[0])).toEqual([
      'ARC-Seal', 'ARC-Message-Signature', 'ARC-Authentication-Results',
    ])
    const { arc } = await look(text, zone)
    expect(arc).toMatchObject({ result: 'pass', sealers: ['one.test'] })
    expect(arc!.said!.replaceAll(/\s+/g, ' ')).toBe(
      'i=1; mx.one.test; spf=pass smtp.mailfrom=a.test; dkim=pass header.d=a.test; dmarc=pass; arc=none',
    )
  })

  it.each([
    ['Hello', 'Goodbye'], ['How are you?', 'Where are you?'], ['dmarc=pass', 'dmarc=fail'],
    ['i=1; mx.one.test', 'i=1; mx.evil.test'],
  ])('no longer verifies once %j has become %j', async (before, after) => {
    const text = (await sealed(RESULTS + MESSAGE, 'one.test')).replace(before, after).replace(before, after)
    expect((await look(text, zone)).arc!.result).toBe('fail')
  })

  it('goes on with a chain that was whole here', async () => {
    const first = await sealed(RESULTS + MESSAGE, 'one.test')
    const second = await sealed(`Authentication-Results: mx.other.test; arc=pass; dmarc=fail\r\n${first}`, 'other.test')
    expect((await look(second, zone)).arc).toMatchObject({ result: 'pass', sealers: ['one.test', 'other.test'] })
    // The first one's results may have been taken out meanwhile.
    expect((await look(second.replace(RESULTS, ''), zone)).arc).toMatchObject({ result: 'pass' })
  })

  it('says that a chain was broken here, and adds nothing to one that says so', async () => {
    const first = (await sealed(RESULTS + MESSAGE, 'one.test')).replace('How are', 'Where are')
    const second = await sealed(`Authentication-Results: mx.other.test; arc=fail\r\n${first}`, 'other.test')
    expect(second).toMatch(/ARC-Seal: i=2;[^:]*cv=fail/)
    expect((await look(second, zone)).arc).toMatchObject({ result: 'fail' })
    const third = `Authentication-Results: mx.one.test; arc=fail\r\n${second}`
    expect(await sealed(third, 'one.test')).toBe(third)
  })

  it.each([
    ['nothing was found out', MESSAGE],
    ['others have found out', RESULTS.replace('mx.one.test', 'mx.evil.test') + MESSAGE],
    ['the chain makes no sense', `${RESULTS}ARC-Seal: i=7; cv=pass\r\n${MESSAGE}`],
    ['the header is endless', `${RESULTS}X: ${'x'.repeat(1_100_000)}\r\n${MESSAGE}`],
    ['there is no author', RESULTS + MESSAGE.replace('From', 'X-From')],
  ])('seals nothing where %s', async (_, text) => {
    expect(await sealed(text, 'one.test')).toBe(text)
  })

  it.each([
    [{}, 'arcSealer: key is missing'],
    [{ key: { domain: 'a b', selector: 's', key: one.pem }, authservId: 'x' }, 'domain is "a b"'],
    [{ key: { domain: 'a.test', selector: 's', key: '/nowhere' }, authservId: 'x' }, '/nowhere cannot be read'],
  ])('refuses options that cannot be: %j', async (options, says) => {
    const message = expect.stringContaining(says) as string
    await expect(arcSealer(options as never)).rejects.toMatchObject({ code: 'config', message })
  })
})
