import { describe, expect, it } from 'vitest'
import {
  type Conversation,
  drive,
  type Host,
  isMailError,
  MailError,
  type SessionEvent,
} from '../../../src/protocol/session/index.ts'
import {
  type Reply,
  smtpServerConfig,
  type SmtpServerEvent,
  type SmtpServerOptions,
  smtpServerSession,
} from '../../../src/protocol/smtp/index.ts'
import { type Deferred, deferred, FakeClock, FakeTransport, settled, tls } from './fakes.ts'

interface Driven {
  readonly transport: FakeTransport
  readonly clock: FakeClock
  readonly conversation: Conversation
  readonly failures: [unknown, string][]
  /** What the options of the driver were told. */
  readonly told: string[]
}

function driven(host: Host<SmtpServerEvent> = {}, options: Partial<SmtpServerOptions> = {}): Driven {
  const transport = new FakeTransport()
  const clock = new FakeClock()
  const failures: [unknown, string][] = []
  const told: string[] = []
  const session = smtpServerSession(smtpServerConfig({ hostname: 'mx.example.org', ...options }), {}, clock.ticks())
  const conversation = drive(session, transport, host, {
    clock,
    secured: ({ protocol }) => void told.push(`secured ${protocol}`),
    closed: (error) => void told.push(`closed${error ? ` ${error.message}` : ''}`),
    failed: (error, event: SessionEvent) => void failures.push([error, event.kind]),
  })
  return { transport, clock, conversation, failures, told }
}

/** A conversation in which a message is about to be sent. */
function sending(host: Host<SmtpServerEvent> = {}, options: Partial<SmtpServerOptions> = {}): Driven {
  const begun = driven(host, options)
  begun.transport.say('EHLO client.example')
  begun.transport.say('MAIL FROM:<a@client.example>', 'RCPT TO:<b@example.org>', 'DATA')
  begun.transport.since()
  return begun
}

const greeting = '220 mx.example.org ESMTP\r\n'
const message = (text: string): string => `${text}\r\n.\r\n`

describe('a batch', () => {
  it('begins with the transport open, then the greeting', () => {
    expect(driven().transport.calls).toEqual(['open', greeting])
  })

  it('is answered in one write', () => {
    const { transport } = driven()
    transport.since()
    transport.say('HELO x', 'MAIL FROM:<>', 'RCPT TO:<a@b.c>', 'RCPT TO:<b@b.c>', 'DATA')
    expect(transport.since()).toEqual([
      '250 mx.example.org\r\n250 2.1.0 Sender ok\r\n250 2.1.5 Recipient ok\r\n250 2.1.5 Recipient ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n',
    ])
    transport.send(`${message('x')}QUIT\r\n`)
    expect(transport.since()).toEqual(['250 2.0.0 Message accepted\r\n221 2.0.0 Bye\r\n', 'end'])
  })

  it('writes nothing where there is nothing to say', () => {
    const { transport, clock } = sending()
    transport.send('half a li')
    transport.send('ne')
    clock.pass(1000)
    expect(transport.calls).toEqual([])
  })
})

