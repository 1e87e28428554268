import { turn } from '../../adapters/node/event-loop.ts'
import type { Lease, MailQueue } from '../../contracts/queue.ts'
import { seededRandom, type SeededRandom } from '../random.ts'
import { equal, holds } from './checks.ts'
import {
  delivered,
  job,
  leaseOne,
  mail,
  type MailQueueContractOptions,
  MINUTE,
  needing,
  retried,
  send,
  T,
} from './sample-queue.ts'

const SEEDS = 6
const MESSAGES = 30
const DESTINATIONS = 4
const LASTS = 100

/** Several who work on one queue: from two processes, where there can be. */
export function working({ it, open }: MailQueueContractOptions): void {
  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`gives no job to two at a time, and has each settled once (seed ${seed})`, async () => {
      const { queue, beside } = await open()
      const other = (await beside?.()) ?? queue
      const floor = new Floor(seededRandom(seed), queue)
      await floor.fill()
      for (let round = 0; round < 60; round++) await floor.round([queue, other])
      await floor.drain(other)
      equal(await queue.counts(floor.now), { messages: 0, jobs: 0, due: 0, leased: 0, held: 0, oldest: undefined })
      equal([await queue.nextDue(), await other.nextDue()], [undefined, undefined])
    })
  }

  it('lets one of two settle that have had the same job', async () => {
    const { queue, beside } = await open()
    const other = (await beside?.()) ?? queue
    await send(queue)
    const old = await leaseOne(queue, 'd', T)
    const fresh = await leaseOne(other, 'd', T + 10 * MINUTE)
    equal(await Promise.all([queue.settle(old, delivered(old)), other.settle(fresh, delivered(fresh))]), [false, true])
  })

  it('sees what another one does', async () => {
    const { queue, beside } = await open()
    const other = (await beside?.()) ?? queue
    equal([await queue.nextDue(), await other.nextDue()], [undefined, undefined])
    for (let i = 0; i < 3; i++) {
      await send(queue, `d${i}`, { due: T + 100 - i })
      equal([await other.nextDue(), await queue.nextDue()], [T + 100 - i, T + 100 - i], 'what was enqueued')
    }
    equal(await other.due({ now: T + 100, limit: 9 }), ['d2', 'd1', 'd0'])
    const one = await leaseOne(other, 'd1', T + 100)
    equal(await queue.due({ now: T + 100, limit: 9 }), ['d2', 'd0'], 'what is leased')
    await other.settle(one, retried(T + 1))
    equal(await queue.due({ now: T + 1, limit: 9 }), ['d1'], 'what is to be tried again')
    await queue.order({}, { kind: 'drop' }, T)
    equal([await other.nextDue(), (await other.counts(T)).jobs], [undefined, 0])
  })
}

/** Where workers take jobs, do them, or drop dead over them. */
class Floor {
  now = T
  readonly #random: SeededRandom
  readonly #queue: MailQueue
  /** By job: when the lease of whoever has it ends. */
  readonly #taken = new Map<string, number>()
  readonly #done = new Set<string>()
  readonly #hands: Lease[][] = [[], []]

  constructor(random: SeededRandom, queue: MailQueue) {
    this.#random = random
    this.#queue = queue
  }

  async fill(): Promise<void> {
    await Promise.all(Array.from({ length: MESSAGES }, async (_, i) => {
      const due = T + this.#random.below(500)
      const [one, two] = [`d${i % DESTINATIONS}`, `d${(i + 1) % DESTINATIONS}`]
      await this.#queue.enqueue(mail(['a@a.example', 'b@b.example']), [job(one, [0], { due }), job(two, [1], { due })])
    }))
  }

