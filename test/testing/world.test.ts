import { describe, expect, it } from 'vitest'
import { receiver, reject, tarpit } from '../../src/index.ts'
import { type WorldOptions, world } from '../../src/testing/world.ts'

const conversation = [
  'EHLO sender.test',
  'MAIL FROM:<a@sender.test>',
  'RCPT TO:<b@mx.test>',
  'DATA',
  'Subject: hello',
  '',
  'Text',
  '.',
  'QUIT',
]
/** The first words of each reply's last line. */
const brief = (replies: readonly string[]): string[] => replies.map((reply) => reply.split('\n').at(-1)!.slice(0, 9).trim())

describe('world', () => {
  it('carries a conversation, and knows all that happened', async () => {
    const w = world()
    const client = w.connect('203.0.113.9')
    const replies = await client.ask(...conversation)
    expect(brief(replies)).toEqual(['220 mx.te', '250 LIMIT', '250 2.1.0', '250 2.1.5', '354 End d', '250 2.0.0', '221 2.0.0'])
    expect(w.delivered.map((message) => message.headers.text('subject'))).toEqual(['hello'])
    expect(await client.closed).toBeUndefined()
    expect(w.connections).toBe(0)
    expect(w.events.map(({ kind }) => kind)).toEqual(['connected', 'accepted', 'closed'])
    expect(w.events[0]).toMatchObject({ address: '203.0.113.9', port: 40_001, at: Date.UTC(2026, 0, 1, 12) })
  })

  it('is the same again for the same seed, ids and trace included', async () => {
    const run = async (options: WorldOptions): Promise<string> => {
      const w = world(options)
      const client = w.connect('203.0.113.9')
      await client.ask(...conversation)
      return client.transcript + Buffer.from(w.delivered[0]!.body.bytes!).toString()
    }
    expect(await run({ seed: 7 })).toBe(await run({ seed: 7 }))
    expect(await run({ seed: 7 })).not.toBe(await run({ seed: 8 }))
    expect(await run({ seed: 7, link: { chunk: 1 } })).toBe(await run({ seed: 7 }))
  })

  it('passes time when it is told to, and only then', async () => {
    const w = world({ server: { policies: [tarpit({ delay: 5000, after: 0 })] } })
    const client = w.connect('203.0.113.9')
    await client.ask('EHLO x.test', 'MAIL FROM:<>')
    const said = client.ask('RCPT TO:<a@mx.test>')
    await w.clock.advance(4999)
    expect(client.replies).toHaveLength(3)
    await w.clock.advance(1)
    expect(await said).toEqual(['250 2.1.5 Recipient ok'])
    expect(brief(await w.clock.until(client.ask('RCPT TO:<b@mx.test>')))).toEqual(['250 2.1.5'])
    expect(w.clock.ticks()).toBe(10_000)
  })

  it('ends idle connections after five minutes of its time', async () => {
    const w = world()
    const client = w.connect('203.0.113.9')
    await client.ask('EHLO x.test')
    await w.clock.advance(300_000)
    expect(await client.reply()).toMatch(/^421 4\.4\.2/)
    await client.closed
    expect(client.isClosed).toBe(true)
    expect(w.clock.pending).toBe(0)
  })

  it('has a latency if it is asked for', async () => {
    const w = world({ latency: 50 })
    const client = w.connect('203.0.113.9')
    const said = client.ask('EHLO x.test', 'QUIT')
    await w.clock.until(said)
    // The greeting comes; then there and back, twice.
    expect(w.clock.ticks()).toBe(250)
  })

  it('takes a server of any make', async () => {
    const w = world({
      dns: { 'sender.test': { MX: '10 mail.sender.test' } },
      server: ({ clock, dns, random, observe }) =>
        receiver({
          hostname: 'made.test',
          clock,
          observe,
          random: (octets) => random.octets(octets),
          deliver: () => undefined,
          accepts: async (_, { envelope }) =>
            (await dns.resolve(envelope.sender?.domain ?? '', 'MX')).exists || reject('Unknown sender domain'),
        }),
    })
    const client = w.connect('203.0.113.9')
    expect((await client.send({ from: 'a@sender.test', to: 'b@c.test' })).accepted).toBe(true)
    expect(await client.send({ from: 'a@other.test', to: 'b@c.test' })).toMatchObject({
      accepted: false,
      reply: '550 5.7.1 Unknown sender domain',
    })
    expect(w.dns.asked.map(({ name }) => name)).toEqual(['sender.test', 'other.test'])
    expect(w.events.filter(({ kind }) => kind === 'accepted')).toHaveLength(1)
  })

  it('lets a client be anybody, anywhere, behind anything', async () => {
    const seen: unknown[] = []
    const w = world({ server: { policies: [{ name: 'look', connect: ({ peer }) => void seen.push(peer) }] } })
    await w
      .connect('2001:db8::9', {
        port: 5,
        localAddress: '2001:db8::1',
        localPort: 26,
        proxy: '192.0.2.7',
        tls: { serverName: 'mx.test' },
      })
      .ask()
    await w.connect().ask()
    expect(seen).toEqual([
      {
        address: '2001:db8::9',
        port: 5,
        localAddress: '2001:db8::1',
        localPort: 26,
        proxy: '192.0.2.7',
        tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', serverName: 'mx.test' },
      },
      { address: undefined, port: undefined, localAddress: '192.0.2.1', localPort: 25 },
    ])
  })

  it('stops as a listener does', async () => {
    const w = world()
    const idle = w.connect('203.0.113.9')
    const busy = w.connect('203.0.113.10')
    await idle.ask('EHLO x.test')
    await busy.ask('EHLO x.test', 'MAIL FROM:<>', 'RCPT TO:<a@mx.test>', 'DATA', 'half a mess')
    const stopping = w.stop({ within: 1000 })
    expect(await idle.reply()).toMatch(/^421 4\.3\.2/)
    await w.clock.advance(1000)
    expect(await stopping).toEqual({ completed: 1, cut: 1 })
    expect(await busy.closed).toBeInstanceOf(Error)
  })
})