describe('answers', () => {
  it('go out in the order of the commands, in one write for all that are ready', async () => {
    const waiting = new Map<string, Deferred<Reply | undefined>>()
    const { transport } = driven({
      recipient: ({ recipient }) => {
        waiting.set(recipient.local, deferred())
        return waiting.get(recipient.local)!.promise
      },
    })
    transport.say('HELO x', 'MAIL FROM:<>', 'RCPT TO:<one@b.c>', 'RCPT TO:<two@b.c>', 'RCPT TO:<three@b.c>')
    transport.since()
    expect([...waiting.keys()]).toEqual(['one', 'two', 'three'])
    waiting.get('three')!.resolve({ code: 550, text: 'three' })
    waiting.get('two')!.resolve({ code: 250, text: 'two' })
    await settled()
    expect(transport.since()).toEqual([])
    waiting.get('one')!.resolve(undefined)
    await settled()
    expect(transport.since()).toEqual(['250 2.1.5 Recipient ok\r\n250 two\r\n550 three\r\n'])
  })

  it('may come at once, later, or not at all', async () => {
    const { transport } = driven({ hello: () => undefined, sender: async () => undefined })
    transport.say('HELO x', 'MAIL FROM:<>')
    await settled()
    expect(transport.since()).toEqual(['open', greeting, '250 mx.example.org\r\n', '250 2.1.0 Sender ok\r\n'])
  })

  it.each<[string, unknown]>([
    ['a reply of 3xx', { code: 354, text: 'go' }],
    ['a reply with a line end', { code: 250, text: 'ok\r\n250 evil' }],
    ['a code that is none', { code: 99, text: '' }],
    ['an enhanced code of another class', { code: 250, enhanced: '5.0.0', text: '' }],
    ['no text', { code: 250 }],
    ['null', null],
    ['a string', '250 ok'],
    ['true', true],
  ])('that are none are 451 to the peer and a failure to the host: %s', async (_what, answer) => {
    for (const given of [answer, Promise.resolve(answer)]) {
      for (const kind of ['hello', 'sender', 'recipient', 'content', 'message', 'verify', 'expand'] as const) {
        const { transport, failures } = driven({ [kind]: () => given as never })
        for (const line of ['EHLO x', 'MAIL FROM:<>', 'RCPT TO:<a@b.c>', 'DATA', '.', 'VRFY x', 'EXPN x']) {
          transport.say(line)
          await settled()
        }
        expect(transport.calls.join('')).toContain('451 4.3.0 Temporary failure, try again later\r\n')
        expect(failures[0]?.[1]).toBe(kind)
        expect(transport.calls.join('')).not.toContain('evil')
      }
    }
  })

  it.each<[string, unknown]>([
    ['2xx without an account', { code: 235, text: 'ok' }],
    ['an account that is none', { account: undefined }],
    ['a number', 5],
  ])('to auth must name an account: %s', (_what, answer) => {
    const mechanism = {
      name: 'X',
      plaintext: false,
      begin: () => ({ respond: () => ({ kind: 'verify', credentials: {} }) as never }),
    }
    const { transport, failures } = driven({ auth: () => answer as never }, { auth: { mechanisms: [mechanism], required: true } })
    transport.say('EHLO x')
    transport.since()
    transport.say('AUTH X', 'MAIL FROM:<>')
    expect(transport.since()).toEqual(['451 4.3.0 Temporary failure, try again later\r\n530 5.7.0 Authentication required\r\n'])
    expect(failures).toHaveLength(1)
  })

  it('to an LMTP message must be as many as its recipients', () => {
    for (const count of [0, 1, 3]) {
      const replies = Array.from({ length: count }, () => ({ code: 250, text: 'ok' }))
      const { transport, failures } = driven({ message: () => replies }, { profile: 'lmtp' })
      transport.say('LHLO x', 'MAIL FROM:<>', 'RCPT TO:<a@b.c>', 'RCPT TO:<b@b.c>', 'DATA')
      transport.since()
      transport.say('.')
      expect(transport.since()).toEqual(['451 4.3.0 Temporary failure, try again later\r\n'.repeat(2)])
      expect(isMailError(failures[0]?.[0])).toBe(true)
    }
  })
})

