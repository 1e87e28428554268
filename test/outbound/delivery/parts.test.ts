import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryQueue } from '../../../src/adapters/memory/queue.ts'
import type { Lease, MailQueue } from '../../../src/contracts/queue.ts'
import type { Recipient } from '../../../src/contracts/received.ts'
import { defaultBreaker } from '../../../src/outbound/delivery/breaker.ts'
import type { Failure } from '../../../src/outbound/delivery/failure.ts'
import { judge, type JudgementTerms } from '../../../src/outbound/delivery/judgement.ts'
import { Leases } from '../../../src/outbound/delivery/leases.ts'
import { type Candidate, reach, type Reached } from '../../../src/outbound/delivery/reach.ts'
import { REPORT, reportingTurn } from '../../../src/outbound/delivery/reporting.ts'
import { Sites } from '../../../src/outbound/delivery/sites.ts'
import type { SiteTarget } from '../../../src/outbound/delivery/target.ts'
import { missed, took, type Tried } from '../../../src/outbound/delivery/tried.ts'
import { MailError } from '../../../src/protocol/session/errors.ts'
import type { Transport } from '../../../src/protocol/session/transport.ts'
import { virtualClock } from '../../../src/testing/virtual-clock.ts'
import { envelope, outgoing, to } from './stage.ts'

const failureOf = (result: Failure['result'], code: number, status: string): Failure =>
  ({ result, phase: 'recipient', reason: 'refused', code, status })
const now = Date.UTC(2026, 10, 20, 12)
const hour = 3_600_000
const lastly = (code: number, enhanced: string) => ({ at: now, code, enhanced, text: 'said', host: 'mx', address: '192.0.2.1' })
const refused = (number: number): Tried => missed(number, failureOf('permanent', 550, '5.1.1'), lastly(550, '5.1.1'))
const later = (number: number): Tried => missed(number, failureOf('temporary', 450, '4.2.0'), lastly(450, '4.2.0'))
const taken = (number: number, reports = false): Tried => took(number, 'relayed', lastly(250, '2.0.0'), reports)

/** A job for recipients of a message, as its worker has it. */
function leaseOf(
  recipients: readonly Partial<Recipient>[], more: Partial<Lease> = {}, sender: string | null = 'me@here.test',
): Lease {
  const named = recipients.map((each, at) => to(`u${at}@there.test`, each))
  const message = outgoing(envelope(sender, named), 'Subject: x\n\ny\n', now)
  return {
    job: '1', token: '1', until: now + 1, destination: 'mx:there.test', tries: 0, crashes: 0, began: now, others: 0,
    doomed: undefined, ordered: false,
    message: { ...message, id: 'm', body: message.body as never },
    recipients: recipients.map((_, number) => ({ number, state: 'waiting', last: undefined, told: undefined })),
    ...more,
  }
}

