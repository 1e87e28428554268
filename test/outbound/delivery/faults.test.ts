import { describe, expect, it } from 'vitest'
import { memoryQueue } from '../../../src/adapters/memory/queue.ts'
import type { MailQueue } from '../../../src/contracts/queue.ts'
import { defer } from '../../../src/inbound/verdict.ts'
import type { DeliveryParts } from '../../../src/outbound/delivery/options.ts'
import { took } from '../../../src/outbound/delivery/tried.ts'
import { MailError } from '../../../src/protocol/session/errors.ts'
import { Stage } from './stage.ts'

const never = (): Promise<never> => new Promise(() => undefined)
const fail = (): never => {
  throw new Error('broken')
}

/** The queue, but for some calls. */
function odd(queue: MailQueue, calls: Partial<MailQueue>): MailQueue {
  return new Proxy(queue, {
    get: (target, name: keyof MailQueue) => {
      if (name in calls) return calls[name]
      const value = target[name] as unknown
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value
    },
  })
}

const left = async ({ queue, clock }: Stage): Promise<number> => (await queue.counts(clock.now())).messages

describe('a delivery with parts that throw', () => {
  it.each<readonly [string, Partial<DeliveryParts>]>([
    ['a chance', { chance: fail }],
    ['a chance that is no number', { chance: () => NaN }],
    ['senders for bounces', { returnPath: fail }],
    ['a list of those who get no mail', { suppressed: fail }],
    ['news', { news: { attempt: fail, reported: fail, site: fail, failed: fail } }],
  ])('brings mail all the same: %s', async (_, parts) => {
    const stage = new Stage({}, parts)
    let tries = 0
    const there = stage.server('there.test', '192.0.2.1', { accepts: () => ++tries > 1 || defer(450, '4.2.0', 'Not now') })
    await stage.send('me@here.test', ['a@there.test'])
    await stage.send('me@here.test', ['b@there.test'])
    await stage.pass(400)
    expect(there.taken).toHaveLength(2)
    await stage.pass(5 * 3600)
    expect(await left(stage)).toBe(0)
  })

  it('keeps what cannot be put into mailboxes, or is forgotten there, for later', async () => {
    let calls = 0
    const stage = new Stage({}, { here: async () => (++calls === 1 ? fail() : []) })
    await stage.send('me@here.test', ['a@here.test'])
    await stage.pass(0)
    expect(stage.results).toEqual(['a@here.test deferred'])
    await stage.pass(3600)
    expect(stage.results).toEqual(Array(4).fill('a@here.test deferred'))
    const { jobs } = await stage.queue.jobs({ destination: 'local:', limit: 10, now: stage.clock.now() })
    expect(jobs).toMatchObject([{ tries: 4, recipients: [{ state: 'waiting', last: { code: 451, enhanced: '4.3.0' } }] }])
  })

  it.each<readonly [string, () => number | undefined]>([
    ['throw', fail],
    ['give no number', () => NaN],
    ['go back in time', () => -1],
    ['never end', () => Infinity],
  ])('keeps to the usual times where its own %s', async (_, schedule) => {
    const stage = new Stage({ schedule })
    stage.server('there.test', '192.0.2.1', { accepts: () => defer(450, '4.2.0', 'Not now') })
    await stage.send('me@here.test', ['a@there.test'])
    await stage.pass(301)
    expect(stage.results).toEqual(['a@there.test deferred', 'a@there.test deferred'])
    expect(stage.faults.filter((each) => each.startsWith('judge'))).toHaveLength(2)
  })

  it('keeps to the usual rules where its own are none', async () => {
    const stage = new Stage({ failures: [{ codes: 450, cause: 'busy', consequence: 'drop' } as never] })
    stage.server('there.test', '192.0.2.1', { accepts: () => defer(450, '4.2.0', 'Not now') })
    await stage.send('me@here.test', ['a@there.test'])
    await stage.pass(301)
    expect(stage.results).toEqual(['a@there.test deferred', 'a@there.test deferred'])
    expect(stage.faults.some((each) => each.startsWith('judge'))).toBe(true)
  })

  it('tries a second later what is to be tried at once', async () => {
    const stage = new Stage({ schedule: () => 0 })
    stage.server('there.test', '192.0.2.1', { accepts: () => defer(450, '4.2.0', 'Not now') })
    await stage.send('me@here.test', ['a@there.test'])
    await stage.pass(10.5)
    expect(stage.attempts).toHaveLength(11)
  })

  it('reports when it can be written, less and less often', async () => {
    let calls = 0
    const stage = new Stage({ schedule: [] }, { compose: async () => (calls++, fail()) })
    stage.server('there.test', '192.0.2.1', { accepts: () => defer(450, '4.2.0', 'Not now') })
    await stage.send('me@here.test', ['a@there.test'])
    await stage.pass(24 * 3600)
    expect(calls).toBe(10)
    expect(stage.faults[0]).toBe('report: Error: broken')
    expect(await left(stage)).toBe(1)
  })
})

