import { equal, holds } from './checks.ts'
import { delivered, job, lease, leaseOne, mail, type MailQueueContractOptions, MINUTE, retried, send, T } from './sample-queue.ts'

/** Which destination is next, and when. */
export function duing({ it, open }: MailQueueContractOptions): void {
  it('names destinations with jobs that are due, those first that have waited longest', async () => {
    const { queue } = await open()
    const dues = [['c', 3], ['a', 1], ['later', 1000], ['b', 2], ['a', 500]] as const
    for (const [destination, due] of dues) await send(queue, destination, { due: T + due })
    equal(await queue.due({ now: T, limit: 10 }), [])
    equal(await queue.due({ now: T + 1, limit: 10 }), ['a'], 'what is due to the millisecond')
    equal(await queue.due({ now: T + 999, limit: 10 }), ['a', 'b', 'c'])
    equal(await queue.due({ now: T + 1000, limit: 10 }), ['a', 'b', 'c', 'later'])
    equal(await queue.due({ now: T + 1000, limit: 2 }), ['a', 'b'], 'two of them')
    equal(await queue.due({ now: T + 1000, limit: 2, except: new Set(['a', 'x', 'b']) }), ['c', 'later'], 'others')
  })

  it('goes by the time, whatever the priority', async () => {
    const { queue } = await open()
    await send(queue, 'urgent', { due: T - 1, priority: 9 })
    await send(queue, 'old', { due: T - 2, priority: -9 })
    equal(await queue.due({ now: T, limit: 10 }), ['old', 'urgent'])
    await send(queue, 'urgent', { due: T - 3, priority: -9 })
    equal(await queue.due({ now: T, limit: 10 }), ['urgent', 'old'], 'with one that is older and less urgent')
  })

  it('says when the next is due', async () => {
    const { queue } = await open()
    await send(queue, 'b', { due: T + 2000 })
    equal(await queue.nextDue(), T + 2000)
    await send(queue, 'a', { due: T - 5000 })
    equal(await queue.nextDue(), T - 5000, 'what was due long ago')
    equal([await queue.nextDue(new Set(['a'])), await queue.nextDue(new Set(['a', 'b']))], [T + 2000, undefined], 'of others')
  })

  it('leaves out what is leased, and what is held', async () => {
    const { queue } = await open()
    for (const destination of ['a', 'b', 'c']) await send(queue, destination)
    await leaseOne(queue, 'a', T)
    await queue.order({ destination: 'b' }, { kind: 'hold', why: 'wait' }, T)
    equal(await queue.due({ now: T, limit: 10 }), ['c'])
    equal(await queue.nextDue(new Set(['c'])), T + 10 * MINUTE, 'the end of the lease')
    await send(queue, 'a', { due: T + 1 })
    equal([await queue.due({ now: T, limit: 10 }), await queue.due({ now: T + 1, limit: 10 })], [['c'], ['c', 'a']])
    equal(await queue.nextDue(new Set(['c'])), T + 1, 'a job beside the one that is leased')
  })

  it('follows a job through its retries', async () => {
    const { queue } = await open()
    await send(queue)
    for (const wait of [5, 15, 30]) {
      const one = await leaseOne(queue, 'd', await queue.nextDue())
      const due = T + wait * MINUTE
      equal(await queue.settle(one, retried(due)), true)
      equal([await queue.nextDue(), await queue.due({ now: due - 1, limit: 9 }), await queue.due({ now: due, limit: 9 })],
        [due, [], ['d']])
    }
    const last = await leaseOne(queue, 'd', T + 30 * MINUTE)
    equal(last.tries, 3)
    await queue.settle(last, delivered(last))
    equal([await queue.nextDue(), await queue.due({ now: T * 2, limit: 9 })], [undefined, []])
  })

  it('keeps mail until its time, however far that is', async () => {
    const { queue } = await open()
    const due = T + 400 * 24 * 60 * MINUTE
    await send(queue, 'd', { due })
    equal([await lease(queue, 'd', due - 1), await queue.nextDue()], [[], due])
    equal((await lease(queue, 'd', due)).length, 1)
  })

  it('finds its way through thousands of destinations', async () => {
    const { queue } = await open()
    const names = Array.from({ length: 2000 }, (_, i) => `d${(i * 7919) % 2000}`)
    await Promise.all(names.map((name, index) => send(queue, name, { due: T + index })))
    equal(await queue.due({ now: T + 1499, limit: 5000 }), names.slice(0, 1500))
    const except = new Set(names.slice(0, 1000))
    equal(await queue.due({ now: T + 1499, limit: 3, except }), names.slice(1000, 1003))
    equal(await queue.nextDue(except), T + 1000)
  })
}

/** In which order jobs are leased. */
export function leasing({ it, open }: MailQueueContractOptions): void {
  it('leases by priority, then by time, then as they came', async () => {
    const { queue } = await open()
    const made: { readonly id: string; readonly rank: readonly [number, number, number] }[] = []
    for (const [index, [priority, due]] of ([[0, -5], [3, -1], [-9, -9], [3, -1], [0, -6], [9, 0], [3, -2]] as const).entries()) {
      made.push({ id: await send(queue, 'd', { priority, due: T + due }), rank: [-priority, due, index] })
    }
    await send(queue, 'd', { priority: 9, due: T + 1 })
    await send(queue, 'other', { priority: 9 })
    const expected = made.sort((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1] || a.rank[2] - b.rank[2])
    const first = await lease(queue, 'd', T, { limit: 3 })
    equal(first.map(({ message }) => message.id), expected.slice(0, 3).map(({ id }) => id))
    const rest = await lease(queue, 'd', T)
    equal(rest.map(({ message }) => message.id), expected.slice(3).map(({ id }) => id))
    equal(await lease(queue, 'd', T), [], 'what is left')
  })

  it('gives at most as many as were asked for, and no job twice', async () => {
    const { queue } = await open()
    for (let i = 0; i < 10; i++) await send(queue)
    const taken = await Promise.all([1, 4, 3].map((limit) => lease(queue, 'd', T, { limit })))
    equal(taken.map(({ length }) => length), [1, 4, 3])
    const names = taken.flat().map((each) => each.job)
    equal(new Set(names).size, 8, 'jobs that were leased')
    equal((await queue.counts(T)).leased, 8)
  })

  it('tells how many other jobs a message has', async () => {
    const { queue } = await open()
    await queue.enqueue(mail(['a@a.example', 'b@b.example', 'c@c.example']), [job('a', [0]), job('b', [1]), job('c', [2])])
    const first = await leaseOne(queue, 'a')
    const second = await leaseOne(queue, 'b')
    equal([first.others, second.others], [2, 2])
    await queue.settle(first, delivered(first))
    equal((await leaseOne(queue, 'c')).others, 1)
    await queue.settle(second, retried(T + MINUTE))
    equal((await leaseOne(queue, 'b', T + MINUTE)).others, 1)
  })

  it('gives each lease a token of its own', async () => {
    const { queue } = await open()
    await send(queue)
    const tokens = new Set<string>()
    for (let round = 0; round < 10; round++) {
      const one = await leaseOne(queue, 'd', T + round * 60 * MINUTE)
      holds(!tokens.has(one.token), `token ${one.token} was given twice`)
      tokens.add(one.token)
      if (round % 2) await queue.settle(one, retried(T))
    }
  })
}