describe('what follows from a try', () => {
  const terms: JudgementTerms = { schedule: [60_000, 120_000], delayAfter: 4 * hour, collect: 2_000 }
  const none = {}

  it('is settled for each recipient by itself; who is left is tried again', () => {
    const { settlement, recipients, next } = judge(leaseOf([none, none, none]), [taken(0), refused(1), later(2)], terms, now, 0)
    expect(recipients.map(({ consequence }) => consequence)).toEqual(['done', 'bounce', 'retry'])
    expect(settlement.outcomes.map(({ state }) => state)).toEqual(['relayed', 'failed', undefined])
    expect([next, settlement.due]).toEqual([now + 60_000, now + 60_000])
    expect(settlement.jobs).toEqual([{ destination: REPORT, recipients: [], due: now }])
  })

  it('waits for other failures of the message where others are at work on it', () => {
    const [first] = leaseOf([none, none]).recipients
    const one = leaseOf([none, none], { others: 2, recipients: [first!] })
    const dueAfter = (age: number): number => judge(one, [refused(0)], terms, now + age, 0).settlement.jobs![0]!.due - now - age
    expect([0, 60_000, hour, 24 * hour].map(dueAfter)).toEqual([2_000, 15_000, hour / 4, hour])
    // Of this message there are no others.
    const { settlement } = judge(leaseOf([none], { others: 1 }), [refused(0)], terms, now, 0)
    expect(settlement.jobs).toMatchObject([{ due: now }])
    expect(settlement.due).toBeUndefined()
  })

  it('is an end after the last try, with the last reply as its reason', () => {
    const lease = leaseOf([none], { tries: 2, began: now - hour, message: { ...leaseOf([none]).message, received: now - hour } })
    const { settlement, recipients } = judge(lease, [later(0)], terms, now, 0)
    expect(recipients).toMatchObject([{ cause: 'expired', consequence: 'bounce' }])
    expect(settlement.outcomes).toMatchObject([{ state: 'failed', last: { enhanced: '4.2.0' } }])
    expect(settlement.due).toBeUndefined()
  })

  it('is a report to nobody where nobody sent it, or wants any', () => {
    const nobody = judge(leaseOf([none], {}, null), [refused(0)], terms, now, 0).settlement
    expect(nobody).toMatchObject({ outcomes: [{ state: 'dropped' }] })
    expect(nobody.jobs).toBeUndefined()
    const silent = judge(leaseOf([{ notify: [] }]), [refused(0)], terms, now, 0).settlement
    expect(silent).toMatchObject({ outcomes: [{ state: 'failed' }] })
    expect(silent.jobs).toBeUndefined()
  })

  it('is a report on success where it was asked for, and the next server does not see to it', () => {
    const notify = ['SUCCESS'] as const
    const due = (reports: boolean) => judge(leaseOf([{ notify }]), [taken(0, reports)], terms, now, 0).settlement.jobs
    expect(due(false)).toMatchObject([{ due: now }])
    expect(due(true)).toBeUndefined()
  })

  it('tells of a delay at its time, if anybody is ever to be told', () => {
    const { settlement } = judge(leaseOf([none]), [later(0)], terms, now, 0)
    expect(settlement.jobs).toMatchObject([{ due: now + 4 * hour }])
    expect(judge(leaseOf([none]), [later(0)], { ...terms, delayAfter: Infinity }, now, 0).settlement.jobs).toBeUndefined()
  })

  it('holds the whole job where one recipient says so', () => {
    const rules = [{ cause: 'policy', consequence: 'hold', codes: [550] }] as const
    const { settlement } = judge(leaseOf([none, none]), [refused(0), later(1)], { ...terms, rules }, now, 0)
    expect(settlement).toMatchObject({ hold: 'policy: 550 said', outcomes: [{ number: 0 }, { number: 1 }] })
    expect(settlement.outcomes.some(({ state }) => state !== undefined)).toBe(false)
  })

  it('counts the age of what was held for later (FUTURERELEASE) from then on', () => {
    const ages: number[] = []
    const held = envelope('me@here.test', ['a@there.test'], { hold: { seconds: 7 * 24 * 3600 } })
    const lease = leaseOf([none])
    const schedule = ({ age }: { age: number }): number => ages.push(age)
    const message = { ...lease.message, envelope: held }
    judge({ ...lease, message }, [later(0)], { ...terms, schedule }, now + 7 * 24 * hour + 5, 0)
    expect(ages).toEqual([5])
  })
})

it('reports once of each recipient, and asks again only for delays that are still to come', () => {
  const failed = { number: 0, state: 'failed', last: lastly(550, '5.1.1'), told: undefined } as const
  const waiting = { number: 1, state: 'waiting', last: lastly(450, '4.2.0'), told: undefined } as const
  const lease = leaseOf([{}, {}], { destination: REPORT, recipients: [failed, waiting] })
  const first = reportingTurn(lease, now + hour, 4 * hour)
  expect(first.reports.map(({ report: { kind } }) => kind)).toEqual(['failed'])
  expect(first).toMatchObject({ outcomes: [{ number: 0, told: 'end' }], due: now + 4 * hour })
  const second = reportingTurn({ ...lease, recipients: [{ ...failed, told: 'end' }, waiting] }, now + 4 * hour, 4 * hour)
  expect(second.reports.map(({ report: { kind } }) => kind)).toEqual(['delayed'])
  expect(second).toMatchObject({ outcomes: [{ number: 1, told: 'delay' }], due: undefined })
})

