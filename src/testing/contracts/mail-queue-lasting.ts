import { print } from '../../adapters/node/print.ts'
import type { MailQueue } from '../../contracts/queue.ts'
import { equal, holds, octetsOf, pattern, rejects } from './checks.ts'
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
  needing,
  retried,
  send,
  T,
} from './sample-queue.ts'

/** What a crash leaves. */
export function surviving({ it, open, skipped = print }: MailQueueContractOptions): void {
  let told = false
  const crash = (name: string, run: (queue: MailQueue, reopen: () => Promise<MailQueue>) => Promise<void>): void => {
    it(name, async () => {
      const { queue, reopen } = await open()
      const { durability } = queue.traits
      if (durability !== 'none' && !reopen) throw new Error(`durability is ${durability}: give reopen, so that it can be shown`)
      if (durability !== 'none' && reopen) return run(queue, reopen)
      if (!told) skipped('mailQueueContract: after a crash (durability is none)')
      told = true
    })
  }

  crash('has all that was acknowledged, as it was', async (queue, reopen) => {
    const sizes = [10, 20_000, 100_000, 2_000_000]
    for (const [index, size] of sizes.entries()) {
      const to = ['a@a.example', 'b@b.example']
      await queue.enqueue(mail(to, {}, pattern(size, index)), [job('d', [0], { due: T + index }), job('e', [1], { priority: 3 })])
    }
    const [held, retry] = await lease(queue, 'e', T, { limit: 2 })
    if (!held || !retry) throw new Error('no leases')
    await queue.settle(held, retried(T + 5, { hold: 'wait' }))
    const last = { at: T, code: 421, enhanced: '4.3.2', text: 'no', host: 'mx', address: undefined }
    await queue.settle(retry, retried(T + MINUTE, { outcomes: [{ number: 1, last, told: 'delay' }] }))
    const before = await everything(queue)
    const again = await reopen()
    equal(await everything(again), before)
    const jobs = await lease(again, 'd', T + 10)
    equal(await Promise.all(jobs.map(({ message }) => octetsOf(message.body))), sizes.map((size, index) => pattern(size, index)))
    const retryAgain = (await lease(again, 'e', T + MINUTE)).find((one) => one.job === retry.job)
    equal([retryAgain?.tries, retryAgain?.recipients[0]?.told], [1, 'delay'])
  })

  crash('skips nothing, and does nothing twice that was settled', async (queue, reopen) => {
    const ids = await Promise.all(Array.from({ length: 20 }, (_, i) => send(queue, `d${i % 3}`, { due: T + i })))
    const done: string[] = []
    for (const destination of ['d0', 'd1']) {
      for (const one of await lease(queue, destination, T + 20, { limit: 3 })) {
        await queue.settle(one, delivered(one))
        done.push(one.message.id)
      }
    }
    const again = await reopen()
    equal((await allJobs(again)).map(({ message }) => message).sort(), ids.filter((id) => !done.includes(id)).sort())
    const third = await reopen()
    const found: string[] = []
    for (const destination of await third.due({ now: T + 20, limit: 9 })) {
      found.push(...(await lease(third, destination, T + 20)).map(({ message }) => message.id))
    }
    equal(found.sort(), ids.filter((id) => !done.includes(id)).sort())
  })

  crash('knows of leases, and lets them run out', async (queue, reopen) => {
    await send(queue)
    const old = await leaseOne(queue)
    const again = await reopen()
    equal([await lease(again, 'd', T), await again.nextDue()], [[], T + 10 * MINUTE])
    const fresh = await leaseOne(again, 'd', T + 10 * MINUTE)
    equal([fresh.crashes, await again.settle(old, delivered(old))], [1, false])
    const third = await reopen()
    equal([(await leaseOne(third, 'd', T + 20 * MINUTE)).crashes], [2])
  })

  crash('gives no id and no name again', async (queue, reopen) => {
    const seen = new Set<string>()
    let its = queue
    for (let round = 0; round < 4; round++, its = await reopen()) {
      const id = await send(its)
      const one = await leaseOne(its)
      await its.settle(one, delivered(one))
      holds(!seen.has(id) && !seen.has(`job ${one.job}`), `${id} or job ${one.job} was there before`)
      seen.add(id).add(`job ${one.job}`)
    }
  })

  crash('has of what was under way all that was acknowledged, and nothing by halves', async (queue, reopen) => {
    const { id } = await queue.enqueue(mail(['a@a.example', 'b@b.example']), [job('a', [0]), job('b', [1])])
    const a = await leaseOne(queue, 'a')
    const acknowledged: string[] = []
    const work = [
      ...Array.from({ length: 20 }, async (_, i) => {
        acknowledged.push((await queue.enqueue(mail(['c@c.example'], {}, pattern(100 * i * i, i)), [job('c', [0])])).id)
      }),
      queue.settle(a, delivered(a, {
        jobs: [job('report', [])],
        enqueue: [{ message: mail(['alice@example.org'], {}, pattern(20_000)), jobs: [job('home', [0])] }],
      })),
    ]
    // The first that is done is when the rest is cut short.
    await work[0]
    const safe = [...acknowledged]
    const again = await reopen()
    await Promise.allSettled(work)
    for (const one of safe) holds(await again.message(one) !== undefined, `message ${one} is gone`)
    for (const { message } of await allJobs(again)) {
      const body = (await again.message(message))?.message.body
      holds(body !== undefined && (await octetsOf(body)).length === body.size, `message ${message} has not all of its body`)
    }
    const states = (await again.message(id))?.recipients.map(({ state }) => state)
    const all = (await allJobs(again)).map(({ destination }) => destination)
    const counts = ['a', 'report', 'home'].map((name) => all.filter((one) => one === name).length)
    const [nothing, everything] = [[['waiting', 'waiting'], [1, 0, 0]], [['delivered', 'waiting'], [0, 1, 1]]]
    equal([states, counts], states?.[0] === 'waiting' ? nothing : everything)
  })
}

/** What `close` does. */
export function closing(options: MailQueueContractOptions): void {
  const it = needing(options, 'close')

  it('finishes what it has or refuses it, then takes no more', async (queue) => {
    await send(queue)
    const one = await leaseOne(queue)
    const sent = [1, 2, 3].map(() => send(queue))
    await queue.close()
    for (const result of await Promise.allSettled(sent)) {
      if (result.status === 'rejected') await rejects(Promise.reject(result.reason as Error), 'closed')
    }
    const late = [
      () => send(queue),
      () => queue.enqueue(mail(['a@a.example'], {}, pattern(2_000_000)), [job('d', [0])]),
      () => queue.due({ now: T, limit: 1 }),
      () => queue.nextDue(),
      () => queue.lease({ destination: 'd', now: T, until: T + 1, limit: 1 }),
      () => queue.extend(one, T),
      () => queue.settle(one, delivered(one)),
      () => queue.message('1'),
      () => queue.jobs({ now: T, limit: 1 }),
      () => queue.order({}, { kind: 'retry' }, T),
      () => queue.counts(T),
    ]
    for (const call of late) await rejects(call(), 'closed')
    await queue.close()
  })
}
