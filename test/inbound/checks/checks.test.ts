import { describe, expect, it } from 'vitest'
import {
  allOf,
  earlyTalker,
  hostnameCheck,
  inOrder,
  maxConnections,
  type Policy,
  rateLimit,
  tarpit,
  when,
  within,
} from '../../../src/index.ts'
import { type TestClient, world, type World, type WorldOptions } from '../../../src/testing/index.ts'

const made = (policy: Policy, more: Extract<WorldOptions['server'], object> = {}): World =>
  world({ server: { policies: [policy], connections: false, ...more } })

describe('rateLimit', () => {
  const tooFast = '450 4.7.1 Too much mail in too short a time, try again later'
  const send = async (client: TestClient): Promise<string> => (await client.send({ to: ['a@mx.test'] })).reply.slice(0, 3)

  it('lets so many messages pass in any minute, and the next when there is room again', async () => {
    const w = made(rateLimit({ perMinute: 3 }))
    const client = w.connect('203.0.113.9')
    expect([await send(client), await send(client), await send(client)]).toEqual(['250', '250', '250'])
    expect((await client.send({ to: 'a@mx.test' })).reply).toBe(tooFast)
    await w.clock.advance(59_000)
    expect(await send(client)).toBe('450')
    // A third of the three has left the sliding minute after 80 seconds.
    await w.clock.advance(21_001)
    expect(await send(client)).toBe('250')
    expect(await send(client)).toBe('450')
    await w.clock.advance(120_000)
    expect([await send(client), await send(client), await send(client), await send(client)]).toEqual([
      '250',
      '250',
      '250',
      '450',
    ])
  })

  it('never lets more than so many pass in any minute, however they are timed', async () => {
    const w = made(rateLimit({ perMinute: 10 }), { smtp: { limits: { errors: Infinity } } })
    const client = w.connect('203.0.113.9')
    const passed: number[] = []
    for (let turn = 0; turn < 400; turn++) {
      await w.clock.advance(w.random.below(2000))
      if ((await send(client)) === '250') passed.push(w.clock.ticks())
    }
    for (const at of passed) expect(passed.filter((other) => other > at - 60_000 && other <= at).length).toBeLessThanOrEqual(13)
    expect(passed.length).toBeGreaterThan((w.clock.ticks() / 60_000) * 10 * 0.8)
  })

  it.each([
    ['address', '203.0.113.10', '250'],
    ['address', '203.0.113.9', '450'],
    ['network', '203.0.113.10', '450'],
    ['network', '203.0.114.9', '250'],
    ['network', undefined, '250'],
  ] as const)('by %s: after one from 203.0.113.9, one from %s hears %s', async (by, address, reply) => {
    const w = made(rateLimit({ perMinute: 1, by }))
    expect(await send(w.connect('203.0.113.9'))).toBe('250')
    expect(await send(w.connect(address))).toBe(reply)
  })

  it.each(['network', 'address'] as const)('by %s counts an IPv6 subscriber by its /64', async (by) => {
    const w = made(rateLimit({ perMinute: 1, by }))
    expect(await send(w.connect('2001:db8:1:2::1'))).toBe('250')
    expect(await send(w.connect('2001:db8:1:2:ffff::9'))).toBe('450')
    expect(await send(w.connect('2001:db8:1:3::1'))).toBe('250')
  })

  it('counts recipients, connections, accounts, whatever it is told to', async () => {
    const recipients = await made(rateLimit({ perMinute: 2, count: 'recipient' }))
      .connect('203.0.113.9')
      .send({ to: ['a@x.test', 'b@x.test', 'c@x.test'] })
    expect(recipients.recipients.map(({ reply }) => reply.slice(0, 3))).toEqual(['250', '250', '450'])

    const connections = made(rateLimit({ perMinute: 1, count: 'connection' }))
    expect((await connections.connect('203.0.113.9').ask())[0]).toMatch(/^220/)
    expect((await connections.connect('203.0.113.9').ask())[0]).toMatch(/^450/)

    const accounts = made(rateLimit({ perMinute: 1, by: 'account' }), {
      authenticate: ({ username }) => ({ account: username }),
      plaintextAuth: true,
    })
    for (const [name, reply] of [
      ['a', '250'],
      ['b', '250'],
      ['a', '450'],
    ] as const) {
      const client = accounts.connect('203.0.113.9')
      await client.login(name, 'pw')
      expect(await send(client)).toBe(reply)
    }

    const senders = made(rateLimit({ perMinute: 1, by: ({ envelope }) => envelope?.sender?.domain }))
    const client = senders.connect('203.0.113.9')
    const from = async (sender: string | null): Promise<string> =>
      (await client.send({ from: sender, to: 'a@x.test' })).reply.slice(0, 3)
    expect([
      await from('a@one.test'),
      await from('b@one.test'),
      await from('a@two.test'),
      await from(null),
      await from(null),
    ]).toEqual(['250', '450', '250', '250', '250'])
  })

  it('remembers so many keys, and forgets one that was not used lately', async () => {
    const w = made(rateLimit({ perMinute: 1, keys: 2 }))
    const from = (last: number): Promise<string> => send(w.connect(`203.0.113.${last}`))
    expect([await from(1), await from(2), await from(1), await from(3), await from(2), await from(1)]).toEqual([
      '250',
      '250',
      '450',
      '250',
      '250',
      '250',
    ])
  })

  it.each([0, -1, Number.NaN])('refuses %d a minute', (perMinute) => {
    expect(() => rateLimit({ perMinute })).toThrow(expect.objectContaining({ code: 'config' }))
  })
})

