import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { receiver } from '../../src/index.ts'
import { testClient } from '../../src/testing/client.ts'
import { deaf, finishAt, garbage, garbled, type Hostility, resetAt, slow } from '../../src/testing/hostile.ts'
import { seededRandom } from '../../src/testing/random.ts'
import { socketWire } from '../../src/testing/wire.ts'
import { world } from '../../src/testing/world.ts'

const opening = ['EHLO sender.test', 'MAIL FROM:<a@sender.test>', 'RCPT TO:<b@mx.test>', 'DATA']
const closing = (w: ReturnType<typeof world>): unknown => w.events.findLast(({ kind }) => kind === 'closed')

describe('a hostile peer in a world', () => {
  it('may be slow: a conversation of 104 octets at 10 a second takes 10.4 seconds', async () => {
    const w = world()
    const client = w.connect('203.0.113.9', { through: slow({ octetsPerSecond: 10, clock: w.clock }) })
    const said = ['EHLO sender.test', 'MAIL FROM:<a@sender.test>', 'RCPT TO:<b@mx.test>', 'DATA', 'a: b', '', 'c', '.', 'QUIT']
    await w.clock.until(client.ask(...said))
    expect(w.clock.ticks()).toBe(said.join('\r\n').length * 100 + 200)
    expect(w.delivered).toHaveLength(1)
  })

  it('may be too slow: a command that takes longer than thirty seconds ends the connection', async () => {
    const w = world()
    const client = w.connect('203.0.113.9', { through: slow({ octetsPerSecond: 0.5, clock: w.clock }) })
    expect((await w.clock.until(client.ask('EHLO a-rather-long-name.test'))).at(-1)).toMatch(/^421 4\.4\.2/)
    expect(w.clock.ticks()).toBe(32_000)
    client.reset()
    await client.closed
    await w.clock.advance(0)
    expect([w.connections, w.clock.pending]).toEqual([0, 0])
  })

  it('may be too slow with its content: below 500 octets a second it is over once the grace has passed', async () => {
    const w = world()
    const client = w.connect('203.0.113.9', { through: slow({ octetsPerSecond: 100, clock: w.clock }) })
    await w.clock.until(client.ask(...opening))
    const said = client.ask('x'.repeat(60_000))
    // 180 seconds, and one more for each 500 octets: at 100 octets a second that is at 225.
    await w.clock.advance(224_900)
    expect(client.replies).toHaveLength(5)
    await w.clock.advance(200)
    expect(client.replies.at(-1)).toMatch(/^421 4\.4\.2/)
    await w.clock.until(client.closed)
    await said
    expect(w.delivered).toEqual([])
  })

  it('may break the connection at any octet, to no harm but its own', async () => {
    const whole = [...opening, 'Subject: hi', '', 'Text', '.', 'QUIT'].join('\r\n').length + 2
    for (let octets = 1; octets < whole; octets++) {
      const w = world()
      const client = w.connect('203.0.113.9', { through: resetAt(octets) })
      await client.ask(...opening, 'Subject: hi', '', 'Text', '.', 'QUIT')
      await client.closed
      await w.clock.advance(0)
      expect([w.connections, w.clock.pending]).toEqual([0, 0])
      expect(w.events.filter(({ kind }) => kind === 'failed')).toEqual([])
      // Delivered once the final dot is there, and never twice.
      expect(w.delivered).toHaveLength(octets > whole - 'QUIT\r\n'.length ? 1 : 0)
    }
  })

  it('may end its output at any octet, and is heard out', async () => {
    const whole = [...opening, 'Subject: hi', '', 'Text', '.'].join('\r\n').length + 2
    for (let octets = 1; octets <= whole; octets++) {
      const w = world()
      const client = w.connect('203.0.113.9', { through: finishAt(octets) })
      await client.ask(...opening, 'Subject: hi', '', 'Text', '.')
      await client.closed
      expect([w.connections, w.delivered.length]).toEqual([0, octets === whole ? 1 : 0])
      if (octets === whole) expect(client.replies.at(-1)).toMatch(/^250 2\.0\.0/)
    }
  })

  it('may never read: what waits for it is bounded, and the connection is over after a while', async () => {
    const w = world({ link: { highWaterMark: 16_384 }, server: { smtp: { limits: { commands: Infinity } } } })
    let written = 0
    const counted: Hostility = (wire) => ({
      ...deaf(wire),
      write: (output) => ((written += 6 * output.length), wire.write(output)),
    })
    const client = w.connect('203.0.113.9', { through: counted })
    await w.clock.advance(0)
    const out = client.flood('NOOP\r\n', 10_000_000)
    await w.clock.advance(30_000)
    expect(written).toBeGreaterThan(16_384)
    expect(written).toBeLessThan(250_000)
    expect(w.connections).toBe(1)
    await w.clock.advance(3_600_000)
    expect(w.connections).toBe(0)
    await out
    expect(w.clock.pending).toBe(0)
  })

  it('may send a line without end: refused at 64 kB', async () => {
    const w = world()
    const client = w.connect('203.0.113.9')
    await client.ask('EHLO x.test')
    const out = await client.flood('x'.repeat(1000), 10_000_000)
    await client.closed
    expect(client.replies.at(-1)).toBe('500 5.5.2 Line too long')
    expect(out).toBeLessThan(1_000_000)
    expect(closing(w)).toMatchObject({ why: 'limit' })
  })

  it.each([1, 2, 3, 4, 5])('may talk garbage (seed %i)', async (seed) => {
    const w = world({ seed })
    const client = w.connect('203.0.113.9')
    await client.ask('EHLO x.test')
    for (let pieces = 0; pieces < 50 && !client.isClosed; pieces++) {
      client.write(garbage(w.random, 200))
      await w.clock.advance(10)
    }
    client.finish()
    await w.clock.until(client.closed)
    expect(w.connections).toBe(0)
    expect(w.events.filter(({ kind }) => kind === 'failed')).toEqual([])
    expect(client.replies.every((reply) => /^[2-5]\d\d/.test(reply))).toBe(true)
  })

  it.each([1, 2, 3])('may be hard to understand (seed %i)', async (seed) => {
    const w = world({ seed })
    const client = w.connect('203.0.113.9', { through: garbled({ random: w.random, every: 20 }) })
    client.write([...opening, 'Subject: hi', '', 'Text', '.', 'QUIT', ''].join('\r\n').repeat(5))
    client.finish()
    await w.clock.until(client.closed)
    expect([w.connections, w.clock.pending]).toEqual([0, 0])
    expect(w.events.filter(({ kind }) => kind === 'failed')).toEqual([])
  })
})

