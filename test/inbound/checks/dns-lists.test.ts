import { describe, expect, it } from 'vitest'
import { dnsbl } from '../../../src/inbound/checks/dnsbl.ts'
import { dnswl } from '../../../src/inbound/checks/dnswl.ts'
import { inOrder, type Policy, reject } from '../../../src/index.ts'
import { type FakeZone, policyContract, world, type World } from '../../../src/testing/index.ts'

/** A list with its test entries, and what else is on it. */
const list = (zone: string, entries: Readonly<Record<string, string | readonly string[]>> = {}): FakeZone => ({
  [`2.0.0.127.${zone}`]: { A: '127.0.0.2' },
  [`test.${zone}`]: { A: '127.0.0.2' },
  ...Object.fromEntries(Object.entries(entries).map(([what, A]) => [`${what}.${zone}`, { A }])),
})

const made = (policy: Policy, dns: FakeZone): World => world({ server: { policies: [policy], connections: false }, dns })

interface Said {
  readonly reply: string
  readonly tags: readonly string[]
  readonly points: number
  readonly troubles: readonly string[]
}

interface Sending {
  readonly address?: string
  readonly name?: string
  readonly from?: string | null
  readonly content?: string
}

async function sent(w: World, sending: Sending = {}): Promise<Said> {
  const { address = '203.0.113.9', name = 'client.test', from = 'bob@b.test', content } = sending
  const before = w.delivered.length
  const client = w.connect(address, { name })
  const { reply } = await client.send({ from, to: 'alice@mx.test', ...(content === undefined ? {} : { content }) })
  await client.say('QUIT')
  const notes = w.delivered[before]?.notes ?? []
  const troubles = w.events.flatMap((event) =>
    event.kind === 'failed' ? [`${event.what}: ${(event.error as Error).message}`] : [])
  const points = notes.reduce((sum, note) => (note.kind === 'score' ? sum + note.score : sum), 0)
  return { reply, tags: notes.flatMap((note) => (note.kind === 'tag' ? [note.tag] : [])), points, troubles }
}

const ok = expect.stringMatching(/^250 /) as string

