import type {
  Lease,
  MailQueue,
  NewJob,
  Outcome,
  QueuedJob,
  QueuedRecipient,
  QueueFilter,
  QueueOrder,
  RecipientState,
  Settlement,
} from '../../contracts/queue.ts'
import { seededRandom, type SeededRandom } from '../random.ts'
import { equal, holds } from './checks.ts'
import { allJobs, mail, type MailQueueContractOptions, T } from './sample-queue.ts'

const SEQUENCES = 8
const STEPS = 70

const destinations = ['a', 'b', 'c', 'A'] as const

/** A job, said in the plainest way. */
interface ModelJob {
  /** As the queue calls it, once that is known. */
  name: string | undefined
  readonly message: ModelMessage
  readonly destination: string
  readonly recipients: readonly number[]
  readonly priority: number
  readonly began: number
  due: number
  token: string | undefined
  tries: number
  crashes: number
  ordered: boolean
  held: string | undefined
  doomed: string | undefined
  again: number | undefined
}

interface ModelMessage {
  readonly id: string
  readonly states: { state: RecipientState; told: 'delay' | 'end' | undefined }[]
}

/** What a queue is: a list of jobs in the order they came. */
class Model {
  jobs: ModelJob[] = []

  add(message: ModelMessage, { destination, recipients, due, priority = 0 }: NewJob, began: number): void {
    const same = this.jobs.find((one) => {
      return recipients.length === 0 && one.recipients.length === 0 && one.message === message && one.destination === destination
    })
    if (same?.token !== undefined) same.again = Math.min(due, same.again ?? due)
    else if (same) same.due = Math.min(due, same.due)
    else {
      const unknown = { name: undefined, token: undefined, held: undefined, doomed: undefined, again: undefined }
      this.jobs.push({ ...unknown, tries: 0, crashes: 0, ordered: false, message, destination, recipients, due, priority, began })
    }
  }

  stateOf({ token, due, held }: ModelJob, now: number): QueuedJob['state'] {
    return token !== undefined && due > now ? 'leased' : held === undefined ? 'waiting' : 'held'
  }

  /** When the first of the jobs for each destination is due. */
  dues(): Map<string, number> {
    const dues = new Map<string, number>()
    for (const { destination, due, held } of this.jobs) {
      if (held === undefined) dues.set(destination, Math.min(due, dues.get(destination) ?? Infinity))
    }
    return dues
  }

  lease(destination: string, now: number, limit: number): ModelJob[] {
    const due = this.jobs.filter((one) => one.destination === destination && one.held === undefined && one.due <= now)
    // Sorting leaves those in their order that are alike.
    return due.sort((x, y) => y.priority - x.priority || x.due - y.due).slice(0, limit)
  }

  settle(job: ModelJob, { outcomes, due, hold, counts, jobs = [], now }: Settlement): void {
    for (const { number, state, told } of outcomes) {
      const recipient = job.message.states[number]
      if (recipient && state) recipient.state = state
      if (recipient && told) recipient.told = told
    }
    for (const one of jobs) this.add(job.message, one, now)
    const next = Math.min(due ?? Infinity, job.again ?? Infinity)
    job.token = job.again = undefined
    job.crashes = 0
    if (counts) job.tries++
    if (next === Infinity) this.remove(job)
    job.due = next
    job.held = due === undefined ? undefined : hold
  }

  remove(job: ModelJob): void {
    this.jobs = this.jobs.filter((one) => one !== job)
  }

  order(job: ModelJob, order: QueueOrder, now: number): void {
    job.token = undefined
    if (order.kind === 'drop') {
      for (const number of job.recipients) {
        const recipient = job.message.states[number]
        if (recipient?.state === 'waiting') recipient.state = 'dropped'
      }
      return this.remove(job)
    }
    if (order.kind === 'hold') job.held = order.why
    else if (order.kind !== 'retry') job.held = undefined
    if (order.kind === 'retry') Object.assign(job, { crashes: 0, ordered: true })
    if (order.kind === 'bounce') job.doomed = order.why
    if (order.kind === 'retry' || order.kind === 'bounce') job.due = Math.min(job.due, now)
  }
}

/** Any sequence of operations gives what the list would. */
export function modelling({ it, open }: MailQueueContractOptions): void {
  for (let seed = 1; seed <= SEQUENCES; seed++) {
    it(`is a list of jobs (seed ${seed})`, async () => {
      const { queue } = await open()
      const play = new Play(queue, seededRandom(seed))
      for (let step = 0; step < STEPS; step++) await play.step()
    })
  }
}