describe('a hostile peer on a socket', () => {
  it('speaks, breaks and listens as it does in memory', async () => {
    const delivered: string[] = []
    const mx = receiver({ hostname: 'mx.test', accepts: () => true, deliver: ({ id }) => void delivered.push(id) })
    const running = await mx.listen({ port: 0, host: '127.0.0.1' })
    const dial = () => socketWire(connect({ port: running.port, host: '127.0.0.1', allowHalfOpen: true }))
    const polite = testClient(dial())
    expect((await polite.send({ to: 'a@mx.test' })).accepted).toBe(true)
    await polite.ask('QUIT')
    const cut = testClient(resetAt(60)(dial()))
    await cut.ask(...opening, 'Text', '.')
    await cut.closed
    const half = testClient(finishAt(40)(dial()))
    await half.ask(...opening)
    await half.closed
    expect(delivered).toHaveLength(1)
    await expect(polite.startTls()).rejects.toMatchObject({ code: 'closed' })
    expect(await running.stop()).toEqual({ completed: 0, cut: 0 })
  })
})

it('garbage is the same for the same seed, and as long as asked for', () => {
  expect(garbage(seededRandom(3), 1000)).toEqual(garbage(seededRandom(3), 1000))
  expect(garbage(seededRandom(3), 7)).toHaveLength(7)
})
