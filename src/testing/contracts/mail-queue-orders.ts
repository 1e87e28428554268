import type { QueuedJob, QueueFilter, QueueOrder } from '../../contracts/queue.ts'
import { equal } from './checks.ts'
import {
  allJobs,
  delivered,
  envelope,
  everything,
  job,
  lease,
  leaseOne,
  mail,
  type MailQueueContractOptions,
  MINUTE,
  recipientsOf,
  retried,
  send,
  statesOf,
  T,
} from './sample-queue.ts'

const hold: QueueOrder = { kind: 'hold', why: 'spam?' }
const release: QueueOrder = { kind: 'release' }
const retry: QueueOrder = { kind: 'retry' }
const drop: QueueOrder = { kind: 'drop' }
const bounce: QueueOrder = { kind: 'bounce', why: 'I said so' }

/** Orders of those who look after the queue. */
export function ordering({ it, open }: MailQueueContractOptions): void {
  it('holds and releases', async () => {
    const { queue } = await open()
    for (const due of [T - 5, T + MINUTE]) await send(queue, 'd', { due })
    await send(queue, 'e')
    equal(await queue.order({ destination: 'd' }, hold, T), { changed: 2, leased: 0 })
    equal([await lease(queue, 'd', 2 * T), await queue.due({ now: 2 * T, limit: 9 }), await queue.nextDue()], [[], ['e'], T])
    equal((await allJobs(queue)).map(({ state, held }) => [state, held]),
      [['held', 'spam?'], ['held', 'spam?'], ['waiting', undefined]])
    equal((await queue.counts(T)).held, 2)
    equal((await queue.order({ state: 'held' }, release, T)).changed, 2)
    equal((await allJobs(queue)).map(({ state, held, due }) => [state, held, due]),
      [['waiting', undefined, T - 5], ['waiting', undefined, T + MINUTE], ['waiting', undefined, T]])
    equal([await queue.nextDue(), (await lease(queue, 'd', T)).length], [T - 5, 1])
  })

  it('retries at once, and forgets crashes', async () => {
    const { queue } = await open()
    await send(queue)
    await leaseOne(queue, 'd', T)
    await leaseOne(queue, 'd', T + 10 * MINUTE)
    const crashed = await leaseOne(queue, 'd', T + 20 * MINUTE)
    equal(await queue.order({}, retry, T + 30 * MINUTE), { changed: 1, leased: 0 })
    equal(await queue.settle(crashed, delivered(crashed)), false, 'a lease that ran out before the order')
    const fresh = await leaseOne(queue, 'd', T + 30 * MINUTE)
    equal([fresh.crashes, fresh.ordered, crashed.ordered], [0, true, false])
    await queue.settle(fresh, retried(T + 24 * 60 * MINUTE))
    equal(await queue.order({}, retry, T + 31 * MINUTE), { changed: 1, leased: 0 })
    equal(await queue.nextDue(), T + 31 * MINUTE)
    const again = await leaseOne(queue, 'd', T + 31 * MINUTE)
    equal([again.tries, again.ordered], [1, true])
    await queue.settle(again, retried(T + 32 * MINUTE))
    equal((await leaseOne(queue, 'd', T + 32 * MINUTE)).ordered, false, 'an order that was carried out')
  })

  it('knows a lease that was ordered, what was ordered besides, and no other', async () => {
    const { queue } = await open()
    for (const destination of ['d', 'e']) await send(queue, destination)
    equal((await leaseOne(queue, 'e')).ordered, false)
    await queue.order({ destination: 'd' }, retry, T)
    await queue.order({ destination: 'd' }, hold, T)
    equal((await allJobs(queue, T, { destination: 'd' })).map(({ crashes }) => crashes), [0])
    await queue.order({ destination: 'd' }, release, T)
    equal((await leaseOne(queue)).ordered, true)
    const crashed = await leaseOne(queue, 'd', T + 10 * MINUTE)
    equal([crashed.ordered, crashed.crashes], [false, 1], 'a lease that ran out before')
  })

  it('keeps held what is held, when it is to be retried', async () => {
    const { queue } = await open()
    await send(queue, 'd', { due: T + MINUTE })
    await queue.order({}, hold, T)
    await queue.order({}, retry, T)
    equal((await allJobs(queue)).map(({ state, held, due }) => [state, held, due]), [['held', 'spam?', T]])
    await queue.order({}, release, T)
    equal((await lease(queue)).length, 1)
  })

  it('drops jobs, and with the last one the message', async () => {
    const { queue } = await open()
    const { id } = await queue.enqueue(mail(['a@d.example', 'b@d.example', 'c@e.example']), [job('d', [0, 1]), job('e', [2])])
    await queue.settle(await leaseOne(queue), retried(T, { outcomes: [{ number: 0, state: 'delivered' }] }))
    equal(await queue.order({ destination: 'd' }, drop, T), { changed: 1, leased: 0 })
    equal(await statesOf(queue, id), ['delivered', 'dropped', 'waiting'])
    equal([(await leaseOne(queue, 'e')).others, await queue.due({ now: T, limit: 9 })], [0, []])
    equal(await queue.order({}, drop, T + 10 * MINUTE), { changed: 1, leased: 0 })
    equal([await queue.message(id), await queue.counts(T)],
      [undefined, { messages: 0, jobs: 0, due: 0, leased: 0, held: 0, oldest: undefined }])
  })

  it('drops what is held', async () => {
    const { queue } = await open()
    await send(queue)
    await queue.order({}, hold, T)
    equal([await queue.order({}, drop, T), await allJobs(queue)], [{ changed: 1, leased: 0 }, []])
  })

  it('has jobs given up, whether they wait or are held', async () => {
    const { queue } = await open()
    const { id } = await queue.enqueue(mail(['a@d.example', 'b@e.example']),
      [job('d', [0], { due: T + MINUTE }), job('e', [1], { due: T + MINUTE })])
    await queue.order({ destination: 'd' }, hold, T)
    equal(await queue.order({}, bounce, T), { changed: 2, leased: 0 })
    equal((await allJobs(queue)).map(({ state, held, doomed, due }) => [state, held, doomed, due]),
      [['waiting', undefined, 'I said so', T], ['waiting', undefined, 'I said so', T]])
    const [d, e] = [await leaseOne(queue, 'd'), await leaseOne(queue, 'e')]
    equal([d.doomed, e.doomed], ['I said so', 'I said so'])
    await queue.settle(d, retried(T + 1))
    equal((await leaseOne(queue, 'd', T + 1)).doomed, 'I said so', 'why it is to fail, after a retry')
    equal(await statesOf(queue, id), ['waiting', 'waiting'])
  })

  it('leaves alone what is leased, and counts it', async () => {
    const { queue } = await open()
    await send(queue)
    await send(queue, 'd', { due: T + 1 })
    const one = await leaseOne(queue)
    for (const order of [hold, release, retry, drop, bounce]) {
      const { leased } = await queue.order({ jobs: [one.job] }, order, T)
      equal(leased, 1, `what is leased, at ${order.kind}`)
    }
    equal(await queue.order({}, hold, T), { changed: 1, leased: 1 })
    equal((await allJobs(queue)).map(({ state, held, doomed }) => [state, held, doomed]),
      [['leased', undefined, undefined], ['held', 'spam?', undefined]])
    equal(await queue.settle(one, delivered(one)), true)
  })

  it('changes nothing where nothing fits', async () => {
    const { queue } = await open()
    await send(queue)
    const before = await everything(queue)
    const filters: QueueFilter[] = [
      { jobs: [] }, { jobs: ['0', 'x', ''] }, { message: 'x' }, { destination: 'D' }, { account: 'Alice' }, { sender: 'x@' },
      { sender: '' }, { recipient: 'alice' }, { state: 'held' }, { state: 'leased' }, { destination: 'd', state: 'held' },
    ]
    for (const filter of filters) {
      for (const order of [hold, drop, bounce]) equal(await queue.order(filter, order, T), { changed: 0, leased: 0 })
      equal([await allJobs(queue, T, filter), await everything(queue)], [[], before], JSON.stringify(filter))
    }
  })

  it('carries out an order on hundreds of jobs', async () => {
    const { queue } = await open()
    await Promise.all(Array.from({ length: 700 }, (_, i) => send(queue, `d${i % 7}`)))
    equal(await queue.order({ destination: 'd3' }, hold, T), { changed: 100, leased: 0 })
    equal(await queue.order({ state: 'waiting' }, drop, T), { changed: 600, leased: 0 })
    equal((await allJobs(queue)).map(({ destination }) => destination), Array.from({ length: 100 }, () => 'd3'))
  })
}

