import type {
  JobState,
  LastTry,
  Lease,
  NewJob,
  QueuedJob,
  QueuedMessage,
  QueuedRecipient,
  QueueFilter,
  RecipientState,
} from '../../contracts/queue.ts'
import type { Address } from '../../message/address.ts'
import { Heap } from './heap.ts'

/** A recipient as it is kept. */
export interface KeptRecipient extends QueuedRecipient {
  state: RecipientState
  last: LastTry | undefined
  told: 'delay' | 'end' | undefined
}

/** A message as it is kept. */
export interface KeptMessage {
  readonly message: QueuedMessage
  readonly recipients: readonly KeptRecipient[]
  readonly jobs: Set<Job>
}

/** A job of a message. */
export class Job {
  readonly order: number
  readonly kept: KeptMessage
  readonly destination: string
  readonly numbers: readonly number[]
  readonly priority: number
  readonly began: number
  /** When it is due; of a leased one when the lease runs out. */
  due: number
  tries = 0
  crashes = 0
  held: string | undefined
  doomed: string | undefined
  /** Somebody has ordered that it be tried, and nobody has leased it since. */
  ordered = false
  /** Of the lease; `undefined`: it is not leased. */
  token: string | undefined
  /** When it is due once more, whatever becomes of its lease. */
  again: number | undefined
  /** Grows with each change of `due` and `held`: what was noted of it before is void. */
  version = 0

  constructor(order: number, kept: KeptMessage, job: NewJob, began: number) {
    this.order = order
    this.kept = kept
    this.destination = job.destination
    this.numbers = [...job.recipients]
    this.priority = job.priority ?? 0
    this.due = job.due
    this.began = began
  }

  get name(): string {
    return String(this.order)
  }

  stateAt(now: number): JobState {
    if (this.token !== undefined && this.due > now) return 'leased'
    return this.held === undefined ? 'waiting' : 'held'
  }

  /** Those of the job, or of the message where it has none of its own. */
  get recipients(): readonly KeptRecipient[] {
    const { recipients } = this.kept
    return this.numbers.length === 0 ? recipients : this.numbers.map((number) => recipients[number]!)
  }

  /** The lease that it is under. */
  lease(): Lease {
    const { name: job, token, due: until, destination, kept, tries, crashes, began, doomed, ordered } = this
    const recipients = this.recipients.map((recipient) => ({ ...recipient }))
    const others = kept.jobs.size - 1
    const { message } = kept
    return { job, token: token!, until, destination, message, recipients, tries, crashes, began, others, doomed, ordered }
  }

  /** What those see who look after the queue. */
  view(now: number): QueuedJob {
    const { name, destination, due, priority, began, tries, crashes, held, doomed, kept } = this
    const { id, account, envelope, body } = kept.message
    const recipients = this.recipients.map((each) => ({ ...each, to: envelope.recipients[each.number]! }))
    return {
      job: name, message: id, destination, state: this.stateAt(now), due, priority, began, tries, crashes, held, doomed, account,
      sender: envelope.sender, octets: body.size, recipients,
    }
  }
}

const lower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
const plain = ({ local, domain }: Address): string => lower(`${local}@${domain}`)

/** Whether a job is among those that are meant. */
export function fits(job: Job, filter: QueueFilter, now: number): boolean {
  const { jobs, message, destination, account, sender, recipient, state } = filter
  const { envelope } = job.kept.message
  if (jobs !== undefined && !jobs.includes(job.name)) return false
  if (message !== undefined && message !== job.kept.message.id) return false
  if (destination !== undefined && destination !== job.destination) return false
  if (account !== undefined && account !== job.kept.message.account) return false
  if (state !== undefined && state !== job.stateAt(now)) return false
  if (sender === '' ? envelope.sender !== null : sender !== undefined && !contains(envelope.sender, sender)) return false
  return recipient === undefined || job.recipients.some(({ number }) => contains(envelope.recipients[number]!, recipient))
}

const contains = (address: Address | null, part: string): boolean => address !== null && plain(address).includes(lower(part))

/** A job, as it was noted. */
interface Note {
  readonly job: Job
  readonly due: number
  readonly version: number
}

const sooner = (a: Note, b: Note): boolean => a.due < b.due || (a.due === b.due && a.job.order < b.job.order)

/** The jobs for one destination that wait: a heap for each priority, in which what is void lies until it comes up. */
export class Waiting {
  readonly #ranks = new Map<number, Heap<Note>>()

  add(job: Job): void {
    let rank = this.#ranks.get(job.priority)
    if (!rank) this.#ranks.set(job.priority, (rank = new Heap(sooner)))
    rank.push({ job, due: job.due, version: job.version })
  }

  /** When the first is due; `undefined`: there is none. */
  get due(): number | undefined {
    let first: number | undefined
    for (const rank of this.#ranks.values()) {
      const due = topOf(rank)?.due
      if (due !== undefined && (first === undefined || due < first)) first = due
    }
    return first
  }

  /** Takes the next one that is due. */
  take(now: number): Job | undefined {
    const descending = [...this.#ranks.keys()].sort((a, b) => b - a)
    for (const priority of descending) {
      const rank = this.#ranks.get(priority)!
      const note = topOf(rank)
      if (!note) this.#ranks.delete(priority)
      if (!note || note.due > now) continue
      rank.pop()
      return note.job
    }
    return undefined
  }
}

function topOf(rank: Heap<Note>): Note | undefined {
  while (rank.top && rank.top.version !== rank.top.job.version) rank.pop()
  return rank.top
}