describe('a handler that throws or rejects', () => {
  it('is 451 to the peer and a failure to the host', async () => {
    const boom = new Error('boom')
    for (const fail of [() => { throw boom }, () => Promise.reject(boom)]) {
      const { transport, failures } = driven({ sender: fail })
      transport.say('HELO x', 'MAIL FROM:<>')
      await settled()
      expect(transport.calls.join('')).toContain('451 4.3.0 Temporary failure, try again later\r\n')
      expect(failures).toEqual([[boom, 'sender']])
    }
  })

  it('at the greeting is 421, and the end', () => {
    const { transport } = driven({ connect: () => { throw new Error('boom') } })
    expect(transport.calls).toEqual(['open', '421 4.3.0 Temporary failure, closing connection\r\n', 'end'])
  })

  it('over a piece of the body ends the connection, and nothing more of the message is handed over', async () => {
    for (const later of [false, true]) {
      const seen: string[] = []
      const { transport, failures } = sending({
        body: () => {
          seen.push('body')
          if (later) return Promise.reject(new Error('disk full'))
          throw new Error('disk full')
        },
        message: () => void seen.push('message'),
        abandoned: ({ why }) => void seen.push(`abandoned ${why}`),
        closed: ({ why }) => void seen.push(`closed ${why}`),
      })
      transport.send(message('one\r\n..two\r\n..three'))
      await settled()
      expect(seen).toEqual(['body', 'abandoned end', 'closed end'])
      expect(transport.since()).toEqual(later ? ['pause', 'reset'] : ['reset'])
      expect(failures.map(([, kind]) => kind)).toEqual(['body'])
    }
  })

  it('over what is over already is told, and changes nothing', () => {
    const { transport, failures } = driven({
      abandoned: () => { throw new Error('one') },
      closed: () => { throw new Error('two') },
    })
    transport.since()
    transport.say('HELO x', 'MAIL FROM:<>', 'RSET', 'QUIT')
    expect(transport.since()).toEqual(['250 mx.example.org\r\n250 2.1.0 Sender ok\r\n250 2.0.0 Ok\r\n221 2.0.0 Bye\r\n', 'end'])
    expect(failures.map(([, kind]) => kind)).toEqual(['abandoned', 'closed'])
  })

  it('inside the session resets the connection and is told', () => {
    const { transport, failures, told } = driven({}, {
      mailParameters: [{ keyword: 'X-BAD', check: () => { throw new Error('boom') } }],
    })
    transport.since()
    transport.say('EHLO x', 'MAIL FROM:<> X-BAD=1', 'NOOP')
    expect(transport.since()).toEqual(['reset'])
    expect(failures.map(([, kind]) => kind)).toEqual(['session'])
    transport.sink.closed()
    expect(told).toEqual(['closed'])
  })
})

