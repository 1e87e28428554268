import type { LastTry } from '../../contracts/queue.ts'
import { equal, octetsOf, pattern, rejects } from './checks.ts'
import { streamed } from './sample-mail.ts'
import {
  allJobs,
  delivered,
  everything,
  job,
  lease,
  leaseOne,
  mail,
  type MailQueueContractOptions,
  MINUTE,
  plain,
  recipientsOf,
  retried,
  send,
  statesOf,
  T,
} from './sample-queue.ts'

const lastTry: LastTry = {
  ...{ at: T + 5, code: 451, enhanced: '4.7.1', text: 'Try \u00e4gain \u0000 \ud83d later' },
  ...{ host: 'mx.example.net', address: '192.0.2.1' },
}
const own: LastTry = { at: T + 6, code: 451, enhanced: undefined, text: '', host: undefined, address: undefined }

/** What a settlement does. */
export function settling({ it, open }: MailQueueContractOptions): void {
  it('ends a job that is done, and with the last one the message', async () => {
    const { queue } = await open()
    const { id } = await queue.enqueue(mail(['a@a.example', 'b@b.example'], {}, pattern(50_000)), [job('a', [0]), job('b', [1])])
    const [a, b] = [await leaseOne(queue, 'a'), await leaseOne(queue, 'b')]
    equal(await queue.settle(a, delivered(a)), true)
    equal(await statesOf(queue, id), ['delivered', 'waiting'])
    equal((await allJobs(queue)).map(({ destination }) => destination), ['b'])
    equal(await octetsOf(b.message.body), pattern(50_000), 'body while a job is left')
    equal(await queue.settle(b, delivered(b)), true)
    equal([await queue.message(id), await allJobs(queue), await queue.nextDue()], [undefined, [], undefined])
    await queue.order({}, { kind: 'retry' }, T)
    equal(await queue.counts(T), { messages: 0, jobs: 0, due: 0, leased: 0, held: 0, oldest: undefined })
  })

  it('ends the first job of a message before the others, and the last first', async () => {
    const { queue } = await open()
    const orders = [[0, 1, 2], [2, 1, 0], [1, 2, 0], [1, 0, 2]]
    for (const order of orders) {
      const bytes = pattern(100, order[0])
      const { id } = await queue.enqueue(mail(['a@a.example', 'b@b.example', 'c@c.example'], {}, bytes),
        [job('0', [0]), job('1', [1]), job('2', [2])])
      for (const [done, which] of order.entries()) {
        const one = await leaseOne(queue, String(which))
        equal([one.others, one.message.id, await octetsOf(one.message.body)], [2 - done, id, bytes])
        await queue.settle(one, delivered(one))
      }
      equal(await queue.message(id), undefined)
    }
  })

  it('writes down what has become of each recipient, and leaves the others alone', async () => {
    const { queue } = await open()
    const { id } = await queue.enqueue(mail(['a@d.example', 'b@d.example', 'c@d.example', 'd@e.example']),
      [job('d', [0, 1, 2]), job('e', [3])])
    await queue.settle(await leaseOne(queue), retried(T, {
      outcomes: [{ number: 0, state: 'relayed', last: lastTry, told: 'end' }, { number: 2, last: own }],
    }))
    const after = [
      { number: 0, state: 'relayed', last: lastTry, told: 'end' }, { number: 1, state: 'waiting' },
      { number: 2, state: 'waiting', last: own }, { number: 3, state: 'waiting' },
    ]
    equal(plain(await recipientsOf(queue, id)), plain(after))
    await queue.settle(await leaseOne(queue), retried(T, {
      outcomes: [{ number: 0, told: 'delay' }, { number: 1, state: 'failed' }, { number: 2, state: 'expanded' }], counts: false,
    }))
    const last = await leaseOne(queue)
    equal(plain(last.recipients), plain([
      { ...after[0], told: 'delay' }, { number: 1, state: 'failed' }, { ...after[2], state: 'expanded' },
    ]))
    equal(last.tries, 1, 'tries that counted')
    equal(plain((await recipientsOf(queue, id))[3]), { number: 3, state: 'waiting' })
  })

  it('writes down outcomes of recipients that other jobs have', async () => {
    const { queue } = await open()
    const { id } = await queue.enqueue(mail(['a@a.example', 'b@b.example']), [job('a', [0]), job('b', [1]), job('report', [])])
    const [b, report] = [await leaseOne(queue, 'b'), await leaseOne(queue, 'report')]
    await queue.settle(report, { now: T, outcomes: [{ number: 0, told: 'delay' }, { number: 1, told: 'delay' }], counts: false })
    equal((await recipientsOf(queue, id)).map(({ told }) => told), ['delay', 'delay'])
    // Who leased it before has not seen that, and does not undo it.
    await queue.settle(b, retried(T, { outcomes: [{ number: 1, last: lastTry }] }))
    equal(plain((await leaseOne(queue, 'b')).recipients), plain([{ number: 1, state: 'waiting', told: 'delay', last: lastTry }]))
  })

  it('holds a job until it is released', async () => {
    const { queue } = await open()
    await send(queue)
    await queue.settle(await leaseOne(queue), retried(T + 1, { hold: 'it kills \u0000 workers' }))
    equal([await queue.nextDue(), await queue.due({ now: 2 * T, limit: 9 }), await lease(queue, 'd', 2 * T)], [undefined, [], []])
    equal((await allJobs(queue)).map(({ state, held, due }) => [state, held, due]), [['held', 'it kills \u0000 workers', T + 1]])
    await queue.order({}, { kind: 'release' }, T)
    equal([await queue.nextDue(), (await leaseOne(queue, 'd', T + 1)).tries], [T + 1, 1])
  })
}

