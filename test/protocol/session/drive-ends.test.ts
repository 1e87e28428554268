import { describe, expect, it } from 'vitest'
import { MailError } from '../../../src/protocol/session/index.ts'
import type { Reply } from '../../../src/protocol/smtp/index.ts'
import { driven, message, sending } from './driven.ts'
import { deferred, settled, tls } from './fakes.ts'

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

  it('lets no handler in while another is at work, whatever that does', () => {
    const seen: string[] = []
    const { transport } = sending({
      body: ({ bytes }, conversation) => {
        seen.push(`begins ${bytes.length}`)
        conversation.drain()
        seen.push(`ends ${bytes.length}`)
      },
    })
    transport.send(message('one\r\n..two'))
    expect(seen).toEqual(['begins 5', 'ends 5', 'begins 6', 'ends 6'])
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

  it('drains behind the handshake, where it was asked to meanwhile', () => {
    const { transport, conversation } = driven({}, { startTls: true })
    transport.say('EHLO x', 'STARTTLS')
    conversation.drain()
    transport.since()
    transport.sink.secured(tls)
    expect(transport.since()).toEqual(['421 4.3.2 Service is shutting down, try again later\r\n', 'end'])
  })

  it('ends when the handshake takes too long', () => {
    const { transport, clock } = driven({}, { startTls: true })
    transport.say('EHLO x', 'STARTTLS')
    transport.since()
    clock.pass(30_000)
    expect(transport.since()).toEqual(['end'])
  })
})