describe('what a client says', () => {
  it('waits for the greeting first, and for each answer', async () => {
    const client = world().connect()
    expect(await client.ask()).toEqual(['220 mx.test ESMTP'])
    expect(await client.ask()).toEqual([])
    expect(brief(await client.ask('EHLO x.test', 'NOOP', 'FOO'))).toEqual(['250 LIMIT', '250 2.0.0', '500 5.5.1'])
  })

  it('is pipelined where it comes in one piece', async () => {
    const client = world().connect()
    await client.ask('EHLO x.test')
    const pipelined = await client.ask('MAIL FROM:<>\r\nRCPT TO:<a@mx.test>\r\nRCPT TO:<bad\r\nDATA')
    expect(brief(pipelined)).toEqual(['250 2.1.0', '250 2.1.5', '501 5.1.3', '354 End d'])
    expect(brief(await client.ask('Subject: x\r\n\r\n..\r\n.', 'NOOP'))).toEqual(['250 2.0.0', '250 2.0.0'])
  })

  it('may hold content along with DATA', async () => {
    const w = world({ server: { smtp: { rules: { pipelining: 'flag' } } } })
    const client = w.connect()
    await client.ask('EHLO x.test', 'MAIL FROM:<>', 'RCPT TO:<a@mx.test>')
    expect(brief(await client.ask('DATA\r\nSubject: x\r\n\r\nNOOP\r\n.\r\nNOOP'))).toEqual([
      '354 End d',
      '250 2.0.0',
      '250 2.0.0',
    ])
  })

  it('is a command again where DATA was refused', async () => {
    const client = world().connect()
    expect(brief(await client.ask('EHLO x.test', 'DATA', 'NOOP')).slice(2)).toEqual(['503 5.5.1', '250 2.0.0'])
  })

  it('may be chunks, with their octets beside them or after them', async () => {
    const w = world()
    const client = w.connect()
    await client.ask('EHLO x.test', 'MAIL FROM:<>', 'RCPT TO:<a@mx.test>')
    const replies = await client.ask(
      'BDAT 4',
      Buffer.from('a: b'),
      Buffer.from('BDAT 6\r\n\r\n\r\nNO'),
      'BDAT 0',
      Buffer.from('BDAT 4 LAST\r\nOP\r\nNOOP\r\n'),
    )
    expect(brief(replies)).toEqual(['250 2.0.0', '250 2.0.0', '250 2.0.0', '250 2.0.0', '250 2.0.0'])
    expect(Buffer.from(w.delivered[0]!.body.bytes!).toString()).toMatch(/\r\na: b\r\n\r\nNOOP\r\n$/)
  })

  it('is answered once for each recipient over LMTP', async () => {
    const w = world({ server: { profile: 'lmtp' } })
    const client = w.connect()
    await client.ask('LHLO x.test')
    const mail = ['MAIL FROM:<>', 'RCPT TO:<a@mx.test>', 'RCPT TO:<bad', 'RCPT TO:<b@mx.test>']
    expect(brief(await client.ask(...mail, 'DATA', '.'))).toHaveLength(4 + 1 + 2)
    expect(brief(await client.ask(...mail, 'BDAT 0', 'BDAT 0 LAST', 'NOOP'))).toHaveLength(4 + 1 + 2 + 1)
    expect(brief(await client.ask(...mail, 'RSET', 'MAIL FROM:<>', 'DATA', 'NOOP')).slice(4)).toEqual([
      '250 2.0.0',
      '250 2.1.0',
      '503 5.5.1',
      '250 2.0.0',
    ])
  })

  it('may be an AUTH exchange', async () => {
    const w = world({ server: { authenticate: ({ username }) => ({ account: username }), plaintextAuth: true } })
    const client = w.connect()
    const replies = await client.ask(
      'EHLO x.test',
      'AUTH LOGIN',
      Buffer.from('bob').toString('base64'),
      Buffer.from('pw').toString('base64'),
    )
    expect(brief(replies).slice(2)).toEqual(['334 VXNlc', '334 UGFzc', '235 2.7.0'])
    expect(await w.connect().login('alice', 'pw')).toMatch(/^235/)
  })

  it('stops where the server has closed', async () => {
    const client = world().connect()
    expect(brief(await client.ask('EHLO x.test', 'QUIT', 'NOOP'))).toEqual(['220 mx.te', '250 LIMIT', '221 2.0.0'])
    await client.closed
    expect(await client.ask('NOOP')).toEqual([])
    await expect(client.reply()).rejects.toMatchObject({ code: 'closed', message: expect.stringContaining('C: QUIT\nS: 221') })
    await expect(client.send({ to: 'a@mx.test' })).rejects.toMatchObject({ code: 'closed' })
  })

  it('is kept word by word', async () => {
    const client = world().connect()
    await client.ask('HELO x.test', 'MAIL FROM:<>', 'RCPT TO:<a@mx.test>', 'DATA', `x: ${'y'.repeat(9000)}`, '.')
    expect(client.transcript.split('\n')).toEqual([
      'S: 220 mx.test ESMTP',
      'C: HELO x.test',
      'S: 250 mx.test',
      'C: MAIL FROM:<>',
      'S: 250 2.1.0 Sender ok',
      'C: RCPT TO:<a@mx.test>',
      'S: 250 2.1.5 Recipient ok',
      'C: DATA',
      'S: 354 End data with <CR><LF>.<CR><LF>',
      'C: (9005 octets)',
      'C: .',
      expect.stringMatching(/^S: 250 2/),
    ])
  })
})