/** Jobs that come of jobs. */
export function branching({ it, open }: MailQueueContractOptions): void {
  it('sends recipients another way', async () => {
    const { queue } = await open()
    const sent = mail(['a@d.example', 'b@d.example', 'c@d.example'], {}, pattern(50_000))
    const { id } = await queue.enqueue(sent, [job('d', [0, 1, 2])])
    const outcomes = [{ number: 0, state: 'delivered' as const }, { number: 2, last: lastTry }]
    const jobs = [job('smart', [1], { due: T + 1, priority: 2 }), job('d', [2], { due: T + 2 })]
    equal(await queue.settle(await leaseOne(queue), { now: T + 7, outcomes, counts: true, jobs }), true)
    equal((await allJobs(queue)).map((one) => [one.destination, one.due, one.priority, one.began, one.tries, one.message]),
      [['smart', T + 1, 2, T + 7, 0, id], ['d', T + 2, 0, T + 7, 0, id]])
    const [smart, again] = [await leaseOne(queue, 'smart', T + 2), await leaseOne(queue, 'd', T + 2)]
    equal(plain([smart.recipients, again.recipients]),
      plain([[{ number: 1, state: 'waiting' }], [{ number: 2, state: 'waiting', last: lastTry }]]))
    equal([smart.others, again.others], [1, 1])
    await queue.settle(smart, delivered(smart))
    equal(await statesOf(queue, id), ['delivered', 'delivered', 'waiting'])
    equal(await octetsOf(again.message.body), pattern(50_000))
    await queue.settle(again, delivered(again))
    equal(await queue.message(id), undefined)
  })

  it('adds a report that is about the whole message', async () => {
    const { queue } = await open()
    const { id } = await queue.enqueue(mail(['a@d.example', 'b@e.example']), [job('d', [0]), job('e', [1])])
    const one = await leaseOne(queue)
    await queue.settle(one, delivered(one, { jobs: [job('report', [], { due: T + MINUTE })] }))
    const report = await leaseOne(queue, 'report', T + MINUTE)
    equal([report.recipients.map(({ state }) => state), report.others, report.message.id], [['delivered', 'waiting'], 1, id])
    const last = await leaseOne(queue, 'e')
    await queue.settle(last, delivered(last))
    equal(await statesOf(queue, id), ['delivered', 'delivered'], 'recipients while the report is left')
    await queue.settle(report, { now: T, outcomes: [], counts: false })
    equal(await queue.message(id), undefined)
  })

  it('has one job about a message as a whole for a destination: it becomes due at the earlier time', async () => {
    const { queue } = await open()
    await queue.enqueue(mail(['a@a.example', 'b@b.example', 'c@c.example']), [job('a', [0]), job('b', [1]), job('c', [2])])
    const dueAfter: (number | undefined)[] = []
    for (const [destination, due] of [['a', T + 500], ['b', T + 900], ['c', T + 200]] as const) {
      const one = await leaseOne(queue, destination)
      await queue.settle(one, retried(T + 9999, { jobs: [job('report', [], { due })] }))
      dueAfter.push((await allJobs(queue, T, { destination: 'report' }))[0]?.due)
    }
    equal(dueAfter, [T + 500, T + 500, T + 200])
    equal([(await allJobs(queue)).length, await queue.due({ now: T + 200, limit: 9 })], [4, ['report']])
    const other = await leaseOne(queue, 'a', T + 9999)
    await queue.settle(other, delivered(other, { jobs: [job('other report', [])] }))
    equal((await allJobs(queue)).map(({ destination }) => destination), ['b', 'c', 'report', 'other report'])
  })

  it('takes a job with recipients for none about the whole message', async () => {
    const { queue } = await open()
    await queue.enqueue(mail(['a@d.example', 'b@e.example']), [job('d', [0]), job('e', [1])])
    const one = await leaseOne(queue)
    await queue.settle(one, retried(T, { jobs: [job('d', []), job('e', [])] }))
    equal((await allJobs(queue)).map(({ destination, recipients }) => [destination, recipients.length]),
      [['d', 1], ['e', 1], ['d', 2], ['e', 2]])
  })

  const ends = [['done', {}], ['retried later', { due: T + 9999 }], ['held', { due: T + 9999, hold: 'x' }]] as const
  for (const [how, end] of ends) {
    it(`has one that is leased due once more, when that has ended: ${how}`, async () => {
      const { queue } = await open()
      const { id } = await queue.enqueue(mail(['a@d.example']), [job('d', [0]), job('report', [])])
      const report = await leaseOne(queue, 'report')
      const one = await leaseOne(queue)
      const jobs = [job('report', [], { due: T + 300 }), job('report', [], { due: T + 400 })]
      await queue.settle(one, delivered(one, { jobs }))
      equal((await allJobs(queue)).map(({ state, due }) => [state, due]), [['leased', T + 10 * MINUTE]])
      equal(await queue.settle(report, { now: T, outcomes: [], counts: false, ...end }), true)
      equal((await allJobs(queue)).map(({ destination, due }) => [destination, due]), [['report', T + 300]])
      await queue.order({}, { kind: 'release' }, T)
      const again = await leaseOne(queue, 'report', T + 300)
      equal(again.recipients.map(({ state }) => state), ['delivered'])
      await queue.settle(again, { now: T, outcomes: [], counts: false })
      equal(await queue.message(id), undefined)
    })
  }

  it('enqueues reports with the settlement', async () => {
    const { queue } = await open()
    await send(queue)
    const one = await leaseOne(queue)
    const reports = [300, 50_000].map((size) => {
      return { message: mail(['alice@example.org'], {}, pattern(size)), jobs: [job('home', [0])] }
    })
    equal(await queue.settle(one, delivered(one, { enqueue: reports })), true)
    const leases = await lease(queue, 'home')
    equal(await Promise.all(leases.map(({ message }) => octetsOf(message.body))), [pattern(300), pattern(50_000)])
    equal((await queue.counts(T)).messages, 2)
  })

  it('does nothing of a settlement where a report cannot be taken', async () => {
    const { queue } = await open()
    await queue.enqueue(mail(['a@d.example', 'b@d.example']), [job('d', [0, 1])])
    const one = await leaseOne(queue)
    const before = await everything(queue)
    const enqueue = [
      { message: mail(['alice@example.org']), jobs: [job('home', [0])] },
      { message: mail(['alice@example.org'], { body: streamed(pattern(10), 20) }), jobs: [job('home', [0])] },
    ]
    await rejects(queue.settle(one, delivered(one, { jobs: [job('report', [])], enqueue })), 'misuse')
    equal(await everything(queue), before)
    equal(await queue.settle(one, delivered(one)), true, 'the same lease, settled without')
  })
}