describe('maxConnections', () => {
  it('counts an IPv6 client by its /64, all of which one machine may use', async () => {
    const w = made(maxConnections({ address: 2 }))
    const greeted = async (address: string): Promise<string> => (await w.connect(address).ask())[0]!.slice(0, 3)
    expect(await greeted('2001:db8:1:2::1')).toBe('220')
    expect(await greeted('2001:db8:1:2::2')).toBe('220')
    expect(await greeted('2001:db8:1:2:3::')).toBe('421')
    expect(await greeted('2001:db8:1:3::1')).toBe('220')
  })

  const greeting = async (w: World, address?: string): Promise<[TestClient, string]> => {
    const client = w.connect(address)
    return [client, (await client.ask())[0]!]
  }

  it('refuses beyond what the server, an address or a network may have, and closes', async () => {
    const w = made(maxConnections({ server: 5, address: 2, network: 3 }))
    const seen: string[] = []
    for (const address of [
      '203.0.113.1',
      '203.0.113.1',
      '203.0.113.1',
      '203.0.113.2',
      '203.0.113.3',
      '203.0.114.1',
      '203.0.114.2',
      '198.51.100.1',
      undefined,
    ]) {
      seen.push((await greeting(w, address))[1].slice(0, 9))
    }
    expect(seen).toEqual([
      '220 mx.te',
      '220 mx.te',
      '421 4.7.0',
      '220 mx.te',
      '421 4.7.0',
      '220 mx.te',
      '220 mx.te',
      '421 4.3.2',
      '421 4.3.2',
    ])
    expect(w.connections).toBe(5)
  })

  it('counts who is there: who leaves, however it leaves, makes room', async () => {
    const w = made(maxConnections({ address: 1 }))
    for (const leave of ['QUIT', 'reset', 'finish', 'idle']) {
      const [client, first] = await greeting(w, '203.0.113.9')
      expect(first).toMatch(/^220/)
      expect((await greeting(w, '203.0.113.9'))[1]).toMatch(/^421 4\.7\.0/)
      if (leave === 'QUIT') await client.ask('QUIT')
      else if (leave === 'reset') client.reset()
      else if (leave === 'finish') client.finish()
      else await w.clock.advance(60_000)
      await client.closed
      await w.clock.advance(0)
    }
    expect(w.connections).toBe(0)
  })

  it('does not count whom another policy refuses, once that one has gone', async () => {
    const w = world({
      server: {
        connections: { address: 1 },
        policies: [{ name: 'no', connect: () => ({ kind: 'reject', reply: { code: 554, text: 'No' } }) }],
      },
    })
    const [client, first] = await greeting(w, '203.0.113.9')
    expect(first).toBe('554 No')
    await client.ask('QUIT')
    await client.closed
    expect((await greeting(w, '203.0.113.9'))[1]).toBe('554 No')
  })

  it('is there without being asked for: 20 of an address, 100 in all; and not where it is unwanted', async () => {
    const count = async (w: World, address: (at: number) => string): Promise<number> => {
      let open = 0
      for (let at = 0; at < 110; at++) if ((await greeting(w, address(at)))[1].startsWith('220')) open++
      return open
    }
    expect(await count(world(), () => '203.0.113.9')).toBe(20)
    expect(await count(world(), (at) => `203.0.113.${at}`)).toBe(100)
    expect(await count(world({ server: { connections: false } }), () => '203.0.113.9')).toBe(110)
  })
})

