import { describe, expect, it } from 'vitest'
import { accept, defer, discard, MailError, pass, quarantine, type ReceiverOptions, reject } from '../../src/index.ts'
import { world, type World } from '../../src/testing/index.ts'

type Deliver = ReceiverOptions['deliver']

const fault = '451 4.3.0 Temporary failure, try again later'

describe('what deliver does', () => {
  const outcomes: readonly (readonly [string, Deliver, string | RegExp])[] = [
    ['returns nothing', () => undefined, /^250 2\.0\.0 Ok \S+$/],
    ['resolves', async () => undefined, /^250 2\.0\.0 Ok \S+$/],
    ['passes', () => pass(), /^250 2\.0\.0 Ok/],
    ['accepts', () => accept('known'), /^250 2\.0\.0 Ok/],
    ['discards', () => discard('junk'), /^250 2\.0\.0 Ok/],
    ['quarantines', () => quarantine('odd'), /^250 2\.0\.0 Ok/],
    [
      'throws',
      () => {
        throw new Error('db')
      },
      fault,
    ],
    ['rejects', () => Promise.reject(new Error('db')), fault],
    [
      'throws a permanent error',
      () => {
        throw new MailError('permanent', 'never')
      },
      fault,
    ],
    ['refuses for good', () => reject('No such ticket'), '550 5.7.1 No such ticket'],
    ['refuses in words of its own', () => reject(554, '5.6.0', 'Cannot read it'), '554 5.6.0 Cannot read it'],
    ['refuses for now', async () => defer('Come back later'), '451 4.7.1 Come back later'],
    ['refuses with what is no refusal', () => ({ kind: 'reject', reply: { code: 250, text: 'fine' } }), fault],
    ['refuses with an enhanced code of another class', () => reject(550, '4.0.0', 'x'), fault],
    ['refuses in words that would break the line', () => reject('a\r\n250 fine'), fault],
  ]
  it.each(outcomes)('%s', async (_, deliver, reply) => {
    const w = world({ server: { deliver } })
    const sent = await w.connect().send({ to: ['a@mx.test', 'b@mx.test'] })
    if (typeof reply === 'string') expect(sent.reply).toBe(reply)
    else expect(sent.reply).toMatch(reply)
  })

  it.each([
    ['all fine', [undefined, undefined], /^250 2\.0\.0 Ok/],
    ['one refused for good', [undefined, reject('Not b')], '550 5.7.1 Not b'],
    ['one refused for now', [defer('Busy'), reject('Not b')], '451 4.7.1 Busy'],
    ['both refused for good', [reject('Not a'), reject('Not b')], '550 5.7.1 Not a'],
  ] as const)('with each recipient, %s: one reply stands for all', async (_, verdicts, reply) => {
    const sent = await world({ server: { deliver: () => verdicts } })
      .connect()
      .send({ to: ['a@mx.test', 'b@mx.test'] })
    if (typeof reply === 'string') expect(sent.reply).toBe(reply)
    else expect(sent.reply).toMatch(reply)
  })
})

describe('over LMTP', () => {
  const send = async (deliver: Deliver, to: string[]): Promise<string[]> => {
    const sent = await world({ server: { profile: 'lmtp', deliver } })
      .connect()
      .send({ to })
    return sent.recipients.map(({ reply }) => reply.slice(0, 9))
  }

  it.each([
    ['one answer for all', () => undefined, ['250 2.0.0', '250 2.0.0', '250 2.0.0']],
    ['one refusal for all', () => reject('No'), ['550 5.7.1', '550 5.7.1', '550 5.7.1']],
    ['an answer each', () => [undefined, defer('Full'), reject('No')], ['250 2.0.0', '451 4.7.1', '550 5.7.1']],
    ['fewer answers than recipients', () => [reject('No')], ['451 4.3.0', '451 4.3.0', '451 4.3.0']],
    [
      'more answers than recipients',
      () => [undefined, undefined, undefined, reject('No')],
      ['451 4.3.0', '451 4.3.0', '451 4.3.0'],
    ],
    [
      'a throw',
      () => {
        throw new Error('db')
      },
      ['451 4.3.0', '451 4.3.0', '451 4.3.0'],
    ],
  ] as readonly (readonly [string, Deliver, string[]])[])('deliver gives %s', async (_, deliver, replies) => {
    expect(await send(deliver, ['a@x.test', 'b@x.test', 'c@x.test'])).toEqual(replies)
  })

  it('the same recipient twice is answered twice (S27)', async () => {
    expect(await send(({ envelope }) => envelope.recipients.map(() => undefined), ['a@x.test', 'a@x.test'])).toEqual([
      '250 2.0.0',
      '250 2.0.0',
    ])
  })
})

