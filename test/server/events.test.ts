import { describe, expect, it } from 'vitest'
import { defer, discard, reject, type Observer, type ReceiverOptions, type ServerEvent } from '../../src/index.ts'
import { world, type World } from '../../src/testing/index.ts'

describe('what an observer is told', () => {
  it('is the whole life of a connection, in order, as plain data', async () => {
    const w: World = world({
      now: 1_000_000,
      server: {
        authenticate: (given) => (given.kind === 'password' && given.password === 'right' ? { account: 'bob' } : undefined),
        accepts: (to) => to.local !== 'c',
      },
    })
    const client = w.connect('203.0.113.9', { startTls: true })
    await client.startTls()
    await w.clock.until(client.login('bob', 'wrong'))
    await client.login('bob', 'right')
    await w.clock.advance(500)
    await client.send({ from: 'A@s.test', to: ['b@mx.test', 'c@mx.test'], content: 'Subject: secret subject\n\nsecret text\n' })
    await client.ask('QUIT')
    await client.closed
    const connection = w.delivered[0]!.connection.id
    const whence = { connection, session: 1, address: '203.0.113.9', port: 40_001, listener: undefined, account: undefined }
    const again = { ...whence, at: 1_000_000, session: 2 }
    const later = { ...whence, at: 1_001_500, session: 2, account: 'bob' }
    expect(w.events).toStrictEqual([
      { ...whence, kind: 'connected', at: 1_000_000, localPort: 25, proxy: undefined },
      {
        ...again,
        kind: 'secured',
        protocol: 'TLSv1.3',
        cipher: 'TLS_AES_256_GCM_SHA384',
        serverName: undefined,
        clientCertificate: undefined,
      },
      { ...again, kind: 'denied', mechanism: 'PLAIN', username: 'bob', code: 535 },
      { ...again, kind: 'authenticated', at: 1_001_000, mechanism: 'PLAIN', username: 'bob', account: 'bob' },
      {
        ...later,
        kind: 'refused',
        stage: 'recipient',
        policy: 'accepts',
        code: 550,
        enhanced: '5.1.1',
        text: 'No such recipient here',
        sender: 'A@s.test',
        recipient: 'c@mx.test',
      },
      {
        ...later,
        kind: 'accepted',
        message: w.delivered[0]!.id,
        sender: 'A@s.test',
        recipients: ['b@mx.test'],
        octets: w.delivered[0]!.octets,
        took: 0,
        discarded: false,
      },
      { ...later, kind: 'closed', why: 'quit', lasted: 1500 },
    ])
    // Never a password, never the text of a message.
    expect(JSON.stringify(w.events)).not.toMatch(/wrong|right|secret/)
  })

  it('says why a TLS handshake failed, and nothing of peers that go otherwise', async () => {
    const w = world()
    const client = w.connect('203.0.113.9', { startTls: true })
    await client.ask('EHLO x.test', 'STARTTLS')
    client.reset()
    await client.closed
    const other = w.connect('203.0.113.9', { startTls: true })
    await other.ask('EHLO x.test')
    other.reset()
    await other.closed
    const connection = (w.events[0] as { connection: string }).connection
    const failed = w.events.filter(({ kind }) => kind === 'turnedAway' || kind === 'failed')
    expect(failed).toMatchObject([{ connection, reason: 'handshake', address: '203.0.113.9', error: expect.any(Error) }])
  })

  it('is what the rules of the conversation refuse, and which limit was reached', async () => {
    const w = world({ server: { smtp: { limits: { recipients: 1, messageOctets: 1000 } } } })
    const client = w.connect('203.0.113.9')
    await client.ask('MAIL FROM:<a@x.test>', 'EHLO x.test', 'MAIL FROM:<a@x.test> SIZE=1001', 'MAIL FROM:<a@x.test> HUNTER=2')
    await client.ask('MAIL FROM:<a@x.test>', 'RCPT TO:<b@x.test>', 'RCPT TO:<c@x.test>', 'QUIT')
    const told = w.events.flatMap((event) =>
      event.kind === 'limited'
        ? [[event.limit, event.code, event.enhanced, event.text]]
        : event.kind === 'refused'
          ? [[event.stage, event.code, event.enhanced, event.text]]
          : [],
    )
    expect(told).toEqual([
      ['protocol', 503, '5.5.1', 'Say EHLO first'],
      ['messageOctets', 552, '5.3.4', 'Message is larger than accepted here'],
      // What the client sent is not repeated.
      ['protocol', 555, '5.5.4', ''],
      ['recipients', 452, '4.5.3', 'Too many recipients'],
    ])
  })

  it('names the policy that refused, or put off, or broke', async () => {
    const w = world({
      server: {
        policies: [
          { name: 'nothing', sender: () => undefined },
          { name: 'strict', sender: (sender) => (sender === null ? reject('No') : undefined) },
          { name: 'busy', message: () => defer('Later') },
          {
            name: 'broken',
            recipient: () => {
              throw new Error('db')
            },
          },
        ],
      },
    })
    await w.connect().send({ from: null, to: 'a@x.test' })
    await w.connect().send({ from: 'b@x.test', to: 'a@x.test' })
    const other = world({ server: { policies: [{ name: 'busy', message: () => defer('Later') }] } })
    await other.connect().send({ to: 'a@x.test' })
    const named = [...w.events, ...other.events].flatMap((event) =>
      event.kind === 'refused' && event.stage !== 'protocol' ? [[event.policy, event.code]] : [],
    )
    expect(named).toEqual([['strict', 550], ['broken', 451], ['busy', 451]])
  })

  it('is every command, for those who ask for that: its verb, if it is one, and its length', async () => {
    const seen: unknown[] = []
    const see = (event: ServerEvent): void => {
      if (event.kind === 'command') seen.push([event.verb, event.octets])
    }
    const speak = async (observe: Observer): Promise<void> => {
      const client = world({ server: { observe } }).connect('203.0.113.9')
      await client.ask('ehlo x.test', 'hunter2 and more', 'MAIL FROM:<a@x.test>', 'QUIT')
    }
    await speak(see)
    expect(seen).toEqual([])
    await speak(Object.assign(see, { commands: true }))
    expect(seen).toEqual([['EHLO', 13], [undefined, 18], ['MAIL', 22], ['QUIT', 6]])
  })

  it('says how long an answer took', async () => {
    const w: World = world({
      server: { deliver: () => new Promise((resolve) => w.clock.alarm(w.clock.ticks() + 700, () => resolve(undefined))) },
    })
    await w.clock.until(w.connect().send({ from: null, to: 'b@mx.test' }))
    expect(w.events.at(-1)).toMatchObject({ kind: 'accepted', took: 700, sender: '<>' })
  })

  it.each([
    ['refused', () => reject('No'), [['refused', 550]]],
    ['put off', () => defer('Later'), [['refused', 451]]],
    [
      'taken for one, refused for the other',
      () => [undefined, reject('No')],
      [
        ['accepted', ['a@x.test']],
        ['refused', 'b@x.test'],
      ],
    ],
    [
      'broken',
      () => {
        throw new Error('db')
      },
      [['failed', 'deliver']],
    ],
  ] as const)('of a delivery that is %s', async (_, deliver, told) => {
    const w = world({ server: { profile: 'lmtp', deliver } })
    await w.connect().send({ to: ['a@x.test', 'b@x.test'] })
    const seen = w.events
      .filter(({ kind }) => kind !== 'connected')
      .map((event) => [
        event.kind,
        event.kind === 'accepted'
          ? event.recipients
          : event.kind === 'refused'
            ? (event.recipient ?? event.code)
            : event.kind === 'failed'
              ? event.what
              : '',
      ])
    expect(seen).toEqual(told)
  })

  it('tells what was dropped in silence', async () => {
    const w = world({ server: { policies: [{ name: 'junk', message: () => discard('junk') }] } })
    await w.connect().send({ to: 'a@x.test' })
    expect(w.events.at(-1)).toMatchObject({ kind: 'accepted', discarded: true, discards: [{ policy: 'junk', why: 'junk' }] })
  })

  const ends: readonly (readonly [string, (w: ReturnType<typeof world>) => Promise<unknown>])[] = [
    ['quit', (w) => w.connect().ask('QUIT')],
    [
      'end',
      async (w) => {
        const client = w.connect()
        await client.ask()
        client.finish()
        await client.closed
      },
    ],
    [
      'timeout',
      async (w) => {
        await w.connect().ask()
        await w.clock.advance(60_000)
      },
    ],
    ['errors', (w) => w.connect().ask('EHLO x.test', ...Array<string>(10).fill('FOO'))],
    ['limit', (w) => w.connect().flood('x', 100_000)],
    [
      'drained',
      async (w) => {
        await w.connect().ask()
        await w.stop()
      },
    ],
  ]
  it.each(ends)('names the end: %s', async (why, run) => {
    const w = world({ server: { smtp: { rules: { earlyTalk: 'accept' } } } })
    await run(w)
    await w.clock.advance(10_000)
    expect(w.events.at(-1)).toMatchObject({ kind: 'closed', why })
  })

  it('cannot break the server by what it throws', async () => {
    const w = world({
      server: {
        observe: () => {
          throw new Error('mine')
        },
      },
    })
    expect((await w.connect().send({ to: 'a@x.test' })).accepted).toBe(true)
  })

  it('is not asked for: without an observer all goes on', async () => {
    const kinds = new Set<ServerEvent['kind']>()
    const w: World = world({
      server: {
        observe: ({ kind }: ServerEvent) => void kinds.add(kind),
        accepts: (): never => {
          throw new Error('db')
        },
      },
    })
    await w.connect().send({ to: 'a@x.test' })
    expect([...kinds]).toEqual(['connected', 'failed'])
  })
})