describe('earlyTalker', () => {
  it('makes clients wait for the greeting', async () => {
    const w = made(earlyTalker({ wait: 5000 }))
    const client = w.connect('203.0.113.9')
    const said = client.ask('EHLO x.test')
    await w.clock.advance(4999)
    expect(client.replies).toEqual([])
    await w.clock.advance(1)
    expect((await said)[0]).toMatch(/^220/)
  })

  it('has those refused that speak first, at once, and nothing of what they say is done', async () => {
    const w = made(earlyTalker({ wait: 5000 }))
    const client = w.connect('203.0.113.9')
    client.write('EHLO x.test\r\n')
    await w.clock.advance(10)
    expect(client.replies).toEqual(['554 5.5.1 Wait for the greeting before you speak'])
    await client.closed
    expect(w.clock.pending).toBe(0)
    expect(w.events.filter(({ kind }) => kind === 'failed')).toEqual([])
  })

  it.each([0, -5, 300_000, Number.NaN])('refuses to wait %d milliseconds', (wait) => {
    expect(() => earlyTalker({ wait })).toThrow(expect.objectContaining({ code: 'config' }))
  })

  it.each([
    ['earlyTalker', earlyTalker({ wait: 60_000 }), 'policy earlyTalker: waits up to 60000 milliseconds at connect'],
    ['tarpit', tarpit({ delay: 60_000 }), 'policy tarpit: waits up to 60000 milliseconds at recipient'],
    ['within', within(60_000, tarpit({ delay: 1000 }), 'pass'), 'policy within(tarpit): waits up to 60000 milliseconds'],
    ['when', when(() => true, earlyTalker({ wait: 60_000 })), 'policy when(earlyTalker): waits up to 60000'],
    ['inOrder', inOrder(tarpit({ delay: 30_000 }), tarpit({ delay: 30_000 })), 'waits up to 60000 milliseconds at recipient'],
    ['a policy of its own', { name: 'slow', waits: { hello: 60_000 }, hello() {} }, 'policy slow: waits up to 60000'],
  ])('%s cannot be composed where the server would not wait as long', (_, policy, message) => {
    const compose = (answer?: number): void => {
      world({ server: { policies: [policy], ...(answer === undefined ? {} : { smtp: { timeouts: { answer } } }) } })
    }
    expect(() => compose()).toThrow(expect.objectContaining({ code: 'config', message: expect.stringContaining(message) }))
    expect(() => compose()).toThrow('Let it wait for less, or set timeouts.answer of smtp higher.')
    expect(() => compose(60_001)).not.toThrow()
  })

  it('lets a policy of messages wait for as long as the answer to a message may take', () => {
    const scan: Policy = { name: 'scan', message: async () => undefined }
    const policies = (wait: number): Policy[] => [allOf(within(wait, scan, 'defer'), rateLimit({ perMinute: 5 }))]
    expect(() => world({ server: { policies: policies(299_999) } })).not.toThrow()
    expect(() => world({ server: { policies: policies(300_000) } })).toThrow('at message, where the server answers 451')
  })
})