/** What there is, as those see it who look after the queue. */
export function listing({ it, open }: MailQueueContractOptions): void {
  it('shows what a job is', async () => {
    const { queue } = await open()
    const { id } = await queue.enqueue(mail(['bob@example.net', 'c@d.example'], { account: 'carol', received: T - 3 }),
      [job('d', [1], { priority: -4 }), job('later', [0], { due: T + MINUTE })])
    const one = await leaseOne(queue)
    await queue.settle(one, retried(T - 1))
    const [d, later] = await allJobs(queue)
    const { octets } = d as QueuedJob
    equal(octets, one.message.body.size, 'octets')
    const sender = { local: 'alice', domain: 'example.org' }
    const same = {
      ...{ message: id, state: 'waiting' as const, priority: 0, began: T - 3, tries: 0, crashes: 0 },
      ...{ held: undefined, doomed: undefined, account: 'carol', sender, octets },
    }
    const none = { state: 'waiting' as const, last: undefined, told: undefined }
    const [bob, c] = one.message.envelope.recipients
    const [first, second] = [[{ number: 1, ...none, to: c }], [{ number: 0, ...none, to: bob }]]
    equal(d, { ...same, job: one.job, destination: 'd', due: T - 1, priority: -4, tries: 1, recipients: first })
    equal({ ...later, job: '' }, { ...same, job: '', destination: 'later', due: T + MINUTE, recipients: second })
  })

  it('finds jobs by all that can be asked for', async () => {
    const { queue } = await open()
    const from = (local: string, domain: string): ReturnType<typeof envelope> =>
      envelope(['Bob@Example.NET', 'j\u00d6rg@example.com'], { sender: { local, domain } })
    const { id } = await queue.enqueue(mail([], { envelope: from('Carol', 'EXAMPLE.org'), account: 'carol' }),
      [job('net', [0]), job('com', [1]), job('report', [])])
    const nobody = { envelope: envelope(['x@y.example'], { sender: null }), account: undefined }
    await queue.enqueue(mail([], nobody), [job('net', [0])])
    await queue.order({ destination: 'com' }, hold, T)
    const leased = await lease(queue, 'report')
    const [net, com, report, bounced] = (await allJobs(queue)).map((each) => each.job) as [string, string, string, string]
    const [carols, all] = [[net, com, report], [net, com, report, bounced]]
    const asked: readonly (readonly [QueueFilter, readonly string[]])[] = [
      [{}, all], [{ jobs: [report, 'x', net, net] }, [net, report]],
      [{ message: id }, carols], [{ destination: 'net' }, [net, bounced]],
      [{ account: 'carol' }, carols], [{ sender: 'cArOl@example.ORG' }, carols], [{ sender: 'ol@ex' }, carols],
      [{ sender: '' }, [bounced]], [{ recipient: 'bob' }, [net, report]], [{ recipient: 'J\u00d6RG@' }, [com, report]],
      [{ recipient: 'j\u00f6rg' }, []], [{ recipient: 'y.EXAMPLE' }, [bounced]], [{ recipient: '' }, all],
      [{ state: 'held' }, [com]], [{ state: 'leased' }, [report]], [{ state: 'waiting' }, [net, bounced]],
      [{ destination: 'net', account: 'carol', state: 'waiting' }, [net]], [{ message: id, jobs: [com, bounced] }, [com]],
    ]
    for (const [filter, expected] of asked) {
      equal((await allJobs(queue, T, filter)).map((each) => each.job), expected, JSON.stringify(filter))
    }
    equal(leased.map((each) => each.job), [report])
    equal((await allJobs(queue, T + 10 * MINUTE, { state: 'leased' })), [], 'what is leased when leases have run out')
  })

  it('gives pages, in the order jobs came', async () => {
    const { queue } = await open()
    const ids: string[] = []
    for (let i = 0; i < 25; i++) ids.push(await send(queue, i % 5 ? 'd' : 'other', { due: T - i, priority: i % 19 - 9 }))
    for (const limit of [1, 7, 24, 25, 26, 1000]) {
      equal((await allJobs(queue, T, {}, limit)).map(({ message }) => message), ids, `pages of ${limit}`)
    }
    const others = ids.filter((_, index) => index % 5 === 0)
    equal((await allJobs(queue, T, { destination: 'other' }, 2)).map(({ message }) => message), others)
    const [, second] = await allJobs(queue)
    await queue.order({ jobs: [second?.job as string] }, drop, T)
    const { jobs, more } = await queue.jobs({ limit: 3, now: T, after: second?.job as string })
    equal([jobs.map(({ message }) => message), more], [ids.slice(2, 5), true], 'after a job that is gone')
  })

  it('counts', async () => {
    const { queue } = await open()
    const old = mail(['a@a.example', 'b@b.example'], { received: T - 50 })
    await queue.enqueue(old, [job('a', [0]), job('b', [1], { due: T + 9 })])
    for (const destination of ['c', 'd', 'e']) await send(queue, destination)
    await leaseOne(queue, 'c')
    await queue.order({ destination: 'd' }, hold, T)
    equal(await queue.counts(T), { messages: 4, jobs: 5, due: 2, leased: 1, held: 1, oldest: T - 50 })
    equal(await queue.counts(T + 10 * MINUTE), { messages: 4, jobs: 5, due: 4, leased: 0, held: 1, oldest: T - 50 })
    const a = await leaseOne(queue, 'a')
    await queue.settle(a, delivered(a))
    equal(await queue.counts(T), { messages: 4, jobs: 4, due: 1, leased: 1, held: 1, oldest: T - 50 })
  })

  it('tells of messages, and of none that is not there', async () => {
    const { queue } = await open()
    const id = await send(queue)
    const one = await leaseOne(queue)
    equal((await recipientsOf(queue, id)).length, 1)
    for (const other of ['', '0', '-1', '99999', `${id} `, `0${id}`, '__proto__', 'x'.repeat(64)]) {
      equal(await queue.message(other), undefined, `message ${JSON.stringify(other)}`)
    }
    await queue.settle(one, delivered(one))
    equal(await queue.message(id), undefined)
  })
}
