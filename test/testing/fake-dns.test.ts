import { describe, expect, it } from 'vitest'
import { fakeDns } from '../../src/testing/fake-dns.ts'
import { virtualClock } from '../../src/testing/virtual-clock.ts'

const dns = fakeDns({
  'sender.test': { MX: ['10 mail.sender.test', '20 Backup.Sender.Test.'], TXT: 'v=spf1 mx -all', ttl: 60, authenticated: true },
  'mail.sender.test': { A: '203.0.113.9', AAAA: ['2001:DB8::9'] },
  'null.test': { MX: '0 .' },
  'www.sender.test': { CNAME: 'web.sender.test' },
  'web.sender.test': { CNAME: 'mail.sender.test', ttl: 5 },
  'lost.test': { CNAME: 'nowhere.test' },
  'round.test': { CNAME: 'and.round.test' },
  'and.round.test': { CNAME: 'round.test' },
  '_25._tcp.mail.sender.test': { TLSA: '3 1 1 0D6f' },
  '203.0.113.9': { PTR: 'mail.sender.test' },
  '2001:db8::9': { PTR: 'mail.sender.test' },
  'broken.test': 'SERVFAIL',
  'slow.test': 'TIMEOUT',
  'gone.test': 'NXDOMAIN',
  'half.test': { A: '192.0.2.1', MX: 'SERVFAIL', TXT: 'NXDOMAIN' },
  'deep.below.empty.test': { A: '192.0.2.1' },
})

describe('fakeDns', () => {
  it.each([
    [
      'sender.test',
      'MX',
      [
        { preference: 10, exchange: 'mail.sender.test' },
        { preference: 20, exchange: 'backup.sender.test' },
      ],
    ],
    ['SENDER.test.', 'TXT', ['v=spf1 mx -all']],
    ['mail.sender.test', 'A', ['203.0.113.9']],
    ['mail.sender.test', 'AAAA', ['2001:db8::9']],
    ['null.test', 'MX', [{ preference: 0, exchange: '' }]],
    ['_25._tcp.mail.sender.test', 'TLSA', [{ usage: 3, selector: 1, matching: 1, data: Uint8Array.of(0x0d, 0x6f) }]],
    ['9.113.0.203.in-addr.arpa', 'PTR', ['mail.sender.test']],
    ['9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa', 'PTR', ['mail.sender.test']],
    ['www.sender.test', 'CNAME', ['web.sender.test']],
    ['mail.sender.test', 'TXT', []],
    ['below.empty.test', 'A', []],
  ] as const)('%s %s', async (name, type, records) => {
    const answer = await dns.resolve(name, type)
    expect(answer.records).toEqual(records)
    expect(answer.exists).toBe(true)
  })

  it.each([
    ['nowhere.test', 'A'],
    ['lost.test', 'A'],
    ['gone.test', 'MX'],
    ['half.test', 'TXT'],
    ['__proto__', 'A'],
    ['constructor', 'MX'],
  ] as const)('%s %s does not exist', async (name, type) => {
    expect(await dns.resolve(name, type)).toMatchObject({ records: [], exists: false })
  })

  it('tells how long an answer holds, where the aliases led, and whether it was validated', async () => {
    expect(await dns.resolve('sender.test', 'MX')).toMatchObject({ ttl: 60, name: 'sender.test', authenticated: true })
    expect(await dns.resolve('www.sender.test', 'A')).toMatchObject({
      ttl: 5,
      name: 'mail.sender.test',
      authenticated: false,
      records: ['203.0.113.9'],
    })
  })

  it.each([
    ['broken.test', 'A', /SERVFAIL/],
    ['half.test', 'MX', /SERVFAIL/],
    ['round.test', 'A', /aliases/],
    ['slow.test', 'A', /no answer in time/],
  ] as const)('%s %s fails for now', async (name, type, why) => {
    await expect(dns.resolve(name, type)).rejects.toMatchObject({ code: 'temporary', message: expect.stringMatching(why) })
  })

  it('takes its time to time out where there is a clock', async () => {
    const clock = virtualClock()
    const slow = fakeDns({ 'slow.test': 'TIMEOUT' }, { clock, timeout: 2000 })
    const settled: number[] = []
    const asked = slow.resolve('slow.test', 'A').catch(() => settled.push(clock.ticks()))
    await clock.advance(5000)
    await asked
    expect(settled).toEqual([2000])
  })

  it('gives up when nobody wants to know any more', async () => {
    const clock = virtualClock()
    const slow = fakeDns({ 'slow.test': 'TIMEOUT' }, { clock })
    const controller = new AbortController()
    const asked = slow.resolve('slow.test', 'A', controller.signal)
    controller.abort()
    await expect(asked).rejects.toThrow(expect.objectContaining({ code: 'temporary' }))
    await expect(slow.resolve('slow.test', 'A', controller.signal)).rejects.toThrow(/no answer/)
    await clock.advance(0)
    expect(clock.pending).toBe(0)
  })

  it('remembers what was asked, and can be told anew', async () => {
    const zone = fakeDns()
    expect((await zone.resolve('a.test', 'A')).exists).toBe(false)
    zone.set('a.test', { A: '192.0.2.7' })
    expect((await zone.resolve('a.test', 'A')).records).toEqual(['192.0.2.7'])
    zone.set('a.test', undefined)
    expect((await zone.resolve('A.test', 'A')).exists).toBe(false)
    expect(zone.asked).toEqual([
      { name: 'a.test', type: 'A' },
      { name: 'a.test', type: 'A' },
      { name: 'A.test', type: 'A' },
    ])
  })

  it.each([{ MX: 'mail.sender.test' }, { MX: 'x mail' }, { TLSA: '3 1 1' }])('says what is wrong about %o', async (records) => {
    const zone = fakeDns({ 'a.test': records })
    await expect(zone.resolve('a.test', 'MX' in records ? 'MX' : 'TLSA')).rejects.toMatchObject({ code: 'misuse' })
  })
})