describe('leases', () => {
  async function held(calls: Partial<MailQueue> = {}) {
    const clock = virtualClock({ now })
    const queue = memoryQueue()
    const faults: string[] = []
    const stopped = new AbortController()
    const odd: MailQueue = {
      ...{ traits: queue.traits, enqueue: queue.enqueue, due: queue.due, nextDue: queue.nextDue, message: queue.message },
      ...{ jobs: queue.jobs, order: queue.order, counts: queue.counts },
      lease: (want) => queue.lease(want),
      extend: (lease, until) => queue.extend(lease, until),
      settle: (lease, settlement) => queue.settle(lease, settlement),
      ...calls,
    }
    const leases = new Leases(odd, clock, 60_000, (what) => void faults.push(what), stopped.signal)
    const jobs = [{ destination: 'x', recipients: [0], due: now }]
    await queue.enqueue(outgoing(envelope('me@here.test', ['a@x']), 'x\n', now), jobs)
    return { clock, queue, leases, faults, stopped }
  }
  const done = { now, outcomes: [{ number: 0, state: 'relayed' }], counts: true } as const

  it('last while there is work on them, and no longer', async () => {
    const { clock, queue, leases } = await held()
    const [lease] = await leases.take('x', 1)
    await clock.advance(10 * 60_000)
    expect(await queue.counts(clock.now())).toMatchObject({ leased: 1, due: 0 })
    expect(await leases.settle(lease!, done)).toBe(true)
    expect([leases.size, clock.pending]).toEqual([0, 0])
  })

  it('are the same work after the clock has jumped and the queue has given the job out again', async () => {
    const { clock, queue, leases } = await held()
    const [lease] = await leases.take('x', 1)
    clock.setDate(now + 24 * hour)
    expect(await leases.take('x', 1)).toEqual([])
    expect(await leases.settle(lease!, done)).toBe(true)
    expect((await queue.counts(clock.now())).jobs).toBe(0)
  })

  it('are settled by the newer one, that came while the older was refused', async () => {
    let isFirst = true
    const stage = await held({
      settle: async (lease, settlement) => {
        if (isFirst) {
          isFirst = false
          stage.clock.setDate(now + 24 * hour)
          expect(await stage.leases.take('x', 1)).toEqual([])
        }
        return stage.queue.settle(lease, settlement)
      },
    })
    const [lease] = await stage.leases.take('x', 1)
    expect(await stage.leases.settle(lease!, done)).toBe(true)
    expect((await stage.queue.counts(now)).jobs).toBe(0)
  })

  it('that came too early are given back: the job was due again as soon as it was settled', async () => {
    let isFirst = true
    const stage = await held({
      settle: async (lease, settlement) => {
        const settled = await stage.queue.settle(lease, settlement)
        if (isFirst) {
          isFirst = false
          expect(await stage.leases.take('x', 1)).toEqual([])
        }
        return settled
      },
    })
    const [lease] = await stage.leases.take('x', 1)
    expect(await stage.leases.settle(lease!, { now, outcomes: [], counts: true, due: now })).toBe(true)
    expect(await stage.queue.counts(now)).toMatchObject({ leased: 0, due: 1 })
    expect(await stage.leases.take('x', 1)).toHaveLength(1)
  })

  it('are not settled by whoever has lost them', async () => {
    const { clock, queue, leases } = await held()
    const [lease] = await leases.take('x', 1)
    clock.setDate(now + 24 * hour)
    expect(await queue.lease({ destination: 'x', now: clock.now(), until: clock.now() + 1, limit: 1 })).toHaveLength(1)
    expect(await leases.settle(lease!, done)).toBe(false)
    expect(leases.size).toBe(0)
  })

  it('are tried to be settled as long as the queue fails, and until we are stopped', async () => {
    const { clock, leases, faults, stopped } = await held({ settle: () => Promise.reject(new MailError('temporary', 'disk')) })
    const [lease] = await leases.take('x', 1)
    const settling = leases.settle(lease!, done)
    await clock.advance(hour)
    expect(leases.size).toBe(1)
    stopped.abort()
    expect(await clock.until(settling)).toBe(false)
    expect(faults).toContain('settle')
    expect([leases.size, clock.pending]).toEqual([0, 0])
  })

  it('keep what there was no room for, and say so', async () => {
    const { leases } = await held({ settle: () => Promise.reject(new MailError('quota', 'full')) })
    const [lease] = await leases.take('x', 1)
    const enqueue = [{ message: lease!.message, jobs: [] }]
    await expect(leases.settle(lease!, { ...done, enqueue })).rejects.toMatchObject({ code: 'quota' })
    expect(leases.size).toBe(1)
    leases.end()
  })
})