describe('tarpit', () => {
  it('answers late from a recipient on', async () => {
    const w = made(tarpit({ delay: 2000, after: 2 }))
    const client = w.connect('203.0.113.9')
    await client.ask('EHLO x.test', 'MAIL FROM:<>')
    const times: number[] = []
    for (let at = 0; at < 4; at++) {
      await w.clock.until(client.ask(`RCPT TO:<a${at}@x.test>`))
      times.push(w.clock.ticks())
    }
    expect(times).toEqual([0, 0, 2000, 4000])
    await client.ask('RSET', 'MAIL FROM:<>', 'RCPT TO:<a@x.test>')
    expect(w.clock.ticks()).toBe(4000)
  })

  it('answers those that come in one go one after the other, and none too late', async () => {
    const w = made(tarpit({ delay: 2000, after: 2 }))
    const client = w.connect('203.0.113.9')
    await client.ask('EHLO x.test', 'MAIL FROM:<>')
    const times: number[] = []
    const names = Array.from({ length: 20 }, (_, at) => `RCPT TO:<a${at}@x.test>\r\n`)
    const before = client.replies.length
    client.write(names.join(''))
    for (let at = 0; at < 20; at++) {
      while (client.replies.length === before + at) await w.clock.advance(500)
      times.push(w.clock.ticks())
    }
    expect(times.slice(0, 6)).toEqual([0, 0, 2000, 4000, 6000, 8000].map((time) => expect.closeTo(time, -3.1)))
    expect(times.at(-1)).toBeLessThanOrEqual(30_500)
    expect(client.replies.slice(before).every((reply) => reply.startsWith('250'))).toBe(true)
  })

  it('can be for some alone', async () => {
    const w = made(when(({ connection }) => connection.peer.address === '203.0.113.9', tarpit({ delay: 1000, after: 0 })))
    await w.clock.until(w.connect('198.51.100.1').send({ to: 'a@x.test' }))
    expect(w.clock.ticks()).toBe(0)
    await w.clock.until(w.connect('203.0.113.9').send({ to: 'a@x.test' }))
    expect(w.clock.ticks()).toBe(1000)
  })

  it.each([0, 300_000, Number.NaN])('refuses a delay of %d milliseconds', (delay) => {
    expect(() => tarpit({ delay })).toThrow(expect.objectContaining({ code: 'config' }))
  })
})

describe('hostnameCheck', () => {
  const mail = async (
    name: string,
    address: string | undefined,
    policy: Policy = hostnameCheck({ own: ['MX.test'] }),
  ): Promise<string> => {
    const replies = await made(policy).connect(address).ask(`EHLO ${name}`, 'MAIL FROM:<>')
    return replies.at(-1)!
  }

  it.each([
    ['mail.example.org', '203.0.113.9', '250 2.1.0 Sender ok'],
    ['MX.TEST', '203.0.113.9', '550 5.7.1 That is my name, not yours'],
    ['localhost', '203.0.113.9', '550 5.7.1 Say EHLO with a full domain name'],
    ['[203.0.113.9]', '203.0.113.9', '250 2.1.0 Sender ok'],
    ['[203.0.113.10]', '203.0.113.9', '550 5.7.1 That is not your address'],
    ['[IPv6:2001:db8::9]', '2001:db8::9', '250 2.1.0 Sender ok'],
    ['[IPv6:2001:DB8:0:0:0:0:0:9]', '2001:db8::9', '250 2.1.0 Sender ok'],
    ['[IPv6:2001:db8::10]', '2001:db8::9', '550 5.7.1 That is not your address'],
    ['[203.0.113.9]', undefined, '250 2.1.0 Sender ok'],
  ])('%s from %s', async (name, address, reply) => {
    expect(await mail(name, address)).toBe(reply)
  })

  it('can be less strict', async () => {
    expect(await mail('localhost', '203.0.113.9', hostnameCheck({ qualified: false }))).toMatch(/^250/)
    expect(await mail('[203.0.113.10]', '203.0.113.9', hostnameCheck({ literal: false }))).toMatch(/^250/)
    expect(await mail('mx.test', '203.0.113.9', hostnameCheck())).toMatch(/^250/)
  })

  it('lets those be called anything that have logged in', async () => {
    const w = made(hostnameCheck(), { authenticate: () => ({ account: 'a' }), plaintextAuth: true })
    const client = w.connect('203.0.113.9', { name: 'laptop' })
    await client.login('a', 'pw')
    expect((await client.send({ to: 'a@x.test' })).accepted).toBe(true)
  })
})