describe('logging in', () => {
  const answers: readonly (readonly [string, NonNullable<ReceiverOptions['authenticate']>, string])[] = [
    ['an account', () => ({ account: 'bob' }), '235 2.7.0 Authentication successful'],
    ['nothing', () => undefined, '535 5.7.8 Authentication credentials invalid'],
    ['a delay', () => defer(454, '4.7.0', 'Directory is down'), '454 4.7.0 Directory is down'],
    ['a refusal', () => reject(535, '5.7.9', 'Use an app password'), '535 5.7.9 Use an app password'],
    ['a rejection', () => Promise.reject(new Error('db')), '451 4.3.0 Temporary failure, try again later'],
  ]
  it.each(answers)('with %s', async (_, authenticate, reply) => {
    const w = world({ server: { authenticate, plaintextAuth: true } })
    expect(await w.clock.until(w.connect().login('bob', 'pw'))).toBe(reply)
  })

  it('is offered over TLS alone, unless it is asked for in the clear', async () => {
    const offered = async (server: object, tls: boolean): Promise<boolean> => {
      const [, hello] = await world({ server })
        .connect('203.0.113.9', tls ? { tls: true } : {})
        .ask('EHLO x.test')
      return hello!.includes('AUTH PLAIN LOGIN')
    }
    const authenticate = () => undefined
    expect([await offered({ authenticate }, false), await offered({ authenticate }, true)]).toEqual([false, true])
    expect([await offered({ authenticate, plaintextAuth: true }, false), await offered({}, true)]).toEqual([true, false])
  })
})