  /** Both do something at the same time. */
  async round(workers: readonly MailQueue[]): Promise<void> {
    this.now += this.#random.below(40)
    const destination = `d${this.#random.below(DESTINATIONS)}`
    const limit = 1 + this.#random.below(4)
    const before = new Map(this.#taken)
    const takes = await Promise.all(workers.map(async (queue) => {
      return queue.lease({ destination, now: this.now, until: this.now + LASTS, limit })
    }))
    for (const one of takes.flat()) {
      holds((before.get(one.job) ?? 0) <= this.now, `job ${one.job} was leased to two at a time`)
      before.set(one.job, one.until)
      this.#taken.set(one.job, one.until)
      holds(!this.#done.has(one.job), `job ${one.job} was leased after it was done`)
    }
    takes.forEach((leases, worker) => this.#hands[worker]?.push(...leases))
    await Promise.all(workers.map(async (queue, worker) => this.#work(queue, worker)))
  }

  async drain(queue: MailQueue): Promise<void> {
    for (let round = 0; round < 20 * MESSAGES; round++) {
      const next = await queue.nextDue()
      if (next === undefined) break
      this.now = Math.max(this.now, next)
      for (const destination of await queue.due({ now: this.now, limit: 10 })) {
        for (const one of await queue.lease({ destination, now: this.now, until: this.now + LASTS, limit: 5 })) {
          equal(await queue.settle(one, delivered(one, { now: this.now })), true)
          this.#end(one)
        }
      }
    }
    equal(this.#done.size, 2 * MESSAGES, 'jobs that were done')
  }

  async #work(queue: MailQueue, worker: number): Promise<void> {
    const hand = this.#hands[worker] as Lease[]
    for (let i = 0; i < 2 && hand.length > 0; i++) {
      const [one] = hand.splice(this.#random.below(hand.length), 1) as [Lease]
      const fate = this.#random.below(5)
      // It drops dead.
      if (fate === 0) continue
      const isDone = fate > 1
      const { now } = this
      const settlement = isDone ? delivered(one, { now }) : retried(now + this.#random.below(200), { now })
      const isSettled = await queue.settle(one, settlement)
      if (isSettled) this.#taken.delete(one.job)
      if (one.until > this.now) equal(isSettled, true, `whether a lease that lasts can be settled (job ${one.job})`)
      if (isSettled && isDone) this.#end(one)
    }
  }

  #end({ job: name }: Lease): void {
    holds(!this.#done.has(name), `job ${name} was done twice`)
    this.#done.add(name)
  }
}

/** How often a hint is waited for: other processes may be looked for now and then only. */
const MOST_TURNS = 100_000

/** Hints that there is something to do. */
export function watching(options: MailQueueContractOptions): void {
  const it = needing(options, 'watch')

  it('tells of what comes, and of what is due earlier', async (queue) => {
    let told = 0
    const end = queue.watch(() => void told++)
    const hears = async (what: string, change: () => Promise<unknown>): Promise<void> => {
      const before = told
      await change()
      for (let i = 0; i < MOST_TURNS && told === before; i++) await turn()
      holds(told > before, `nobody was told ${what}`)
    }
    await hears('of a new job', () => send(queue))
    const one = await leaseOne(queue)
    await hears('of a job that is due sooner than its lease ends', () => queue.settle(one, retried(T + MINUTE)))
    await hears('of a job that is to be retried', () => queue.order({}, { kind: 'retry' }, T))
    await queue.order({}, { kind: 'hold', why: '' }, T)
    await hears('of a job that was released', () => queue.order({}, { kind: 'release' }, T))
    const two = await leaseOne(queue)
    await hears('of a further job', () => queue.settle(two, delivered(two, { jobs: [job('report', [])] })))
    end()
    end()
  })

  it('tells whoever listens, and nobody else any more', async (queue) => {
    const told = [0, 0]
    const ends = [0, 1].map((which) => queue.watch(() => void (told[which] = (told[which] ?? 0) + 1)))
    ends[0]?.()
    await send(queue)
    for (let i = 0; i < MOST_TURNS && told[1] === 0; i++) await turn()
    equal([told[0], told[1] === 0], [0, false])
    ends[1]?.()
  })
}