describe('back-pressure', () => {
  it('stops reading while a handler of body is at work, and hands nothing over meanwhile', async () => {
    const works: Deferred<void>[] = []
    const seen: string[] = []
    const { transport } = sending({
      body: ({ bytes }) => {
        seen.push(Buffer.from(bytes).toString())
        works.push(deferred())
        return works.at(-1)!.promise
      },
      message: () => void seen.push('message'),
    })
    transport.send('one\r\n')
    expect(transport.since()).toEqual(['pause'])
    transport.send(message('two'))
    expect(seen).toEqual(['one\r\n'])
    works[0]!.resolve()
    await settled()
    expect(seen).toEqual(['one\r\n', 'two\r\n'])
    expect(transport.since()).toEqual([])
    works[1]!.resolve()
    await settled()
    expect(seen).toEqual(['one\r\n', 'two\r\n', 'message'])
    expect(transport.since()).toEqual(['250 2.0.0 Message accepted\r\n', 'resume'])
  })

  it('stops reading while the transport is congested', () => {
    const { transport } = driven()
    transport.since()
    transport.room = false
    transport.say('NOOP')
    expect(transport.since()).toEqual(['250 2.0.0 Ok\r\n', 'pause'])
    transport.room = true
    transport.sink.drained()
    expect(transport.since()).toEqual(['resume'])
  })

  it('stops reading when enough waits for an answer', async () => {
    const answer = deferred<undefined>()
    const { transport } = driven({ hello: () => answer.promise }, { limits: { commands: Infinity } })
    transport.say('HELO x')
    transport.since()
    for (let count = 0; count < 4; count++) transport.send('NOOP aaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(1000))
    expect(transport.since()).toEqual(['pause'])
    answer.resolve(undefined)
    await settled()
    expect(transport.calls.pop()).toBe('resume')
  })

  it('answers a flood of commands in writes of bounded size', () => {
    const { transport } = driven({}, { limits: { commands: Infinity } })
    transport.since()
    transport.send('NOOP\r\n'.repeat(30_000))
    const writes = transport.since()
    expect(writes.join('')).toBe('250 2.0.0 Ok\r\n'.repeat(30_000))
    for (const write of writes) expect(write.length).toBeLessThan(66_000)
  })

  it('does not answer on and on while nobody reads', () => {
    const { transport } = driven({}, { limits: { commands: Infinity } })
    transport.since()
    transport.room = false
    transport.send('NOOP\r\n'.repeat(30_000))
    const [write, ...rest] = transport.since()
    expect(write!.length).toBeLessThan(66_000)
    expect(rest).toEqual(['pause'])
    transport.room = true
    transport.sink.drained()
    expect(write!.length + transport.since().join('').replace('resume', '').length).toBe(14 * 30_000)
  })
})

describe('time', () => {
  it('sets an alarm for the deadline, and few more however many commands come', () => {
    const { transport, clock } = driven()
    transport.say('HELO x')
    for (let count = 0; count < 1000; count++) {
      clock.pass(100)
      transport.say('MAIL FROM:<>', 'RCPT TO:<a@b.c>', 'DATA')
      clock.pass(100)
      transport.send(message('x'))
    }
    expect(clock.pending).toBe(1)
    expect(clock.set).toBeLessThan(20)
  })

  it('ends an idle conversation, and rings no more', () => {
    const { transport, clock } = driven()
    transport.since()
    transport.say('HELO x')
    clock.pass(300_000)
    expect(transport.since()).toEqual(['250 mx.example.org\r\n', '421 4.4.2 Timeout, closing connection\r\n', 'end'])
    expect(clock.pending).toBe(0)
  })

  it('never spins, whatever the deadlines', () => {
    const { transport, clock } = driven(
      {},
      {
        timeouts: {
          idle: Infinity,
          greeting: Infinity,
          total: Infinity,
          command: 0,
          data: 0,
          answer: 0,
          message: 0,
          authDelay: 0,
        },
      },
    )
    expect(clock.pending).toBe(0)
    transport.say('HELO x')
    clock.pass(1e9)
    expect(clock.set).toBe(0)
    transport.send('NO')
    clock.pass(1)
    expect(transport.calls.at(-1)).toBe('end')
    expect(clock.set).toBe(1)
  })

  it('answers for a host that does not, and tells its handler; what it says later is not heard', async () => {
    const answer = deferred<Reply>()
    let signal: AbortSignal | undefined
    const seen: string[] = []
    const { transport, clock } = driven({
      sender: (question, conversation) => {
        signal = conversation.signal(question)
        return answer.promise
      },
      abandoned: ({ why, question }) => void seen.push(`${why} ${question}`),
    })
    transport.say('HELO x', 'MAIL FROM:<>')
    transport.since()
    clock.pass(59_999)
    expect(signal!.aborted).toBe(false)
    clock.pass(1)
    expect(signal!.aborted).toBe(true)
    expect(transport.since()).toEqual(['451 4.3.0 Temporary failure, try again later\r\n'])
    expect(seen).toEqual(['timeout 3'])
    answer.resolve({ code: 250, text: 'late' })
    await settled()
    expect(transport.since()).toEqual([])
  })

  it('counts from when an answer came, not from when it was asked for', async () => {
    const answer = deferred<undefined>()
    const { transport, clock } = driven({ sender: () => answer.promise }, { timeouts: { answer: 1_000_000, idle: 300_000 } })
    transport.say('HELO x', 'MAIL FROM:<>')
    clock.pass(900_000)
    answer.resolve(undefined)
    await settled()
    transport.since()
    clock.pass(299_999)
    expect(transport.since()).toEqual([])
    clock.pass(1)
    expect(transport.since()).toEqual(['421 4.4.2 Timeout, closing connection\r\n', 'end'])
  })
})

describe('signals', () => {
  it('abort when the transport has gone, before it is told that all is over', async () => {
    const answer = deferred<undefined>()
    const seen: string[] = []
    const { transport, told } = driven({
      sender: (question, conversation) => {
        conversation.signal(question).addEventListener('abort', () => seen.push('aborted'))
        return answer.promise
      },
      abandoned: ({ question }) => void seen.push(`abandoned ${question}`),
      closed: ({ why }) => void seen.push(`closed ${why} ${told.length}`),
    })
    transport.say('HELO x', 'MAIL FROM:<>')
    transport.sink.closed(new Error('reset'))
    expect(seen).toEqual(['aborted', 'abandoned 3', 'closed end 0'])
    expect(told).toEqual(['closed reset'])
    answer.resolve(undefined)
    await settled()
    expect(seen).toHaveLength(3)
    expect(told).toHaveLength(1)
  })

  it('are aborted already where they are asked for too late', async () => {
    const until = deferred<void>()
    let signal: AbortSignal | undefined
    const { transport, clock } = driven({
      sender: async (question, conversation) => {
        await until.promise
        signal = conversation.signal(question)
      },
    })
    transport.say('HELO x', 'MAIL FROM:<>')
    clock.pass(60_000)
    until.resolve()
    await settled()
    expect(signal!.aborted).toBe(true)
  })

  it('of a question that was answered never abort', async () => {
    const signals: AbortSignal[] = []
    const { transport } = driven({
      sender: (question, conversation) => void signals.push(conversation.signal(question)),
      recipient: async (question, conversation) => void signals.push(conversation.signal(question)),
    })
    transport.say('HELO x', 'MAIL FROM:<>', 'RCPT TO:<a@b.c>')
    await settled()
    transport.say('RSET')
    transport.sink.closed()
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false])
  })

  it('are one for each question, however often they are asked for', async () => {
    const { transport } = driven({
      sender: async (question, conversation) => {
        expect(conversation.signal(question)).toBe(conversation.signal(question))
      },
    })
    transport.say('HELO x', 'MAIL FROM:<>')
    await settled()
    expect(transport.calls.at(-1)).toBe('250 2.1.0 Sender ok\r\n')
  })
})

