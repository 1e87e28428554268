import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { linkedTransports, memoryBodies } from '../../src/adapters/memory/index.ts'
import type { BodyStore } from '../../src/contracts/index.ts'
import { receiver } from '../../src/index.ts'
import { slow, socketWire, testClient, virtualClock, world } from '../../src/testing/index.ts'

const opening = ['EHLO x.test', 'MAIL FROM:<>', 'RCPT TO:<a@mx.test>', 'DATA']
const farewell = '421 4.3.2 Service is shutting down, try again later'

describe('a stop', () => {
  it('is over at once where nobody is there', async () => {
    expect(await world().stop()).toEqual({ completed: 0, cut: 0 })
  })

  it.each([
    ['before the greeting is read', []],
    ['greeted', ['EHLO x.test']],
    ['in a transaction', ['EHLO x.test', 'MAIL FROM:<>', 'RCPT TO:<a@mx.test>']],
    ['after a message', [...opening, '.']],
  ])('ends who is idle at once with 421: %s', async (_, words) => {
    const w = world()
    const client = w.connect()
    await client.ask(...words)
    const stopped = w.stop({ within: 1000 })
    expect(await client.reply()).toBe(farewell)
    await client.closed
    expect(await stopped).toEqual({ completed: 1, cut: 0 })
    expect([w.connections, w.clock.ticks()]).toEqual([0, 0])
  })

  it('ends who is in the middle of logging in', async () => {
    const w = world({ server: { authenticate: () => ({ account: 'a' }), plaintextAuth: true } })
    const client = w.connect()
    await client.ask('EHLO x.test', 'AUTH LOGIN')
    const stopped = w.stop()
    expect(await client.reply()).toBe(farewell)
    expect(await stopped).toEqual({ completed: 1, cut: 0 })
  })

  it('finishes a message between its end and its reply, whatever that takes', async () => {
    let release = (): void => undefined
    const w = world({ server: { deliver: () => new Promise((resolve) => (release = () => resolve(undefined))) } })
    const client = w.connect()
    await client.ask(...opening)
    client.write('Subject: x\r\n\r\n.\r\n')
    await w.clock.advance(0)
    const stopped = w.stop({ within: 30_000 })
    await w.clock.advance(29_000)
    expect(client.replies).toHaveLength(5)
    release()
    expect(await client.reply()).toMatch(/^250 2\.0\.0 Ok/)
    expect(await client.reply()).toBe(farewell)
    expect(await stopped).toEqual({ completed: 1, cut: 0 })
  })

  it('takes a message to its end that has begun to come', async () => {
    const w = world()
    const client = w.connect()
    await client.ask(...opening, 'Subject: x', '', 'half')
    const stopped = w.stop()
    await w.clock.advance(1000)
    expect(await client.ask('of it', '.')).toEqual([expect.stringMatching(/^250/), farewell])
    expect(await stopped).toEqual({ completed: 1, cut: 0 })
    expect(w.delivered).toHaveLength(1)
  })

  it('cuts the rest when its time is up: no reply, no 250, the work is told to stop', async () => {
    let signal: AbortSignal | undefined
    const w = world({ server: { deliver: (_, context) => ((signal = context.signal), new Promise(() => undefined)) } })
    const working = w.connect()
    await working.ask(...opening)
    working.write('.\r\n')
    const sending = w.connect()
    await sending.ask(...opening, 'half a mess')
    const idle = w.connect()
    await idle.ask()
    const stopped = w.stop({ within: 5000 })
    await w.clock.advance(4999)
    expect([w.connections, signal?.aborted]).toEqual([2, false])
    await w.clock.advance(1)
    expect(await stopped).toEqual({ completed: 1, cut: 2 })
    expect([w.connections, signal?.aborted]).toEqual([0, true])
    expect(await working.closed).toBeInstanceOf(Error)
    expect([working.replies.length, sending.replies.length]).toEqual([5, 5])
    expect(w.clock.pending).toBe(0)
  })

  it('gives the same to who asks again', async () => {
    const w = world()
    await w.connect().ask()
    expect(await Promise.all([w.stop(), w.stop()])).toEqual([
      { completed: 1, cut: 0 },
      { completed: 1, cut: 0 },
    ])
  })

  it('ends at once who slips in afterwards', async () => {
    const w = world()
    await w.stop()
    expect(await w.connect().ask('EHLO x.test')).toEqual(['220 mx.test ESMTP', farewell])
  })

  it('does not wait for a client that will not read', async () => {
    const w = world({ server: { smtp: { timeouts: { command: 1_000_000 } } } })
    const client = w.connect('203.0.113.9', { through: slow({ octetsPerSecond: 0.01, clock: w.clock }) })
    await client.ask()
    client.write('NOOP')
    const stopped = w.stop({ within: 5000 })
    await w.clock.advance(5000)
    expect(await stopped).toEqual({ completed: 0, cut: 1 })
  })
})