it('refuses a message for nobody', async () => {
  const stage = new Stage()
  const why = expect.stringContaining('recipients is empty') as string
  await expect(stage.send('me@here.test', [])).rejects.toMatchObject({ code: 'misuse', message: why })
  expect(await left(stage)).toBe(0)
})

describe('mailboxes here that do not answer', () => {
  it('keep others\' mail waiting for a second', async () => {
    const stage: Stage = new Stage({}, {
      here: async ({ recipients, message }) => {
        const { local } = message.envelope.recipients[0]!
        if (local === 'stuck') return never()
        const last = { at: stage.clock.now(), code: 250, enhanced: '2.0.0', text: '', host: undefined, address: undefined }
        return recipients.map(({ number }) => took(number, 'delivered', last))
      },
    })
    for (let at = 0; at < 15; at++) await stage.send('me@here.test', ['stuck@here.test'])
    for (let at = 0; at < 5; at++) await stage.send('me@here.test', [`u${at}@here.test`])
    await stage.pass(2)
    expect(stage.results).toEqual([0, 1, 2, 3, 4].map((at) => `u${at}@here.test delivered`))
    await stage.send('me@here.test', ['last@here.test'])
    await stage.pass(1)
    expect(stage.results.at(-1)).toBe('last@here.test delivered')
  })

  it('are waited for when there are too many of them, and go on when they answer', async () => {
    const answers: (() => void)[] = []
    const stage: Stage = new Stage({}, {
      here: async ({ recipients }) => {
        await new Promise<void>((resolve) => answers.push(resolve))
        const last = { at: stage.clock.now(), code: 250, enhanced: '2.0.0', text: '', host: undefined, address: undefined }
        return recipients.map(({ number }) => took(number, 'delivered', last))
      },
    })
    for (let at = 0; at < 250; at++) await stage.send('me@here.test', [`u${at}@here.test`])
    await stage.pass(60)
    expect(answers.length).toBeGreaterThanOrEqual(200)
    expect(answers.length).toBeLessThan(210)
    for (const answer of answers) answer()
    await stage.pass(60)
    expect(answers).toHaveLength(250)
    const stopped = stage.delivery.stop({ within: 10_000 })
    for (const answer of answers) answer()
    await stage.clock.until(stopped)
    expect(await left(stage)).toBe(0)
  })

  it('are not begun with when the delivery is stopped', async () => {
    let begun = 0
    const stage = new Stage({}, { here: () => (begun++, never()) })
    for (let at = 0; at < 250; at++) await stage.send('me@here.test', [`u${at}@here.test`])
    await stage.pass(60)
    const before = begun
    await stage.clock.until(stage.delivery.stop({ within: 1_000 }))
    await stage.pass(60)
    expect(begun).toBe(before)
    const { leased, due } = await stage.queue.counts(stage.clock.now())
    expect([leased, due]).toEqual([begun, 250 - begun])
  })
})

