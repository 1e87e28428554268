import { describe, expect, it } from 'vitest'
import { defer, reject } from '../../../src/inbound/verdict.ts'
import type { Accepts } from '../../../src/server/reception.ts'
import { Stage, to } from './stage.ts'

const texts = (stage: Stage): string[] => stage.delivered.map(({ local, text }) => `${local}: ${text.split('\r\n')[0]}`)

describe('a delivery', () => {
  it('brings a message to the server of its recipients, and settles it', async () => {
    const stage = new Stage()
    const there = stage.server('there.test', '192.0.2.1')
    await stage.send('me@here.test', ['a@there.test', 'b@there.test'])
    await stage.pass(0)
    expect(there.taken.map(({ envelope }) => envelope.recipients.map(({ local }) => local))).toEqual([['a', 'b']])
    expect(stage.results).toEqual(['a@there.test relayed', 'b@there.test relayed'])
    expect(await stage.queue.counts(stage.clock.now())).toMatchObject({ messages: 0, jobs: 0 })
    expect(stage.faults).toEqual([])
  })

  it('sends each destination its own part, mailboxes here among them', async () => {
    const stage = new Stage()
    const one = stage.server('one.test', '192.0.2.1')
    const two = stage.server('two.test', '192.0.2.2')
    await stage.send('me@here.test', ['a@one.test', 'b@two.test', 'c@here.test', 'd@one.test'])
    await stage.pass(0)
    expect(one.taken[0]?.envelope.recipients.map(({ local }) => local)).toEqual(['a', 'd'])
    expect(two.taken[0]?.envelope.recipients.map(({ local }) => local)).toEqual(['b'])
    expect(texts(stage)).toEqual(['c: Subject: hi'])
  })

  it('tells the sender of a recipient that is refused, in one report', async () => {
    const stage = new Stage()
    const accepts: Accepts = ({ local }) => (local === 'ok' ? true : reject(550, '5.1.1', 'No such user'))
    stage.server('there.test', '192.0.2.1', { accepts })
    await stage.send('me@here.test', ['x@there.test', 'ok@there.test', 'y@there.test'])
    await stage.pass(5)
    expect(stage.results.sort()).toEqual([
      'me@here.test delivered', 'ok@there.test relayed', 'x@there.test failed', 'y@there.test failed',
    ])
    expect(texts(stage)).toEqual(['me: Subject: failed x 5.1.1, failed y 5.1.1'])
    expect(stage.reports).toHaveLength(1)
    expect((await stage.queue.counts(stage.clock.now())).messages).toBe(0)
  })

  it('gathers what fails at several destinations into one report', async () => {
    const stage = new Stage()
    for (const at of [1, 2]) stage.server(`r${at}.test`, `192.0.2.${at}`, { accepts: () => reject(550, '5.1.1', 'No') })
    await stage.send('me@here.test', ['x@r1.test', 'y@r2.test'])
    await stage.pass(5)
    expect(texts(stage)).toEqual(['me: Subject: failed x 5.1.1, failed y 5.1.1'])
  })

  it('never reports on a report', async () => {
    const stage = new Stage()
    stage.server('there.test', '192.0.2.1', { accepts: () => reject(550, '5.1.1', 'No') })
    await stage.send(null, ['x@there.test'])
    await stage.pass(5)
    expect(stage.results).toEqual(['x@there.test dropped'])
    expect(stage.reports).toEqual([])
    expect((await stage.queue.counts(stage.clock.now())).messages).toBe(0)
  })

  it('tries again by its schedule, tells of the delay once, and gives up after nine retries', async () => {
    const stage = new Stage()
    stage.server('there.test', '192.0.2.1', { accepts: () => defer(450, '4.2.0', 'Not now') })
    await stage.send('me@here.test', ['x@there.test'])
    await stage.pass(0)
    const began = stage.clock.now()
    await stage.pass(3 * 24 * 3600)
    const tries = stage.attempts.filter(({ recipient }) => recipient === 'x@there.test')
    expect(tries.map(({ result }) => result)).toEqual([...Array<string>(9).fill('deferred'), 'failed'])
    const minutes = tries.map(({ next }) => next && Math.round((next - began) / 60_000))
    expect(minutes).toEqual([5, 20, 50, 110, 230, 470, 950, 1910, 3350, undefined])
    expect(texts(stage)).toEqual(['me: Subject: delayed x 4.2.0', 'me: Subject: failed x 4.2.0'])
    expect((await stage.queue.counts(stage.clock.now())).messages).toBe(0)
  })

  it('reports success to those who asked, unless the next server does', async () => {
    const stage = new Stage()
    stage.server('plain.test', '192.0.2.1', { smtp: { extensions: { dsn: false } } })
    const dsn = stage.server('dsn.test', '192.0.2.2', { smtp: { extensions: { dsn: true } } })
    const notify = ['SUCCESS'] as const
    await stage.send('me@here.test', [to('a@plain.test', { notify }), to('b@dsn.test', { notify })], { envid: 'E1' })
    await stage.pass(5)
    expect(texts(stage)).toEqual(['me: Subject: succeeded a 2.0.0'])
    expect(dsn.taken[0]?.envelope).toMatchObject({ envid: 'E1', recipients: [{ notify: ['SUCCESS'] }] })
  })

  it('goes on to the next server when one is down, and comes back to it', async () => {
    const stage = new Stage()
    const second = stage.server('there.test', '192.0.2.2')
    stage.route('there.test', ['192.0.2.1', '192.0.2.2'])
    await stage.send('me@here.test', ['a@there.test'])
    await stage.pass(0)
    expect(second.taken).toHaveLength(1)
    expect(stage.attempts[0]).toMatchObject({ host: 'mx1.there.test', address: '192.0.2.2', code: 250 })
  })

  it('does not wait long for an address that is silent', async () => {
    const stage = new Stage()
    const second = stage.server('there.test', '192.0.2.2')
    stage.route('there.test', ['192.0.2.1', '192.0.2.2'])
    stage.network.fault('192.0.2.1', 'silent')
    await stage.send('me@here.test', ['a@there.test'])
    await stage.pass(2)
    expect(second.taken).toHaveLength(1)
  })

  it('uses one connection for what is there, and says goodbye when nothing comes', async () => {
    const stage = new Stage({ window: { initial: 1, most: 1 } })
    const there = stage.server('there.test', '192.0.2.1')
    for (let i = 0; i < 25; i++) await stage.send('me@here.test', [`u${i}@there.test`])
    await stage.pass(1)
    expect(there.taken).toHaveLength(25)
    expect(there.connections).toBe(1)
  })

  it('stops trying a site that is down, and tries one connection once a pause is over', async () => {
    const stage = new Stage({ batch: 1, schedule: [60_000, 60_000, 60_000, 60_000] })
    stage.route('down.test', ['192.0.2.9'])
    for (let i = 0; i < 10; i++) await stage.send('me@here.test', [`u${i}@down.test`])
    await stage.pass(0)
    expect(stage.network.dialled).toHaveLength(3)
    expect(stage.sites).toMatchObject([{ state: 'open' }])
    expect(stage.attempts).toHaveLength(10)
    expect(new Set(stage.attempts.map(({ result, cause }) => `${result} ${cause}`))).toEqual(new Set(['deferred network']))
    await stage.pass(60)
    expect(stage.network.dialled).toHaveLength(4)
    const up = stage.server('down.test', '192.0.2.9')
    await stage.pass(180)
    expect(up.taken).toHaveLength(10)
    expect(stage.sites.at(-1)).toMatchObject({ state: 'closed' })
  })

  it('sends recipients that do not fit in another transaction, at once', async () => {
    const stage = new Stage()
    const there = stage.server('there.test', '192.0.2.1', { smtp: { limits: { recipients: 3 } } })
    const recipients = Array.from({ length: 8 }, (_, at) => `u${at}@there.test`)
    await stage.send('me@here.test', recipients)
    await stage.pass(0)
    expect(there.taken.map(({ envelope }) => envelope.recipients.length)).toEqual([3, 3, 2])
    expect(stage.results).toEqual(recipients.map((each) => `${each} relayed`))
  })

  it('encrypts where it can, and goes on in the clear where that fails', async () => {
    const stage = new Stage()
    const there = stage.server('there.test', '192.0.2.1', { startTls: true })
    await stage.send('me@here.test', ['a@there.test'])
    await stage.pass(0)
    expect(there.taken[0]?.connection.tls).toBeDefined()
    expect(stage.attempts[0]?.tls).toBe('TLSv1.3')
  })

  it('gives back what it has not tried when it is stopped, and the next one goes on', async () => {
    const stage = new Stage()
    stage.route('slow.test', ['192.0.2.5'])
    stage.network.fault('192.0.2.5', 'silent')
    await stage.send('me@here.test', ['a@slow.test'])
    await stage.pass(1)
    await stage.clock.until(stage.delivery.stop({ within: 1_000 }))
    expect(stage.attempts).toEqual([])
    const { jobs } = await stage.queue.jobs({ limit: 10, now: stage.clock.now() })
    expect(jobs).toMatchObject([{ state: 'waiting', tries: 0, crashes: 0 }])
    expect(jobs[0]!.due).toBeLessThanOrEqual(stage.clock.now())
  })

  it('holds a message that kills its workers', async () => {
    const stage = new Stage({ crashes: 3 })
    stage.server('there.test', '192.0.2.1')
    await stage.delivery.stop({ within: 0 })
    const id = await stage.send('me@here.test', ['a@there.test'])
    for (let i = 0; i < 3; i++) {
      const now = stage.clock.now()
      expect(await stage.queue.lease({ destination: 'mx:there.test', now, until: now + 10, limit: 1 })).toHaveLength(1)
      await stage.pass(1)
    }
    const next = new Stage({}, { queue: stage.queue })
    next.clock.setDate(stage.clock.now())
    next.server('there.test', '192.0.2.1')
    await next.pass(120)
    const { jobs } = await next.queue.jobs({ message: id, limit: 10, now: next.clock.now() })
    expect(jobs).toMatchObject([{ state: 'held', held: '3 workers in a row did not come to an end with it' }])
    expect(next.attempts).toEqual([])
  })

  it('carries out orders: bounce, drop, hold and release', async () => {
    const stage = new Stage()
    stage.server('there.test', '192.0.2.1', { accepts: () => defer(450, '4.2.0', 'Not now') })
    const a = await stage.send('me@here.test', ['a@there.test'])
    const b = await stage.send('me@here.test', ['b@there.test'])
    const c = await stage.send('me@here.test', ['c@there.test'])
    await stage.pass(1)
    const now = stage.clock.now()
    await stage.queue.order({ message: a, destination: 'mx:there.test' }, { kind: 'bounce', why: 'Enough of this' }, now)
    await stage.queue.order({ message: b }, { kind: 'drop' }, now)
    await stage.queue.order({ message: c, destination: 'mx:there.test' }, { kind: 'hold', why: 'Let me see' }, now)
    await stage.pass(3600)
    expect(stage.results.slice(3).sort()).toEqual(['a@there.test failed', 'me@here.test delivered'])
    await stage.queue.order({ message: c }, { kind: 'release' }, stage.clock.now())
    await stage.pass(1)
    expect(stage.results.at(-1)).toBe('c@there.test deferred')
  })
})