describe('an answer that is late', () => {
  const never = (): Promise<never> => new Promise(() => undefined)
  const begun = async (w: World) => {
    const client = w.connect()
    await client.ask('EHLO x.test', 'MAIL FROM:<>', 'RCPT TO:<a@mx.test>', 'DATA')
    return { client, said: client.ask('Subject: x', '', '.') }
  }

  it('is a 451 after five minutes; who still works on it is told to stop', async () => {
    let signal: AbortSignal | undefined
    const w = world({ server: { deliver: (_, context) => ((signal = context.signal), never()) } })
    const { client, said } = await begun(w)
    await w.clock.advance(299_999)
    expect([client.replies.length, signal?.aborted]).toEqual([5, false])
    await w.clock.advance(1)
    expect(await said).toEqual([fault])
    expect(signal?.aborted).toBe(true)
    expect(w.events).toContainEqual(expect.objectContaining({ kind: 'failed', what: 'deliver' }))
    expect(await client.ask('NOOP')).toEqual(['250 2.0.0 Ok'])
  })

  it('changes nothing any more when it comes', async () => {
    const w = world({
      server: { deliver: () => new Promise((resolve) => w.clock.alarm(w.clock.ticks() + 400_000, () => resolve(undefined))) },
    })
    const { client, said } = await begun(w)
    await w.clock.advance(300_000)
    await said
    await client.ask('NOOP')
    await w.clock.advance(100_000)
    expect(client.replies.at(-1)).toBe('250 2.0.0 Ok')
  })

  it('comes from a policy: then nothing is delivered', async () => {
    const late = {
      name: 'late',
      message: () => new Promise<void>((resolve) => w.clock.alarm(w.clock.ticks() + 400_000, () => resolve())),
    }
    const w: World = world({ server: { policies: [late] } })
    const { said } = await begun(w)
    await w.clock.advance(300_000)
    expect(await said).toEqual([fault])
    await w.clock.advance(100_000)
    expect(w.delivered).toEqual([])
    expect(w.events.filter(({ kind }) => kind === 'accepted')).toEqual([])
  })

  it('is not waited for when the client has gone: who works on it is told to stop', async () => {
    let signal: AbortSignal | undefined
    const w = world({ server: { deliver: (_, context) => ((signal = context.signal), never()) } })
    const { client } = await begun(w)
    await w.clock.advance(0)
    client.reset()
    await w.clock.advance(0)
    expect([signal?.aborted, w.connections]).toEqual([true, 0])
  })

  it('is not even asked for when the client has gone while policies had their say', async () => {
    const w: World = world({
      server: { policies: [{ name: 'slow', message: (_, stage) => stage.wait(1000).catch(() => undefined) }] },
    })
    const { client } = await begun(w)
    await w.clock.advance(0)
    client.reset()
    await w.clock.advance(2000)
    expect(w.delivered).toEqual([])
  })
})

describe('a message that is delivered', () => {
  it('tells what it is', async () => {
    const w = world({ now: Date.UTC(2026, 0, 2) })
    const client = w.connect('203.0.113.9')
    await client.send({
      from: 'A@Sender.Test',
      to: 'b+t@mx.test',
      content:
        'Message-ID: <1@s.test>\nIn-Reply-To: <0@s.test>\nAuto-Submitted: auto-replied\n' +
        'Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\n\nText\n',
    })
    const [message] = w.delivered
    expect(message).toMatchObject({
      envelope: {
        sender: { local: 'A', domain: 'sender.test' },
        recipients: [{ user: 'b', tag: 't' }],
        body: '7BIT',
        smtpUtf8: false,
        size: undefined,
      },
      connection: {
        peer: { address: '203.0.113.9' },
        protocol: 'smtp',
        hello: { verb: 'EHLO', name: 'client.test' },
        account: undefined,
        tls: undefined,
      },
      received: Date.UTC(2026, 0, 2),
      notes: [],
    })
    expect([message!.threadId, message!.automated]).toEqual(['<0@s.test>', 'auto-submitted'])
    expect(message!.id).toBe(`${message!.connection.id}.1`)
    expect(message!.headers.text('subject')).toBe('Gr\u00fc\u00dfe')
    const raw = Buffer.from(message!.body.bytes!).toString()
    expect(message!.octets).toBe(raw.length)
    const some: Uint8Array[] = []
    for await (const piece of message!.raw({ start: raw.indexOf('Text'), end: raw.length })) some.push(piece)
    expect(Buffer.concat(some).toString()).toBe('Text\r\n')
    expect(message!.facts.octets).toBe(raw.length)
    expect((await message!.parsed()).text).toBe('Text\n')
  })

  it('has an id that no other has', async () => {
    const w = world()
    const client = w.connect()
    for (let count = 0; count < 3; count++) await client.send({ to: 'a@mx.test' })
    await w.connect().send({ to: 'a@mx.test' })
    expect(new Set(w.delivered.map(({ id }) => id)).size).toBe(4)
    expect(client.replies.at(-1)).toBe(`250 2.0.0 Ok ${w.delivered[2]!.id}`)
  })
})