describe('the end', () => {
  it('comes once: a peer that quits, and a transport that closes twice', () => {
    const seen: string[] = []
    const { transport, told, clock } = driven({ closed: ({ why }) => void seen.push(why) })
    transport.since()
    transport.say('QUIT')
    expect(transport.since()).toEqual(['221 2.0.0 Bye\r\n', 'end'])
    expect(told).toEqual([])
    transport.sink.closed()
    transport.sink.closed(new Error('again'))
    expect(seen).toEqual(['quit'])
    expect(told).toEqual(['closed'])
    expect(clock.pending).toBe(0)
    expect(transport.since()).toEqual([])
  })

  it('gives all replies to a peer that has said everything and its end', async () => {
    const { transport } = sending({ message: async () => ({ code: 250, text: 'stored' }) })
    transport.send(`${message('x')}QUIT\r\n`)
    transport.sink.ended()
    await settled()
    expect(transport.since()).toEqual(['250 stored\r\n221 2.0.0 Bye\r\n', 'end'])
  })

  it('of a peer that leaves without a word', () => {
    const { transport } = driven()
    transport.since()
    transport.sink.ended()
    expect(transport.since()).toEqual(['end'])
  })

  it('delivers nothing more of what a peer sent that has gone', async () => {
    const seen: string[] = []
    const answer = deferred<undefined>()
    const { transport } = driven({
      sender: () => answer.promise,
      message: () => void seen.push('message'),
      closed: () => void seen.push('closed'),
    })
    transport.say('HELO x', 'MAIL FROM:<>', 'RCPT TO:<a@b.c>', 'DATA')
    transport.send(message('x'))
    transport.sink.closed()
    answer.resolve(undefined)
    await settled()
    expect(seen).toEqual(['closed'])
  })

  it('waits for a handler of body that is at work', async () => {
    const work = deferred<void>()
    const seen: string[] = []
    const { transport, told } = sending({
      body: () => work.promise,
      abandoned: ({ why }) => void seen.push(`abandoned ${why}`),
      closed: () => void seen.push('closed'),
    })
    transport.send('some')
    transport.sink.closed()
    expect([seen, told]).toEqual([[], []])
    work.resolve()
    await settled()
    expect([seen, told]).toEqual([['abandoned end', 'closed'], ['closed']])
  })

  it('waits for a handler of closed before the transport is ended', async () => {
    const work = deferred<void>()
    const { transport } = driven({ closed: () => work.promise })
    transport.since()
    transport.say('QUIT')
    expect(transport.since()).toEqual(['221 2.0.0 Bye\r\n', 'pause'])
    work.resolve()
    await settled()
    expect(transport.since()).toEqual(['end'])
  })

  it('comes at once when the host resets, and nothing is said', async () => {
    const { transport, conversation, told } = driven()
    transport.since()
    conversation.reset()
    transport.say('NOOP')
    expect(transport.since()).toEqual(['reset'])
    transport.sink.closed()
    conversation.reset()
    expect(transport.since()).toEqual([])
    expect(told).toEqual(['closed'])
  })

  it('comes at the next safe point when the host drains', async () => {
    const answer = deferred<undefined>()
    const { transport, conversation } = sending({ message: () => answer.promise })
    transport.send('x')
    conversation.drain()
    transport.send(message(''))
    expect(transport.since()).toEqual([])
    answer.resolve(undefined)
    await settled()
    expect(transport.since()).toEqual([
      '250 2.0.0 Message accepted\r\n421 4.3.2 Service is shutting down, try again later\r\n',
      'end',
    ])
  })

  it('may be asked for from inside a handler', () => {
    const { transport } = driven({ hello: (_question, conversation) => conversation.drain() })
    transport.since()
    transport.say('HELO x')
    expect(transport.since()).toEqual(['250 mx.example.org\r\n421 4.3.2 Service is shutting down, try again later\r\n', 'end'])
  })
})

