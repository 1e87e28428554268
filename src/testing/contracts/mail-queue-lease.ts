import type { Lease } from '../../contracts/queue.ts'
import { equal } from './checks.ts'
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
  retried,
  send,
  T,
} from './sample-queue.ts'

/** Leases that run out, and what is left of them. */
export function expiring({ it, open }: MailQueueContractOptions): void {
  it('gives a job to nobody else until its lease has run out', async () => {
    const { queue } = await open()
    await send(queue)
    const until = T + MINUTE
    await lease(queue, 'd', T, { until })
    equal([await lease(queue, 'd', until - 1), await queue.due({ now: until - 1, limit: 9 })], [[], []])
    equal([await queue.nextDue(), await queue.due({ now: until, limit: 9 })], [until, ['d']])
    equal((await lease(queue, 'd', until)).length, 1)
  })

  it('counts leases that ran out one after the other', async () => {
    const { queue } = await open()
    await send(queue)
    const crashes: number[] = []
    let now = T
    for (let round = 0; round < 4; round++, now += 10 * MINUTE) crashes.push((await leaseOne(queue, 'd', now)).crashes)
    equal(crashes, [0, 1, 2, 3])
    const one = await leaseOne(queue, 'd', now)
    equal([one.crashes, one.tries], [4, 0], 'crashes, and tries that were settled')
    await queue.settle(one, retried(now))
    equal((await leaseOne(queue, 'd', now)).crashes, 0, 'crashes after a settlement')
  })

  it('lets a lease that ran out be extended and settled, as long as nobody else has the job', async () => {
    const { queue } = await open()
    await send(queue)
    const one = await leaseOne(queue)
    const late = T + 60 * MINUTE
    equal(await queue.extend(one, late), true)
    equal(await lease(queue, 'd', late - 1), [], 'a job whose lease was extended')
    equal(await queue.settle(one, delivered(one, { now: 2 * late })), true)
    await send(queue)
    const other = await leaseOne(queue)
    await queue.order({}, { kind: 'retry' }, late)
    equal(await queue.settle(other, delivered(other, { now: late })), false, 'a lease that an order has ended')
  })

  it('keeps the recipients and the tries of a job whose worker has crashed', async () => {
    const { queue } = await open()
    await queue.enqueue(mail(['a@d.example', 'b@d.example']), [job('d', [0, 1])])
    const first = await leaseOne(queue)
    await queue.settle(first, retried(T, { outcomes: [{ number: 0, state: 'delivered' }] }))
    await leaseOne(queue)
    const again = await leaseOne(queue, 'd', T + 10 * MINUTE)
    equal([again.recipients.map(({ state }) => state), again.tries, again.crashes], [['delivered', 'waiting'], 1, 1])
  })

  it('goes on when the clock jumps', async () => {
    const { queue } = await open()
    await send(queue)
    const first = await leaseOne(queue, 'd', T)
    // A day back: it is leased until its time comes, and can be settled.
    equal(await lease(queue, 'd', T - 24 * 60 * MINUTE), [])
    equal(await queue.settle(first, retried(T - 23 * 60 * MINUTE, { now: T - 24 * 60 * MINUTE })), true)
    const second = await leaseOne(queue, 'd', T - 23 * 60 * MINUTE)
    // Years on: the lease has run out.
    const third = await leaseOne(queue, 'd', 2 * T)
    equal([third.crashes, await queue.settle(second, delivered(second))], [1, false])
    // And back: the lease runs until then, but for whoever has it.
    equal([await lease(queue, 'd', T), await queue.due({ now: T, limit: 9 })], [[], []])
    equal(await queue.settle(third, retried(T + MINUTE)), true)
    equal([await queue.nextDue(), (await lease(queue, 'd', T + MINUTE)).length], [T + MINUTE, 1])
  })
}

/** A lease that was lost is worth nothing. */
export function fencing({ it, open }: MailQueueContractOptions): void {
  it('lets nobody settle or extend who has lost the lease', async () => {
    const { queue } = await open()
    await queue.enqueue(mail(['a@d.example', 'b@e.example']), [job('d', [0]), job('e', [1])])
    const old = await leaseOne(queue)
    const later = T + 10 * MINUTE
    const fresh = await leaseOne(queue, 'd', later)
    const before = await everything(queue, later)
    const more = { jobs: [job('x', [0])], enqueue: [{ message: mail(['c@f.example']), jobs: [job('f', [0])] }] }
    const attempts = [
      () => queue.settle(old, delivered(old)),
      () => queue.settle(old, retried(T, more)),
      () => queue.settle(old, retried(T, { hold: 'lost' })),
      () => queue.extend(old, later * 2),
    ]
    for (const attempt of attempts) equal([await attempt(), await everything(queue, later)], [false, before])
    equal(await queue.settle(fresh, delivered(fresh)), true)
  })

  it('settles a lease once', async () => {
    const { queue } = await open()
    await send(queue)
    const one = await leaseOne(queue)
    const both = await Promise.all([queue.settle(one, retried(T + MINUTE)), queue.settle(one, retried(T + 2 * MINUTE))])
    equal(both, [true, false])
    equal([await queue.settle(one, delivered(one)), await queue.extend(one, T * 2)], [false, false])
    equal([await queue.nextDue(), (await leaseOne(queue, 'd', T + MINUTE)).tries], [T + MINUTE, 1])
  })

  it('knows nothing of jobs that are gone, or never were', async () => {
    const { queue } = await open()
    const id = await send(queue)
    const one = await leaseOne(queue)
    await queue.settle(one, delivered(one))
    await send(queue)
    const before = await everything(queue)
    const unknown: Lease[] = [one, ...['', '0', '-1', '999999', '__proto__', id].map((name) => ({ ...one, job: name }))]
    for (const each of unknown) {
      equal([await queue.settle(each, delivered(each)), await queue.extend(each, T * 2)], [false, false], `job ${each.job}`)
    }
    equal(await everything(queue), before)
  })

  it('takes a token for nothing else', async () => {
    const { queue } = await open()
    await send(queue)
    const one = await leaseOne(queue)
    for (const token of ['', '0', '-1', `${one.token} `, `-${one.token}`, `${one.token}0`, 'null', 'NaN']) {
      equal(await queue.settle({ ...one, token }, delivered(one)), false, `token ${JSON.stringify(token)}`)
    }
    equal(await queue.settle(one, delivered(one)), true)
  })
}

/** Work that takes longer. */
export function extending({ it, open }: MailQueueContractOptions): void {
  it('has a lease last longer, or shorter', async () => {
    const { queue } = await open()
    await send(queue)
    const one = await leaseOne(queue)
    const until = T + 60 * MINUTE
    equal(await queue.extend(one, until), true)
    equal([await queue.nextDue(), await lease(queue, 'd', until - 1)], [until, []])
    equal(await queue.extend(one, T + MINUTE), true)
    equal([await queue.nextDue(), (await allJobs(queue)).map(({ state }) => state)], [T + MINUTE, ['leased']])
    const other = await leaseOne(queue, 'd', T + MINUTE)
    equal([other.crashes, await queue.extend(one, until)], [1, false])
  })

  it('lets a lease be settled that was extended', async () => {
    const { queue } = await open()
    await send(queue)
    const one = await leaseOne(queue)
    await queue.extend(one, T + 60 * MINUTE)
    equal(await queue.settle(one, delivered(one)), true)
    equal(await queue.counts(T), { messages: 0, jobs: 0, due: 0, leased: 0, held: 0, oldest: undefined })
  })
}
