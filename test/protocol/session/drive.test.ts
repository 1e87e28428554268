import { describe, expect, it } from 'vitest'
import { isMailError } from '../../../src/protocol/session/index.ts'
import type { Reply } from '../../../src/protocol/smtp/index.ts'
import { driven, greeting, message, sending } from './driven.ts'
import { type Deferred, deferred, settled } from './fakes.ts'

describe('a batch', () => {
  it('begins with the transport open, then the greeting', () => {
    expect(driven().transport.calls).toEqual(['open', greeting])
  })

  it('is answered in one write', () => {
    const { transport } = driven()
    transport.since()
    transport.say('HELO x', 'MAIL FROM:<>', 'RCPT TO:<a@b.c>', 'RCPT TO:<b@b.c>', 'DATA')
    expect(transport.since()).toEqual([
      '250 mx.example.org\r\n250 2.1.0 Sender ok\r\n250 2.1.5 Recipient ok\r\n250 2.1.5 Recipient ok\r\n' +
        '354 End data with <CR><LF>.<CR><LF>\r\n',
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

  it('leaves to the session what comes up while the transport is congested', () => {
    const { transport, clock } = driven()
    transport.since()
    transport.room = false
    transport.say('NOOP')
    transport.since()
    // What a transport had read before it was told to pause.
    transport.say('NOOP', 'NOOP')
    clock.pass(1000)
    expect(transport.since()).toEqual([])
    transport.room = true
    transport.sink.drained()
    expect(transport.since()).toEqual(['250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n', 'resume'])
  })

  it('writes the last words whether or not there is room', () => {
    const { transport, clock } = driven()
    transport.since()
    transport.room = false
    transport.say('NOOP')
    transport.since()
    clock.pass(300_000)
    expect(transport.since()).toEqual(['421 4.4.2 Timeout, closing connection\r\n', 'end'])
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