describe('reaching a server', () => {
  interface Dialled {
    readonly address: string
    readonly at: number
    readonly signal: AbortSignal
    readonly answer: (transport: Transport) => void
    readonly refuse: (error: Error) => void
  }

  function stage(count: number) {
    const clock = virtualClock()
    const dialled: Dialled[] = []
    const hop = { host: 'mx', port: 25, addresses: [], tls: 'never' } as const
    const candidates = Array.from({ length: count }, (_, at): Candidate => ({ hop, address: `a${at}` }))
    const stop = new AbortController()
    const dial = ({ host }: { host: string }, signal?: AbortSignal): Promise<Transport> => new Promise((answer, refuse) => {
      dialled.push({ address: host, at: clock.ticks(), signal: signal!, answer, refuse })
    })
    const terms = { dial: dial as never, clock, patience: 30_000, head: 2_000, localAddress: undefined }
    let reached: Reached | undefined
    void reach(candidates, 0, terms, stop.signal).then((end) => (reached = end))
    return { clock, dialled, stop, reached: () => reached }
  }
  const transport = (): { made: Transport; resets: () => number } => {
    let count = 0
    return { made: { reset: () => void count++ } as unknown as Transport, resets: () => count }
  }

  it('tries the next address beside one that is silent, and at once after one that refuses', async () => {
    const { clock, dialled } = stage(4)
    await clock.advance(2_000)
    expect(dialled.map(({ at }) => at)).toEqual([0, 2_000])
    dialled[1]!.refuse(new Error('no'))
    await clock.advance(0)
    expect(dialled.map(({ at }) => at)).toEqual([0, 2_000, 2_000])
  })

  it('takes the first that answers, gives the others up, and closes what comes late', async () => {
    const { clock, dialled, reached } = stage(3)
    await clock.advance(4_000)
    const first = transport()
    const late = transport()
    dialled[1]!.answer(first.made)
    await clock.advance(0)
    dialled[0]!.answer(late.made)
    await clock.advance(0)
    expect(reached()).toMatchObject({ at: 1, transport: first.made })
    expect(dialled.map(({ signal }) => signal.aborted)).toEqual([true, false, true])
    expect([first.resets(), late.resets() > 0, clock.pending]).toEqual([0, true, 0])
  })

  it('ends with all errors where nobody answers, though they do not hear that they are to give up', async () => {
    const { clock, dialled, reached } = stage(3)
    dialled[0]!.refuse(new Error('refused'))
    await clock.advance(32_000)
    expect(reached()).toMatchObject({ errors: [{ at: 0, error: { message: 'refused' } }, { at: 1 }, { at: 2 }] })
    expect(clock.pending).toBe(0)
  })

  it('ends at once when it is stopped', async () => {
    const { clock, dialled, stop, reached } = stage(3)
    stop.abort(new Error('over'))
    await clock.advance(0)
    expect(reached()).toMatchObject({ errors: [{ error: { message: 'over' } }] })
    expect([dialled[0]!.signal.aborted, clock.pending]).toEqual([true, 0])
  })
})

describe('sites', () => {
  const target = (key: string): SiteTarget => ({ kind: 'site', key, hops: [], protocol: 'smtp', verified: false })
  const rules = { window: { initial: 2, most: 4 }, breaker: defaultBreaker }

  it('give places in turn, and no more than a site bears', () => {
    const sites = new Sites(rules, 10)
    for (let at = 0; at < 5; at++) sites.ask(`big${at}`, target('big'))
    sites.ask('small', target('small'))
    const given = Array.from({ length: 4 }, () => sites.give(0)?.destination)
    expect(given).toEqual(['big0', 'small', 'big1', undefined])
  })

  it('keep places for sites that answer, whoever else waits', () => {
    const sites = new Sites(rules, 4)
    sites.ask('good', target('good'))
    const good = sites.give(0)!
    good.site.worked()
    for (let at = 0; at < 9; at++) sites.ask(`dead${at}`, target(`dead${at}`))
    expect([sites.give(0), sites.give(0), sites.give(0), sites.give(0)].map((place) => place?.destination))
      .toEqual(['dead0', 'dead1', 'dead2', undefined])
    sites.back(good, 0)
    expect(sites.give(0)).toBeUndefined()
    sites.ask('good', target('good'))
    expect(sites.give(0)?.destination).toBe('good')
  })

  it('tell who waits for a site that is shut at once', () => {
    const sites = new Sites({ ...rules, breaker: { ...defaultBreaker, failures: 1 } }, 10)
    sites.ask('a', target('x'))
    sites.give(0)!.site.failed(lastly(451, '4.4.1'), 0)
    for (let at = 0; at < 5; at++) sites.ask(`b${at}`, target('x'))
    expect(Array.from({ length: 5 }, () => sites.give(1)?.site.isShut(1))).toEqual([true, true, true, true, true])
  })

  it('never give more than there are, and give all away in the end', () => {
    const step = fc.record({ site: fc.nat(3), back: fc.boolean(), proven: fc.boolean() })
    fc.assert(fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 6 }), (steps, most) => {
      const sites = new Sites(rules, most)
      const places = []
      let given = 0
      for (const { site, back, proven } of steps) {
        sites.ask('x', target(`s${site}`))
        const place = sites.give(0)
        if (place) {
          given++
          places.push(place)
          if (proven) place.site.worked()
        }
        if (back && places.length > 0) sites.back(places.shift()!, 0)
        expect(sites.taken).toBe(places.length)
        expect(sites.taken).toBeLessThanOrEqual(most)
        for (const each of places) expect(each.site.active).toBeLessThanOrEqual(each.site.width)
      }
      for (;;) {
        for (let next = sites.give(0); next; next = sites.give(0)) {
          given++
          places.push(next)
        }
        const place = places.shift()
        if (!place) break
        sites.back(place, 0)
      }
      expect([given, sites.taken]).toEqual([steps.length, 0])
    }), { numRuns: 100 })
  })
})