describe('dnsbl', () => {
  const codes = {
    '9.113.0.203': '127.0.0.2', '10.113.0.203': '127.0.0.4', '11.113.0.203': ['127.0.0.4', '127.0.0.7', '127.0.0.2'],
    '12.113.0.203': '127.0.0.9', '13.113.0.203': '127.0.1.24',
  }
  const zones = [{
    zone: 'bl.test',
    codes: { '127.0.0.2': 'reject', '127.0.0.3-5': 1.5, '127.0.0.7': 'quarantine', '127.0.1.&8': 'defer' },
  }] as const
  const reply = '550 5.7.1 Your address is listed by bl.test'

  it.each<readonly [what: string, address: string, said: Partial<Said>]>([
    ['who is on it', '203.0.113.9', { reply }],
    ['whose answer gives points', '203.0.113.10', { reply: ok, points: 1.5, tags: ['dnsbl:bl.test'] }],
    ['who has several answers, by the strongest', '203.0.113.11', { reply }],
    ['whose answer is not named', '203.0.113.12', { reply: ok, points: 0, tags: [] }],
    ['whose answer has a bit', '203.0.113.13', { reply: '450 4.7.1 Your address is listed by bl.test' }],
    ['who is not on it', '203.0.113.99', { reply: ok, points: 0, tags: [] }],
  ])('judges %s', async (_, address, said) => {
    const w = made(dnsbl({ zones }), list('bl.test', codes))
    expect(await sent(w, { address })).toMatchObject({ ...said, troubles: [] })
  })

  it.each<readonly [address: string, asked: string]>([
    ['203.0.113.9', '9.113.0.203'],
    ['::ffff:203.0.113.9', '9.113.0.203'],
    ['64:ff9b::203.0.113.9', '9.113.0.203'],
    ['2001:db8::567:89ab', 'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2'],
    ['2001:DB8:0:0:0:0:0567:89ab', 'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2'],
  ])('asks for %s as %s', async (address, asked) => {
    const w = made(dnsbl({ zones: ['bl.test'] }), list('bl.test', { [asked]: '127.0.0.3' }))
    expect((await sent(w, { address })).reply).toBe(reply)
  })

  it('adds points up, of this list and that one', async () => {
    const dns = {
      ...list('a.test', { '9.113.0.203': '127.0.0.2', '8.113.0.203': '127.0.0.2' }),
      ...list('b.test', { '9.113.0.203': '127.0.0.2' }),
    }
    const w = made(dnsbl({ zones: [{ zone: 'a.test', then: 2 }, { zone: 'b.test', then: 1 }], rejectAt: 3 }), dns)
    expect((await sent(w)).reply).toBe('550 5.7.1 Listed by a.test, b.test')
    expect(await sent(w, { address: '203.0.113.8' })).toMatchObject({ reply: ok, points: 2, tags: ['dnsbl:a.test'] })
  })

  it.each<readonly [string, Sending, string]>([
    ['the name in EHLO', { name: 'Mail.Bad.Test' }, 'The name in your greeting'],
    ['a name that is a domain on it itself', { name: 'bad.test' }, 'The name in your greeting'],
    ['the domain of the sender', { from: 'x@bad.test' }, 'The domain of the sender'],
    ['a sender below it', { from: 'x@a.b.c.bad.test' }, 'The domain of the sender'],
    ['what the DNS calls the client', { address: '203.0.113.66' }, 'The name of your address'],
    ['a link', { content: 'Subject: Hi\r\n\r\nSee http://www.bad.test/x' }, 'A link in this message'],
    ['a link in HTML, in base64', {
      content: `Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${
        Buffer.from('<a href="https://bank.test@b&#97;d.te&#115;t:8443/">x</a>').toString('base64')}`,
    }, 'A link in this message'],
  ])('looks %s up in a list of names', async (_, sending, what) => {
    const dns = { ...list('dbl.test', { 'bad.test': '127.0.1.2' }), '203.0.113.66': { PTR: 'p66.bad.test' } }
    const w = made(dnsbl({ zones: [{ zone: 'dbl.test', of: ['hello', 'sender', 'reverseName', 'links'] }] }), dns)
    expect(await sent(w)).toMatchObject({ reply: ok, troubles: [] })
    expect((await sent(w, sending)).reply).toBe(`550 5.7.1 ${what} is listed by dbl.test`)
  })

  it.each<readonly [string, Sending]>([
    ['the null sender', { from: null }],
    ['an address literal', { from: 'x@[203.0.113.9]', name: '[203.0.113.9]' }],
    ['a bare word', { name: 'localhost' }],
  ])('asks no list of names for %s', async (_, sending) => {
    const w = made(dnsbl({ zones: [{ zone: 'dbl.test', of: ['hello', 'sender'] }] }), {})
    await sent(w, { name: 'localhost', from: null, ...sending })
    expect(w.dns.asked).toEqual([])
  })

  it('spares who has logged in', async () => {
    const dns = list('bl.test', { '9.113.0.203': '127.0.0.2' })
    const w = world({
      server: {
        policies: [dnsbl({ zones: ['bl.test'] })], authenticate: ({ username }) => ({ account: username }), plaintextAuth: true,
      },
      dns,
    })
    const client = w.connect('203.0.113.9')
    await client.login('alice', 'pw')
    expect((await client.send({ to: 'a@mx.test' })).reply).toEqual(ok)
    expect(w.dns.asked).toEqual([])
  })

  describe('leaves a list alone', () => {
    const off = (why: string, minutes = 10): string => `policy dnsbl at sender: bl.test is not asked for ${minutes} min: ${why}.`
    const entry = '9.113.0.203.bl.test'
    it.each<readonly [string, FakeZone, string]>([
      ['that lists the world',
        { ...list('bl.test', { '1.0.0.127': '127.0.0.2' }), [entry]: { A: '127.0.0.2' } }, 'it lists the whole world'],
      ['that does not know its test entry',
        { [entry]: { A: '127.0.0.2' } }, 'its test entry is not there: it is no such list, or a dead one'],
      ['that says so',
        { ...list('bl.test'), [entry]: { A: '127.255.255.254' } }, 'it does not want to be asked from here: 127.255.255.254'],
      ['that says so by 127.0.0.1',
        { ...list('bl.test'), [entry]: { A: '127.0.0.1' } }, 'it does not want to be asked from here: 127.0.0.1'],
      ['whose name is for sale',
        { ...list('bl.test'), [entry]: { A: '192.0.2.80' } }, 'it answers 192.0.2.80, which no list does'],
    ])('%s', async (_, dns, why) => {
      const w = made(dnsbl({ zones: ['bl.test'] }), dns)
      expect(await sent(w)).toEqual({ reply: ok, tags: [], points: 0, troubles: [off(why)] })
      const asked = w.dns.asked.length
      await w.clock.advance(9 * 60_000)
      // Told once, and not asked again meanwhile.
      expect(await sent(w)).toMatchObject({ reply: ok, troubles: [off(why)] })
      expect(w.dns.asked.length).toBe(asked)
      const mended = { '1.0.0.127.bl.test': undefined, ...list('bl.test'), [entry]: { A: '127.0.0.2' } }
      for (const [name, records] of Object.entries(mended)) w.dns.set(name, records)
      await w.clock.advance(60_000)
      expect((await sent(w)).reply).toBe(reply)
    })

    it('that does not answer, for a minute', async () => {
      const w = made(dnsbl({ zones: ['bl.test'], timeout: 1000 }), { [entry]: 'TIMEOUT', ...list('bl.test') })
      for (let at = 0; at < 5; at++) expect((await w.clock.until(sent(w))).reply).toEqual(ok)
      const asked = w.dns.asked.length
      expect(w.clock.ticks()).toBe(5000)
      expect((await w.clock.until(sent(w))).troubles).toEqual([off('it has not answered 5 times in a row', 1)])
      expect(w.dns.asked.length).toBe(asked)
    })

    it('unless it has no test entry, as it is said', async () => {
      const w = made(dnsbl({ zones: [{ zone: 'bl.test', test: false }] }), { [entry]: { A: '127.0.0.2' } })
      expect((await sent(w)).reply).toBe(reply)
      const other = made(dnsbl({ zones: [{ zone: 'dbl.test', of: 'sender', test: 'listed.example' }] }), {
        'listed.example.dbl.test': { A: '127.0.1.2' }, 'b.test.dbl.test': { A: '127.0.1.2' },
      })
      expect((await sent(other)).reply).toBe('550 5.7.1 The domain of the sender is listed by dbl.test')
    })

    it('that has become one that lists the world, within the hour', async () => {
      const w = made(dnsbl({ zones: ['bl.test'] }), list('bl.test'))
      expect((await sent(w)).troubles).toEqual([])
      for (const name of ['1.0.0.127.bl.test', entry]) w.dns.set(name, { A: '127.0.0.2' })
      await w.clock.advance(3_600_000)
      expect(await sent(w)).toMatchObject({ reply: ok, troubles: [off('it lists the whole world')] })
    })
  })

  it('takes what has answered in time, and passes over the rest', async () => {
    const slow: FakeZone = { ...list('b.test'), '9.113.0.203.b.test': 'TIMEOUT' }
    const dns = { ...list('a.test', { '9.113.0.203': '127.0.0.2' }), ...slow }
    const w = made(dnsbl({ zones: ['a.test', 'b.test'], timeout: 2000 }), dns)
    expect((await w.clock.until(sent(w))).reply).toBe('550 5.7.1 Your address is listed by a.test')
    expect(w.clock.ticks()).toBe(2000)
  })

  it('passes where the DNS fails', async () => {
    const w = made(dnsbl({ zones: ['a.test'] }), { ...list('a.test'), '9.113.0.203.a.test': 'SERVFAIL' })
    expect(await sent(w)).toMatchObject({ reply: ok, troubles: [] })
  })

  it('remembers answers: a minute at least, an hour at most', async () => {
    const w = made(dnsbl({ zones: ['bl.test'] }), {
      ...list('bl.test'), '9.113.0.203.bl.test': { ttl: 1 }, '8.113.0.203.bl.test': { ttl: 86_400 },
    })
    const asked = async (address: string, after: number): Promise<number> => {
      const before = w.dns.asked.filter(({ name }) => name.includes('113')).length
      await w.clock.advance(after)
      await sent(w, { address })
      return w.dns.asked.filter(({ name }) => name.includes('113')).length - before
    }
    expect(await asked('203.0.113.9', 0)).toBe(1)
    expect(await asked('203.0.113.9', 59_999)).toBe(0)
    expect(await asked('203.0.113.9', 1)).toBe(1)
    expect(await asked('203.0.113.8', 0)).toBe(1)
    expect(await asked('203.0.113.8', 3_599_999)).toBe(0)
    expect(await asked('203.0.113.8', 1)).toBe(1)
  })

  it('asks no more than so many names for links, whatever a message has', async () => {
    const w = made(dnsbl({ zones: [{ zone: 'dbl.test', of: 'links' }], links: 10 }), list('dbl.test'))
    const content = `\r\n${Array.from({ length: 5000 }, (_, at) => `http://www.a${at}.test/`).join('\r\n')}`
    expect((await sent(w, { content })).reply).toEqual(ok)
    expect(w.dns.asked.length).toBe(22)
  })

  it.each([
    { zones: [] },
    { zones: [''] },
    { zones: [{ zone: 'a.test', codes: { '127.0.0': 1 } }] },
    { zones: [{ zone: 'a.test', codes: { '127.0.0.256': 1 } }] },
    { zones: [{ zone: 'a.test', codes: { '127.0.0.5-4': 1 } }] },
    { zones: [{ zone: 'a.test', codes: { '127.0.0.&0': 1 } }] },
    { zones: [{ zone: 'a.test', codes: { '127.0.0.2': 'accept' } }] },
    { zones: [{ zone: 'a.test', of: ['address', 'sender'] }] },
    { zones: [{ zone: 'a.test', of: 'body' }] },
    { zones: [{ zone: 'a.test', then: Number.NaN }] },
    { zones: [{ name: 'a.test' }] },
    { zones: ['a.test'], timeout: 0 },
    {},
  ])('refuses %j', (options) => {
    expect(() => dnsbl(options as never)).toThrow(expect.objectContaining({ code: 'config' }))
  })
})

