import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Reply } from '../../../src/protocol/smtp/index.ts'
import { driven, drivenOn, message } from './driven.ts'
import { CostlyTransport, type Deferred, deferred, settled } from './fakes.ts'

const ready = '250 2.1.5 Recipient ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n'

describe('what is said while a handler is at work', () => {
  it('goes out with its answer, in one write, where that is at hand', async () => {
    const { transport } = drivenOn(new CostlyTransport(), { recipient: async () => undefined })
    transport.say('HELO x')
    transport.since()
    transport.say('MAIL FROM:<>', 'RCPT TO:<a@b.c>', 'DATA')
    expect(transport.since()).toEqual([])
    await settled()
    transport.calm()
    expect(transport.since()).toEqual([`250 2.1.0 Sender ok\r\n${ready}`])
  })

  it('waits for all that are at hand', async () => {
    const { transport } = drivenOn(new CostlyTransport(), { sender: async () => undefined, recipient: async () => undefined })
    transport.say('HELO x')
    transport.since()
    transport.say('MAIL FROM:<>', 'RCPT TO:<a@b.c>', 'RCPT TO:<d@b.c>', 'DATA')
    await settled()
    expect(transport.since()).toEqual([`250 2.1.0 Sender ok\r\n250 2.1.5 Recipient ok\r\n${ready}`])
  })

  it('waits no longer than that', async () => {
    const slow = deferred<Reply | undefined>()
    const { transport } = drivenOn(new CostlyTransport(), { recipient: () => slow.promise })
    transport.say('HELO x')
    transport.since()
    transport.say('MAIL FROM:<>', 'RCPT TO:<a@b.c>', 'DATA')
    transport.calm()
    expect(transport.since()).toEqual(['250 2.1.0 Sender ok\r\n'])
    slow.resolve(undefined)
    await settled()
    expect(transport.since()).toEqual([ready])
  })

  it('goes out at once on a transport to which a write is nothing', () => {
    const { transport } = driven({ recipient: async () => undefined })
    transport.say('HELO x')
    transport.since()
    transport.say('MAIL FROM:<>', 'RCPT TO:<a@b.c>', 'DATA')
    expect(transport.since()).toEqual(['250 2.1.0 Sender ok\r\n'])
  })

  it('is no more than a little', () => {
    const { transport } = drivenOn(new CostlyTransport(), { recipient: () => new Promise(() => {}) })
    transport.say('HELO x')
    transport.since()
    transport.say(...Array.from({ length: 2500 }, () => 'NOOP'), 'MAIL FROM:<>', 'RCPT TO:<a@b.c>')
    expect(transport.since().join('').length).toBeGreaterThan(2500 * 8)
  })

  it('is not lost where the conversation ends', () => {
    const { transport, conversation } = drivenOn(new CostlyTransport(), { recipient: () => new Promise(() => {}) })
    transport.say('HELO x')
    transport.since()
    transport.say('MAIL FROM:<>', 'RCPT TO:<a@b.c>')
    conversation.drain()
    transport.sink.ended()
    transport.calm()
    expect(transport.calls[0]).toBe('250 2.1.0 Sender ok\r\n')
  })

  it('says nothing to a peer that has gone', () => {
    const { transport } = drivenOn(new CostlyTransport(), { recipient: () => new Promise(() => {}) })
    transport.say('HELO x', 'MAIL FROM:<>', 'RCPT TO:<a@b.c>')
    transport.sink.closed()
    transport.since()
    transport.calm()
    expect(transport.since()).toEqual([])
  })

  it('waits for room like all else', async () => {
    const { transport } = drivenOn(new CostlyTransport(), { recipient: async () => undefined })
    transport.room = false
    transport.say('HELO x')
    transport.since()
    transport.say('MAIL FROM:<>', 'RCPT TO:<a@b.c>', 'DATA')
    await settled()
    transport.calm()
    expect(transport.since()).toEqual([])
    transport.room = true
    transport.sink.drained()
    expect(transport.since().join('')).toContain(`250 2.1.0 Sender ok\r\n${ready}`)
  })

  it('is the same text, whoever answers when', async () => {
    const dialogue = ['EHLO x', 'MAIL FROM:<>', 'RCPT TO:<a@b.c>', 'NOOP', 'RCPT TO:<d@b.c>', 'DATA']
    const said = async (answers: readonly ('now' | 'soon' | 'later')[], costly: boolean): Promise<string> => {
      const waiting: Deferred<undefined>[] = []
      let at = 0
      const answer = (): undefined | Promise<undefined> => {
        const when = answers[at++ % answers.length]
        if (when === 'now') return undefined
        if (when === 'soon') return Promise.resolve(undefined)
        waiting.push(deferred())
        return waiting.at(-1)!.promise
      }
      const host = { hello: answer, sender: answer, recipient: answer, message: answer }
      const { transport } = costly ? drivenOn(new CostlyTransport(), host) : driven(host)
      transport.say(...dialogue)
      for (let turn = 0; turn < 20; turn++) {
        if (turn === 10) transport.send(`${message('Hi')}QUIT\r\n`)
        await settled()
        if (transport instanceof CostlyTransport) transport.calm()
        waiting.shift()?.resolve(undefined)
      }
      return transport.calls.filter((call) => /^\d/.test(call)).join('')
    }
    await fc.assert(fc.asyncProperty(
      fc.array(fc.constantFrom('now' as const, 'soon' as const, 'later' as const), { minLength: 1, maxLength: 8 }),
      async (answers) => {
        expect(await said(answers, true)).toBe(await said(answers, false))
      },
    ), { numRuns: 60 })
  })
})
