import type { StoredBody } from '../../contracts/bodies.ts'
import type { OutgoingMessage } from '../../contracts/dispatch.ts'
import type {
  Lease,
  MailQueue,
  NewJob,
  NewMessageJobs,
  QueueCounts,
  QueuedJob,
  QueuedMessage,
  QueuedRecipient,
  QueueFilter,
  QueueOrder,
  Settlement,
} from '../../contracts/queue.ts'
import { readBody } from '../../contracts/read-body.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { memoryBody } from './bodies.ts'
import { fits, Job, type KeptMessage, type KeptRecipient, Waiting } from './queue-job.ts'

/** Settings of {@link memoryQueue}. */
export interface MemoryQueueOptions {
  /** How many messages it takes; `quota` beyond that. Default: any number. */
  readonly messages?: number
}

/** A mail queue in memory: the reference for what a queue does. Gone with the process, so for tests. */
export function memoryQueue(options: MemoryQueueOptions = {}): MailQueue {
  return new MemoryQueue(options.messages ?? Infinity)
}

/** A message that is to come in: its body is here already. */
interface Coming extends NewMessageJobs {
  readonly bytes: Uint8Array
}

class MemoryQueue implements MailQueue {
  readonly traits = { durability: 'none' } as const
  readonly #most: number
  readonly #messages = new Map<string, KeptMessage>()
  /** In the order they came. */
  readonly #jobs = new Map<string, Job>()
  readonly #waiting = new Map<string, Waiting>()
  readonly #watchers = new Set<() => void>()
  #count = 0
  #closed = false

  constructor(most: number) {
    this.#most = most
  }