describe('a mail that a client sends', () => {
  const claims: WorldOptions = {
    server: { accepts: (to) => to.local === 'a' || (to.local === 'b' && reject(552, '5.2.2', 'Full')) },
  }

  it('has an outcome for each recipient', async () => {
    const w = world(claims)
    expect(await w.connect('203.0.113.9').send({ to: ['a@mx.test', 'b@mx.test', 'c@mx.test'] })).toEqual({
      accepted: true,
      reply: expect.stringMatching(/^250 2\.0\.0 Ok/),
      recipients: [
        { to: 'a@mx.test', accepted: true, reply: expect.stringMatching(/^250 2\.0\.0 Ok/) },
        { to: 'b@mx.test', accepted: false, reply: '552 5.2.2 Full' },
        { to: 'c@mx.test', accepted: false, reply: '550 5.1.1 No such recipient here' },
      ],
    })
    expect(w.delivered[0]!.envelope.recipients.map(({ wire }) => wire)).toEqual(['a@mx.test'])
  })

  it('may come to nobody, and the next is sent all the same', async () => {
    const client = world(claims).connect()
    expect(await client.send({ to: 'c@mx.test' })).toMatchObject({ accepted: false, reply: '550 5.1.1 No such recipient here' })
    expect(await client.send({ to: 'a@mx.test' })).toMatchObject({ accepted: true })
  })

  it('may be refused as a whole: at MAIL, at DATA, at its end', async () => {
    const refusing = (stage: string): WorldOptions => ({
      server: { policies: [{ name: 'no', [stage]: () => reject(`No ${stage}`) }] },
    })
    for (const stage of ['sender', 'message']) {
      const outcome = await world(refusing(stage))
        .connect()
        .send({ to: ['a@mx.test', 'b@mx.test'] })
      expect(outcome).toMatchObject({
        accepted: false,
        reply: `550 5.7.1 No ${stage}`,
        recipients: [{ accepted: false }, { accepted: false }],
      })
    }
    const binary = world({ server: { smtp: { extensions: { binaryMime: true } } } }).connect()
    expect(await binary.send({ to: 'a@mx.test', parameters: 'BODY=BINARYMIME' })).toMatchObject({
      accepted: false,
      reply: expect.stringMatching(/^503/),
    })
  })

  it('is answered for each recipient by itself over LMTP', async () => {
    const w = world({ server: { profile: 'lmtp', deliver: () => [undefined, reject('Not b')] } })
    const outcome = await w.connect().send({ to: ['a@mx.test', 'b@mx.test'] })
    expect(outcome.recipients.map(({ accepted, reply }) => [accepted, reply.slice(0, 9)])).toEqual([
      [true, '250 2.0.0'],
      [false, '550 5.7.1'],
    ])
  })

  it('arrives as it was written, dots and all', async () => {
    const w = world({ server: { trace: false } })
    const client = w.connect()
    const sent = async (content: string | Uint8Array): Promise<string> => {
      expect((await client.send({ from: null, to: 'a@mx.test', content })).accepted).toBe(true)
      return Buffer.from(w.delivered.at(-1)!.body.bytes!).toString('latin1')
    }
    expect(await sent('.a: b\n\n.\n..c\n')).toBe('.a: b\r\n\r\n.\r\n..c\r\n')
    expect(await sent('a: b\r\n\r\nno end')).toBe('a: b\r\n\r\nno end\r\n')
    expect(await sent('')).toBe('')
    expect(await sent(Uint8Array.of(46, 13, 10, 255, 13, 10))).toBe('.\r\n\u00ff\r\n')
    expect(w.delivered.at(-1)!.envelope.sender).toBeNull()
    const large = 'x'.repeat(70).concat('\r\n').repeat(20_000)
    expect(await sent(large)).toBe(large)
  })

  it('has a header of its own where none is given', async () => {
    const w = world({ server: { trace: false } })
    await w
      .connect()
      .send({ from: 'a@sender.test', to: ['b@mx.test', 'c@mx.test'], subject: 'Order 7', text: 'It is on its way.\n' })
    expect(Buffer.from(w.delivered[0]!.body.bytes!).toString()).toBe(
      'From: <a@sender.test>\r\nTo: <b@mx.test>, <c@mx.test>\r\nSubject: Order 7\r\n\r\nIt is on its way.\r\n',
    )
  })

  it('goes over TLS after STARTTLS, greeted anew', async () => {
    const w = world({ server: { smtp: { tlsRequired: true } } })
    const client = w.connect('203.0.113.9', { startTls: true, name: 'sender.test' })
    expect(await client.send({ to: 'a@mx.test' })).toMatchObject({ accepted: false, reply: expect.stringMatching(/^530/) })
    expect(await client.startTls({ serverName: 'mx.test' })).toMatch(/^220/)
    expect((await client.send({ to: 'a@mx.test' })).accepted).toBe(true)
    expect(w.delivered[0]!.connection).toMatchObject({ tls: { serverName: 'mx.test' }, hello: { name: 'sender.test' } })
    expect(w.events.some(({ kind }) => kind === 'secured')).toBe(true)
    expect(await world().connect().startTls()).toMatch(/^502/)
  })
})