describe('a delivery that is stopped', () => {
  it.each<readonly [string, Partial<DeliveryParts>]>([
    ['the way is found', { directions: never }],
    ['mailboxes answer', { here: never }],
    ['a report is written', { compose: never }],
    ['a list is looked into', { suppressed: never }],
  ])('does not wait for ever until %s', async (_, parts) => {
    const stage = new Stage({ schedule: [] }, parts)
    stage.server('there.test', '192.0.2.1', { accepts: () => defer(450, '4.2.0', 'Not now') })
    await stage.send('me@here.test', ['a@there.test', 'b@here.test'])
    await stage.pass(3)
    await stage.clock.until(stage.delivery.stop({ within: 1_000 }))
    expect(stage.clock.ticks()).toBeLessThanOrEqual(9_000)
    await stage.pass(3600)
    expect((await stage.queue.counts(stage.clock.now())).due).toBeGreaterThan(0)
  })

  it.each(['due', 'nextDue', 'lease', 'settle', 'extend'] as const)('does not wait for ever for a queue: %s', async (call) => {
    const stage = new Stage({}, { queue: odd(memoryQueue(), { [call]: never }) })
    const there = stage.server('there.test', '192.0.2.1')
    await stage.send('me@here.test', ['a@there.test'])
    await stage.pass(0)
    await stage.clock.until(stage.delivery.stop({ within: 1_000 }))
    await stage.pass(0)
    expect(stage.clock.pending).toBeLessThanOrEqual(there.taken.length * 2)
  })

  it('breaks off what a server does not answer to, and says so', async () => {
    const stage = new Stage()
    stage.server('there.test', '192.0.2.1', { deliver: never })
    await stage.send('me@here.test', ['a@there.test'])
    await stage.pass(1)
    await stage.clock.until(stage.delivery.stop({ within: 1_000 }))
    expect(stage.clock.ticks()).toBe(2_000)
    expect(stage.attempts).toMatchObject([{ result: 'deferred', cause: 'network' }])
  })
})

describe('a queue that fails', () => {
  it('for an hour does not make anything go out twice', async () => {
    const queue = memoryQueue()
    let isBroken = false
    const stage = new Stage({}, {
      queue: odd(queue, {
        settle: (...given) => (isBroken ? Promise.reject(new MailError('temporary', 'disk')) : queue.settle(...given)),
      }),
    })
    const there = stage.server('there.test', '192.0.2.1')
    isBroken = true
    await stage.send('me@here.test', ['a@there.test'])
    await stage.pass(3600)
    expect(there.taken).toHaveLength(1)
    isBroken = false
    await stage.pass(60)
    expect(stage.results).toEqual(['a@there.test relayed'])
    expect(await left(stage)).toBe(0)
    expect(there.taken).toHaveLength(1)
  })

  it.each(['due', 'nextDue', 'lease', 'settle', 'extend', 'enqueue'] as const)('now and then loses nothing: %s', async (call) => {
    const queue = memoryQueue()
    let calls = 0
    const real = queue[call].bind(queue) as (...given: unknown[]) => Promise<unknown>
    const sometimes = (...given: unknown[]): Promise<unknown> =>
      ++calls % 2 === 1 && call !== 'enqueue' ? Promise.reject(new MailError('temporary', 'disk')) : real(...given)
    const stage = new Stage({}, { queue: odd(queue, { [call]: sometimes }) })
    const there = stage.server('there.test', '192.0.2.1')
    for (let at = 0; at < 5; at++) await stage.send('me@here.test', [`u${at}@there.test`])
    await stage.pass(3600)
    expect(there.taken).toHaveLength(5)
    expect(await left(stage)).toBe(0)
  })

  it('and is full lets a report wait until there is room', async () => {
    const queue = memoryQueue()
    let isFull = true
    const stage = new Stage({ schedule: [] }, {
      queue: odd(queue, {
        settle: (lease, settlement) =>
          isFull && settlement.enqueue?.length ? Promise.reject(new MailError('quota', 'full')) : queue.settle(lease, settlement),
      }),
    })
    stage.server('there.test', '192.0.2.1', { accepts: () => defer(450, '4.2.0', 'Not now') })
    await stage.send('me@here.test', ['a@there.test'])
    await stage.pass(2000)
    expect(stage.reports).toEqual([])
    isFull = false
    await stage.pass(3600)
    expect(stage.reports).toHaveLength(1)
    expect(await left(stage)).toBe(0)
  })
})

it('lets go of a message whose sender is never told of delays', async () => {
  const stage = new Stage({ delayAfter: Infinity })
  let tries = 0
  stage.server('there.test', '192.0.2.1', { accepts: () => ++tries > 1 || defer(450, '4.2.0', 'Not now') })
  await stage.send('me@here.test', ['a@there.test'])
  await stage.pass(400)
  expect(stage.results).toEqual(['a@there.test deferred', 'a@there.test relayed'])
  expect(await left(stage)).toBe(0)
})