describe('a stop of a listener', () => {
  it('ends who is idle, takes what has begun, refuses who is new, and closes the port', async () => {
    const clock = virtualClock()
    let release = (): void => undefined
    let begun = (): void => undefined
    const delivering = new Promise<void>((resolve) => (begun = resolve))
    const mx = receiver({
      hostname: 'mx.test',
      accepts: () => true,
      clock,
      deliver: () => (begun(), new Promise((resolve) => (release = () => resolve(undefined)))),
    })
    const running = await mx.listen({ port: 0, host: '127.0.0.1' })
    const dial = () => testClient(socketWire(connect({ port: running.port, host: '127.0.0.1', allowHalfOpen: true })))
    const [idle, busy] = [dial(), dial()]
    await idle.ask('EHLO x.test')
    await busy.ask(...opening)
    busy.write('.\r\n')
    await delivering
    expect(running.connections).toBe(2)
    const stopped = running.stop({ within: 1000 })
    expect(await idle.reply()).toBe(farewell)
    const late = connect({ port: running.port, host: '127.0.0.1' })
    const error = await new Promise((resolve) => late.once('error', resolve))
    expect(error).toMatchObject({ code: 'ECONNREFUSED' })
    release()
    expect(await busy.reply()).toMatch(/^250/)
    expect(await stopped).toEqual({ completed: 2, cut: 0 })
    expect(await running.stop()).toEqual({ completed: 2, cut: 0 })
    expect(running.connections).toBe(0)
  })
})

describe('a stop of what a host serves itself', () => {
  it('ends it there, and later ones at once', async () => {
    const clock = virtualClock()
    const mx = receiver({ hostname: 'mx.test', accepts: () => true, deliver: () => undefined, clock })
    const dial = () => {
      const link = linkedTransports({ clock })
      mx.serve(link.server)
      return testClient(link.client)
    }
    const client = dial()
    await client.ask('EHLO x.test')
    const stopped = mx.stop({ within: 1000 })
    expect(await client.reply()).toBe(farewell)
    expect(await stopped).toEqual({ completed: 1, cut: 0 })
    expect(await dial().reply()).toMatch(/^(220|421) /)
  })

  it('does not wait for ever for a body store that never answers', async () => {
    const clock = virtualClock()
    const never = new Promise<never>(() => undefined)
    const bodies: BodyStore = {
      ...memoryBodies(),
      create: () => ({ write: () => never, commit: () => never, discard: async () => undefined }),
    }
    const mx = receiver({ hostname: 'mx.test', accepts: () => true, deliver: () => undefined, clock, bodies, inMemory: 10 })
    const link = linkedTransports({ clock })
    mx.serve(link.server)
    const client = testClient(link.client)
    await client.ask(...opening)
    client.write(`${'x'.repeat(100)}\r\n`)
    await clock.advance(0)
    const stopped = mx.stop({ within: 5000 })
    await clock.advance(6000)
    expect(await stopped).toEqual({ completed: 0, cut: 1 })
  })
})