describe('dnswl', () => {
  const zones = [{ zone: 'wl.test', codes: { '127.0.*.2-3': 'accept', '127.0.*.1': 2 } }] as const
  const dns = list('wl.test', { '9.113.0.203': '127.0.5.3', '8.113.0.203': '127.0.5.1' })
  const strict: Policy = {
    name: 'strict',
    sender: () => reject('No sender'),
    recipient: () => reject('No recipient'),
    message: () => reject('No message'),
  }

  it('keeps those behind it from being asked, at every stage', async () => {
    const w = made(inOrder(dnswl({ zones }), strict), dns)
    expect(await sent(w)).toMatchObject({ reply: ok, tags: ['dnswl:wl.test'], troubles: [] })
    expect((await sent(w, { address: '203.0.113.10' })).reply).toBe('550 5.7.1 No sender')
  })

  it('gives points in favour', async () => {
    expect(await sent(made(dnswl({ zones }), dns), { address: '203.0.113.8' })).toMatchObject({ reply: ok, points: -2 })
  })

  it('takes nothing for acceptance that is a block, or a failing list', async () => {
    for (const A of ['127.0.0.255', '127.255.255.255', '127.0.0.1']) {
      const w = made(inOrder(dnswl({ zones: ['wl.test'] }), strict), { ...list('wl.test'), '9.113.0.203.wl.test': { A } })
      expect((await sent(w)).reply).toBe('550 5.7.1 No sender')
    }
    const w = made(inOrder(dnswl({ zones: ['wl.test'] }), strict), { '9.113.0.203.wl.test': { A: '127.0.0.2' } })
    expect((await sent(w)).reply).toBe('550 5.7.1 No sender')
  })

  it.each([{ of: 'links' }, { then: -1 }, { then: 'reject' }])('refuses a zone with %j', (more) => {
    expect(() => dnswl({ zones: [{ zone: 'a.test', ...more } as never] })).toThrow(expect.objectContaining({ code: 'config' }))
  })
})

describe.each<readonly [string, () => Policy]>([
  ['dnsbl', () => dnsbl({ zones: ['bl.test', { zone: 'dbl.test', of: ['hello', 'sender', 'reverseName', 'links'] }] })],
  ['dnswl', () => dnswl({ zones: ['wl.test', { zone: 'names.test', of: ['hello', 'sender', 'reverseName'], then: 2 }] })],
])('%s keeps the contract', (_, open) => policyContract({ describe, it, open, skipped: () => undefined }))