  async enqueue(message: OutgoingMessage, jobs: readonly NewJob[]): Promise<{ readonly id: string }> {
    this.#check()
    const [coming] = await this.#comingOf([{ message, jobs }])
    return { id: this.#takeIn(coming!) }
  }

  async due(
    { now, limit, except }: { readonly now: number; readonly limit: number; readonly except?: ReadonlySet<string> },
  ): Promise<readonly string[]> {
    this.#check()
    const found: { destination: string; due: number }[] = []
    for (const [destination, due] of this.#dues()) if (due <= now && !except?.has(destination)) found.push({ destination, due })
    return found.sort((a, b) => a.due - b.due).slice(0, limit).map(({ destination }) => destination)
  }

  async nextDue(except?: ReadonlySet<string>): Promise<number | undefined> {
    this.#check()
    let next: number | undefined
    for (const [destination, due] of this.#dues()) {
      if (!except?.has(destination) && (next === undefined || due < next)) next = due
    }
    return next
  }

  async lease(
    { destination, now, until, limit }: {
      readonly destination: string
      readonly now: number
      readonly until: number
      readonly limit: number
    },
  ): Promise<readonly Lease[]> {
    this.#check()
    const leases: Lease[] = []
    const waiting = this.#waiting.get(destination)
    while (leases.length < limit) {
      const job = waiting?.take(now)
      if (!job) break
      if (job.token !== undefined) job.crashes++
      job.token = String(++this.#count)
      this.#reschedule(job, until)
      leases.push(job.lease())
      job.ordered = false
    }
    return leases
  }

  async extend(lease: Lease, until: number): Promise<boolean> {
    this.#check()
    const job = this.#leased(lease)
    if (job) this.#reschedule(job, until)
    return job !== undefined
  }

  async settle(lease: Lease, settlement: Settlement): Promise<boolean> {
    this.#check()
    if (!this.#leased(lease)) return false
    const coming = await this.#comingOf(settlement.enqueue ?? [])
    // It may be lost since.
    const job = this.#leased(lease)
    if (!job) return false
    for (const each of coming) this.#takeIn(each)
    const { recipients } = job.kept
    for (const { number, ...change } of settlement.outcomes) Object.assign(recipients[number]!, change)
    for (const each of settlement.jobs ?? []) this.#add(job.kept, each, settlement.now)
    this.#end(job, settlement)
    this.#tell()
    return true
  }

  async message(
    id: string,
  ): Promise<{ readonly message: QueuedMessage; readonly recipients: readonly QueuedRecipient[] } | undefined> {
    this.#check()
    const kept = this.#messages.get(id)
    return kept && { message: kept.message, recipients: kept.recipients.map((each) => ({ ...each })) }
  }

  async jobs(
    { after, limit, now, ...filter }: QueueFilter & { readonly after?: string; readonly limit: number; readonly now: number },
  ): Promise<{ readonly jobs: readonly QueuedJob[]; readonly more: boolean }> {
    this.#check()
    const found: Job[] = []
    for (const job of this.#jobs.values()) {
      if (found.length > limit) break
      if ((after === undefined || job.order > Number(after)) && fits(job, filter, now)) found.push(job)
    }
    return { jobs: found.slice(0, limit).map((job) => job.view(now)), more: found.length > limit }
  }

  async order(
    which: QueueFilter, order: QueueOrder, now: number,
  ): Promise<{ readonly changed: number; readonly leased: number }> {
    this.#check()
    const meant = [...this.#jobs.values()].filter((job) => fits(job, which, now))
    const free = meant.filter((job) => job.stateAt(now) !== 'leased')
    for (const job of free) this.#carryOut(job, order, now)
    this.#tell()
    return { changed: free.length, leased: meant.length - free.length }
  }

  async counts(now: number): Promise<QueueCounts> {
    this.#check()
    const counts = { messages: this.#messages.size, jobs: this.#jobs.size, due: 0, leased: 0, held: 0 }
    let oldest: number | undefined
    for (const job of this.#jobs.values()) {
      const state = job.stateAt(now)
      if (state !== 'waiting') counts[state]++
      else if (job.due <= now) counts.due++
      if (oldest === undefined || job.began < oldest) oldest = job.began
    }
    return { ...counts, oldest }
  }

  watch(told: () => void): () => void {
    const watcher = (): void => told()
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#watchers.clear()
  }

  async #comingOf(several: readonly NewMessageJobs[]): Promise<readonly Coming[]> {
    const coming = await Promise.all(several.map(async (each) => ({ ...each, bytes: await readBody(each.message.body) })))
    this.#check()
    if (this.#messages.size + coming.length > this.#most) throw new MailError('quota', `The queue takes ${this.#most} messages`)
    return coming
  }

  #takeIn({ message, jobs, bytes }: Coming): string {
    const id = String(++this.#count)
    const body: StoredBody = memoryBody(id, bytes)
    const recipients = message.envelope.recipients.map((_, number): KeptRecipient => {
      return { number, state: 'waiting', last: undefined, told: undefined }
    })
    const kept: KeptMessage = { message: { ...message, id, body }, recipients, jobs: new Set() }
    this.#messages.set(id, kept)
    for (const job of jobs) this.#add(kept, job, message.received)
    this.#tell()
    return id
  }

  #add(kept: KeptMessage, wanted: NewJob, now: number): void {
    const same = wanted.recipients.length > 0 ? undefined : [...kept.jobs].find((job) => {
      return job.numbers.length === 0 && job.destination === wanted.destination
    })
    if (same?.token !== undefined) same.again = Math.min(same.again ?? Infinity, wanted.due)
    else if (same) this.#reschedule(same, Math.min(same.due, wanted.due))
    else {
      const job = new Job(++this.#count, kept, wanted, now)
      kept.jobs.add(job)
      this.#jobs.set(job.name, job)
      this.#reschedule(job, job.due)
    }
  }

  /** Ends the lease of a job. */
  #end(job: Job, { due, hold, counts }: Settlement): void {
    const { again } = job
    job.token = undefined
    job.again = undefined
    job.crashes = 0
    if (counts) job.tries++
    if (due === undefined && again === undefined) return this.#remove(job)
    job.held = due === undefined ? undefined : hold
    this.#reschedule(job, Math.min(due ?? Infinity, again ?? Infinity))
  }

  #carryOut(job: Job, order: QueueOrder, now: number): void {
    // Whoever leased it before has let the lease run out.
    job.token = undefined
    if (order.kind === 'drop') {
      for (const number of job.numbers) {
        const recipient = job.kept.recipients[number]!
        if (recipient.state === 'waiting') recipient.state = 'dropped'
      }
      return this.#remove(job)
    }
    if (order.kind === 'hold') job.held = order.why
    if (order.kind === 'release' || order.kind === 'bounce') job.held = undefined
    if (order.kind === 'bounce') job.doomed = order.why
    if (order.kind === 'retry') {
      job.crashes = 0
      job.ordered = true
    }
    this.#reschedule(job, order.kind === 'retry' || order.kind === 'bounce' ? Math.min(job.due, now) : job.due)
  }

  /** A job is due at another time, or is held now. */
  #reschedule(job: Job, due: number): void {
    job.due = due
    job.version++
    if (job.held !== undefined) return
    let waiting = this.#waiting.get(job.destination)
    if (!waiting) this.#waiting.set(job.destination, (waiting = new Waiting()))
    waiting.add(job)
  }

  #remove(job: Job): void {
    job.version++
    this.#jobs.delete(job.name)
    job.kept.jobs.delete(job)
    if (job.kept.jobs.size === 0) this.#messages.delete(job.kept.message.id)
  }

  /** The job that is under this very lease. */
  #leased({ job: name, token }: Lease): Job | undefined {
    const job = this.#jobs.get(name)
    return job?.token === token ? job : undefined
  }

  /** When each destination has its first job due. */
  *#dues(): Iterable<readonly [destination: string, due: number]> {
    for (const [destination, waiting] of this.#waiting) {
      const { due } = waiting
      if (due === undefined) this.#waiting.delete(destination)
      else yield [destination, due]
    }
  }

  #tell(): void {
    for (const told of this.#watchers) told()
  }

  #check(): void {
    if (this.#closed) throw new MailError('closed', 'The queue was closed')
  }
}