describe('STARTTLS', () => {
  it('writes the 220, then begins TLS, then goes on', () => {
    const { transport, told } = driven({}, { startTls: true })
    transport.say('EHLO x')
    transport.since()
    transport.say('STARTTLS')
    expect(transport.since()).toEqual(['220 Ready to start TLS\r\n', 'startTls'])
    transport.sink.secured(tls)
    expect(told).toEqual(['secured TLSv1.3'])
    transport.say('MAIL FROM:<>')
    expect(transport.since()).toEqual(['503 5.5.1 Say EHLO first\r\n'])
  })

  it('ends the connection of a peer that has sent more in the clear', () => {
    const { transport } = driven({}, { startTls: true })
    transport.say('EHLO x')
    transport.since()
    transport.say('STARTTLS', 'MAIL FROM:<evil@x>')
    expect(transport.since()).toEqual(['220 Ready to start TLS\r\n', 'startTls', 'end'])
  })

  it('resets where the transport cannot', () => {
    const { transport, failures } = driven({}, { startTls: true })
    transport.broken = new MailError('misuse', 'no certificates')
    transport.say('EHLO x')
    transport.since()
    transport.say('STARTTLS')
    expect(transport.since()).toEqual(['220 Ready to start TLS\r\n', 'startTls', 'reset'])
    expect(failures.map(([, kind]) => kind)).toEqual(['startTls'])
  })

  it('ends when the handshake takes too long', () => {
    const { transport, clock } = driven({}, { startTls: true })
    transport.say('EHLO x', 'STARTTLS')
    transport.since()
    clock.pass(30_000)
    expect(transport.since()).toEqual(['end'])
  })
})