/** A queue and the list beside it. */
class Play {
  readonly #queue: MailQueue
  readonly #random: SeededRandom
  readonly #model = new Model()
  readonly #leases: { readonly lease: Lease; readonly job: ModelJob }[] = []
  readonly #told: string[] = []
  #now = T

  constructor(queue: MailQueue, random: SeededRandom) {
    this.#queue = queue
    this.#random = random
  }

  async step(): Promise<void> {
    // Clocks jump, back too.
    this.#now += this.#random.below(12) === 0 ? -this.#random.below(500) : this.#random.below(60)
    const [often, seldom] = [[this.#enqueue, this.#lease, this.#settle], [this.#extend, this.#order, this.#settle]]
    const step = this.#one([...often, ...often, ...seldom])
    this.#told.push(`${await step.call(this)} at ${this.#now - T}`)
    try {
      await this.#compare()
    } catch (error) {
      throw new Error(`after ${this.#told.slice(-15).join('; ')}: ${(error as Error).message}`, { cause: error })
    }
  }

  #one<V>(of: readonly V[]): V {
    return of[this.#random.below(of.length)] as V
  }

  #when(): number {
    return this.#now + this.#random.below(300) - 100
  }

  #job(recipients: readonly number[]): NewJob {
    const rank = this.#random.below(3) === 0 ? { priority: this.#random.below(19) - 9 } : {}
    return { destination: this.#one(destinations), recipients, due: this.#when(), ...rank }
  }

  async #enqueue(): Promise<string> {
    const split = this.#one([[[0]], [[0, 1]], [[0], [1]], [[0, 2], [1]], [[0], []]])
    const count = split.flat().length
    const jobs = split.map((recipients) => this.#job(recipients))
    const message = mail(Array.from({ length: count }, (_, i) => `r${i}@example.net`), { received: this.#now })
    const { id } = await this.#queue.enqueue(message, jobs)
    const kept: ModelMessage = { id, states: Array.from({ length: count }, () => ({ state: 'waiting', told: undefined })) }
    for (const one of jobs) this.#model.add(kept, one, this.#now)
    return `enqueue ${JSON.stringify(jobs)}`
  }

  async #lease(): Promise<string> {
    const [destination, limit] = [this.#one(destinations), 1 + this.#random.below(3)]
    const until = this.#now + 1 + this.#random.below(150)
    const what = `lease ${limit} of ${destination} until ${until - T}`
    const leases = await this.#queue.lease({ destination, now: this.#now, until, limit })
    const expected = this.#model.lease(destination, this.#now, limit)
    const told = [...this.#told.slice(-15), what].join('; ')
    equal(leases.map(({ job }) => job), expected.map(({ name }) => name), `${told}: jobs leased`)
    for (const [index, job] of expected.entries()) {
      const lease = leases[index] as Lease
      if (job.token !== undefined) job.crashes++
      Object.assign(job, { token: lease.token, due: until })
      const others = this.#model.jobs.filter(({ message }) => message === job.message).length - 1
      equal(
        [lease.message.id, lease.tries, lease.crashes, lease.ordered, lease.began, lease.doomed, lease.others, lease.until],
        [job.message.id, job.tries, job.crashes, job.ordered, job.began, job.doomed, others, until],
        `${told}: the lease`,
      )
      job.ordered = false
      equal(lease.recipients.map(recipientSeen), recipientsOf(job), `${told}: recipients of the lease`)
      this.#leases.push({ lease, job })
    }
    return what
  }

  /** Settles a lease, now and then one that was lost. */
  async #settle(): Promise<string> {
    const index = this.#random.below(2) ? this.#leases.length - 1 : this.#random.below(this.#leases.length)
    const found = this.#leases[index]
    if (!found) return 'nothing'
    const { lease, job } = found
    if (this.#random.below(4) > 0) this.#leases.splice(index, 1)
    const settlement = this.#settlement(lease)
    const isIts = job.token === lease.token && this.#model.jobs.includes(job)
    equal(await this.#queue.settle(lease, settlement), isIts, `settling ${JSON.stringify(settlement)}`)
    if (isIts) this.#model.settle(job, settlement)
    return `settle job ${lease.job} with ${JSON.stringify(settlement)}`
  }

  #settlement({ recipients }: Lease): Settlement {
    const [isRetry, counts, now] = [this.#random.below(2) === 0, this.#random.below(3) > 0, this.#now]
    const state = this.#one(['delivered', 'relayed', 'failed'] as const)
    const outcomes = recipients.flatMap(({ number }): Outcome[] => {
      if (isRetry && this.#random.below(2)) return []
      return [{ number, ...(!isRetry && { state }), ...(this.#random.below(3) === 0 && { told: 'delay' as const }) }]
    })
    const jobs = this.#random.below(3) === 0 ? { jobs: [this.#job([])] } : {}
    const end = isRetry ? { due: this.#when(), ...(this.#random.below(4) === 0 && { hold: 'held' }) } : {}
    return { now, outcomes, counts, ...end, ...jobs }
  }

  async #extend(): Promise<string> {
    const found = this.#leases[this.#random.below(this.#leases.length)]
    if (!found) return 'nothing'
    const { lease, job } = found
    const until = this.#now + this.#random.below(300)
    const isIts = job.token === lease.token && this.#model.jobs.includes(job)
    equal(await this.#queue.extend(lease, until), isIts, 'extend')
    if (isIts) job.due = until
    return `extend job ${lease.job} until ${until - T}`
  }

  async #order(): Promise<string> {
    const order = this.#one<QueueOrder>([
      { kind: 'hold', why: 'held' }, { kind: 'release' }, { kind: 'retry' }, { kind: 'drop' }, { kind: 'bounce', why: 'doomed' },
    ])
    const destination = this.#one(destinations)
    const waiting = this.#random.below(2) ? { state: 'waiting' as const } : {}
    const filter: QueueFilter = order.kind === 'release' ? { state: 'held' } : { destination, ...waiting }
    const its = this.#model.jobs.filter((one) => this.#fits(one, filter))
    const free = its.filter((one) => this.#model.stateOf(one, this.#now) !== 'leased')
    const expected = { changed: free.length, leased: its.length - free.length }
    equal(await this.#queue.order(filter, order, this.#now), expected, order.kind)
    for (const job of free) this.#model.order(job, order, this.#now)
    return `${order.kind} ${JSON.stringify(filter)}`
  }

  #fits(job: ModelJob, { destination, state }: QueueFilter): boolean {
    const its = this.#model.stateOf(job, this.#now)
    return (destination ?? job.destination) === job.destination && (state ?? its) === its
  }

  async #compare(): Promise<void> {
    const [queue, now, { jobs }] = [this.#queue, this.#now, this.#model]
    const there = await allJobs(queue, now)
    equal(there.map(seen), jobs.map((one) => this.#view(one)), 'jobs')
    for (const [index, { job }] of there.entries()) {
      const model = jobs[index] as ModelJob
      equal(job, model.name ?? job, 'name of a job')
      model.name = job
    }
    const dues = [...this.#model.dues()].filter(([, due]) => due <= now).sort(([, x], [, y]) => x - y)
    const limit = 1 + this.#random.below(4)
    const found = await queue.due({ now, limit })
    // Of those that are due at the same time any may come first.
    const times = found.map((name) => this.#model.dues().get(name))
    equal(times, dues.slice(0, limit).map(([, due]) => due), 'when destinations are due')
    holds(new Set(found).size === found.length, 'a destination is named twice')
    const except = new Set<string>([this.#one(destinations)])
    const others = [...this.#model.dues()].filter(([name]) => !except.has(name)).map(([, due]) => due)
    equal(await queue.nextDue(except), others.length > 0 ? Math.min(...others) : undefined, 'nextDue')
    const states = jobs.map((one) => this.#model.stateOf(one, now))
    equal(await queue.counts(now), {
      messages: new Set(jobs.map(({ message }) => message)).size,
      jobs: jobs.length,
      due: jobs.filter((one, index) => states[index] === 'waiting' && one.due <= now).length,
      leased: states.filter((state) => state === 'leased').length,
      held: states.filter((state) => state === 'held').length,
      oldest: jobs.length > 0 ? Math.min(...jobs.map(({ began }) => began)) : undefined,
    }, 'counts')
  }

  #view(job: ModelJob): unknown {
    const { message, destination, due, priority, began, tries, crashes, held, doomed } = job
    const state = this.#model.stateOf(job, this.#now)
    const recipients = recipientsOf(job)
    return { message: message.id, destination, due, priority, began, tries, crashes, held, doomed, state, recipients }
  }
}

function seen({ recipients, ...job }: QueuedJob): object {
  const { message, destination, due, priority, began, tries, crashes, held, doomed, state } = job
  return {
    message, destination, due, priority, began, tries, crashes, held, doomed, state, recipients: recipients.map(recipientSeen),
  }
}

function recipientSeen({ number, state, told }: QueuedRecipient): unknown {
  return [number, state, told]
}

/** What is to be seen of the recipients of a job: all of the message where it has none of its own. */
function recipientsOf({ recipients, message: { states } }: ModelJob): unknown[] {
  const numbers = recipients.length > 0 ? recipients : states.map((_, number) => number)
  return numbers.map((number) => [number, states[number]?.state, states[number]?.told])
}
