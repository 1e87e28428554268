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
import { MailError } from '../../protocol/session/errors.ts'
import { gather, type NewBodies, StoredBodies } from './bodies.ts'
import { closedError, type GroupCommit } from './commit.ts'
import { rowId } from './counters.ts'
import { type Connection, reading } from './driver.ts'
import { factsText, type Keeping } from './keeping.ts'
import { QueueListing } from './queue-listing.ts'
import { QueueNumbers } from './queue-numbers.ts'
import { QueueReading } from './queue-reading.ts'
import { RecentMessages } from './queue-recent.ts'
import { aboutText, timeOf } from './queue-rows.ts'
import { Schedule } from './queue-schedule.ts'
import { QueueWatching } from './queue-watching.ts'
import { type Incoming, incomingOf, QueueWrites, settlingOf } from './queue-writes.ts'

/** Octets of the largest body that lies in the row of its job: two or three pages. Larger ones are kept as those of the store. */
const INSIDE = 16 * 1024

/** Jobs that are leased at once, at most: a few milliseconds. */
const MOST_LEASED = 100

/** Octets that a row takes beside what is in it, about, and what a small change writes. */
const ROW = 512

/** What a queue needs to write; without it the queue is for reading only. */
export interface QueueWriting {
  readonly commits: GroupCommit
  readonly bodies: NewBodies
  /** There may be bodies that nobody needs. */
  readonly collect: () => void
  /** Waits for something that closing the database waits for too. */
  readonly during: <T>(doing: Promise<T>) => Promise<T>
}

/** A mail queue that has all there is to a mail queue. */
export type SqliteMailQueue = Required<MailQueue>

/** The mail queue in a database. */
export class SqliteQueue implements MailQueue {
  readonly traits = { durability: 'disk' } as const
  readonly #isOpen: () => boolean
  readonly #close: () => Promise<void>
  readonly #writing: QueueWriting | undefined
  readonly #reading: QueueReading
  readonly #recent = new RecentMessages()
  readonly #numbers: QueueNumbers
  readonly #schedule: Schedule
  readonly #writes: QueueWrites
  readonly #listing: QueueListing
  readonly #watching: QueueWatching
  /** Whether the transaction has written what those who wait for work should hear of. */
  #isNews = false
  /** Whether it has let go of bodies. */
  #isReleased = false

  /** `folder` has the bodies that are files; `close` lets go of the database. */
  constructor(
    db: Connection,
    folder: string,
    writing: QueueWriting | undefined,
    isOpen: () => boolean,
    close: () => Promise<void>,
  ) {
    this.#isOpen = isOpen
    this.#close = close
    this.#writing = writing
    const read = <T>(query: () => T): T => this.#read(query)
    this.#reading = new QueueReading(db, new StoredBodies(db, folder, reading), this.#recent)
    this.#numbers = new QueueNumbers(db)
    this.#schedule = new Schedule(db, read)
    this.#writes = new QueueWrites(db, this.#reading, this.#numbers, this.#schedule, () => (this.#isReleased = true))
    this.#listing = new QueueListing(db, this.#reading, read)
    this.#watching = new QueueWatching(db)
  }

  /** A transaction has begun. */
  begun(): void {
    this.#numbers.begun()
    this.#isNews = this.#isReleased = false
  }

  /** The transaction is on disk. */
  committed(): void {
    this.#numbers.committed()
    if (this.#isNews) this.#watching.tell()
    if (this.#isReleased) this.#writing?.collect()
  }

  async enqueue(message: OutgoingMessage, jobs: readonly NewJob[]): Promise<{ readonly id: string }> {
    const { bodies, during } = this.#write()
    const small = this.#small({ message, jobs }, message.body.bytes)
    if (small) return this.#add(small, message)
    return during(this.#incoming([{ message, jobs }], bodies, ([incoming]) => this.#add(incoming as Incoming)))
  }

  async due(
    { now, limit, except }: { readonly now: number; readonly limit: number; readonly except?: ReadonlySet<string> },
  ): Promise<readonly string[]> {
    return this.#schedule.due(now, limit, except)
  }

  async nextDue(except?: ReadonlySet<string>): Promise<number | undefined> {
    return this.#schedule.nextDue(except)
  }

  async lease(
    { destination, now, until, limit }: {
      readonly destination: string
      readonly now: number
      readonly until: number
      readonly limit: number
    },
  ): Promise<readonly Lease[]> {
    const most = Math.min(Math.floor(limit), MOST_LEASED)
    if (!(most >= 1)) return []
    const end = timeOf(until)
    return this.#work(most * ROW, () => this.#writes.lease(destination, now, end, most), { isFleeting: true })
  }

  async extend(lease: Lease, until: number): Promise<boolean> {
    const end = timeOf(until)
    return this.#work(ROW, () => this.#writes.extend(lease, end), { isFleeting: true })
  }

  async settle(lease: Lease, settlement: Settlement): Promise<boolean> {
    const { bodies, during } = this.#write()
    const { enqueue = [] } = settlement
    const settle = async (incoming: readonly Incoming[]): Promise<boolean> => {
      const settling = settlingOf(settlement, incoming)
      const octets = incoming.reduce((sum, one) => sum + sizeOf(one), ROW)
      return this.#work(octets, () => {
        const isSettled = this.#writes.settle(lease, settling)
        if (isSettled && (settling.due !== undefined || settling.jobs || incoming.length > 0)) this.#isNews = true
        return isSettled
      }, { committed: (isSettled) => isSettled && incoming.forEach(({ keeping }) => keeping?.committed()) })
    }
    return enqueue.length > 0 ? during(this.#incoming(enqueue, bodies, settle)) : settle([])
  }

  async message(
    id: string,
  ): Promise<{ readonly message: QueuedMessage; readonly recipients: readonly QueuedRecipient[] } | undefined> {
    return this.#read(() => this.#reading.message(rowId(id) ?? 0))
  }

  async jobs(
    want: QueueFilter & { readonly after?: string; readonly limit: number; readonly now: number },
  ): Promise<{ readonly jobs: readonly QueuedJob[]; readonly more: boolean }> {
    return this.#listing.jobs(want)
  }

  async order(
    which: QueueFilter, order: QueueOrder, now: number,
  ): Promise<{ readonly changed: number; readonly leased: number }> {
    const { commits, during } = this.#write()
    const done = await during(this.#listing.order(which, order, now, this.#writes, commits))
    if (done.changed > 0) this.#watching.tell()
    return done
  }

  async counts(now: number): Promise<QueueCounts> {
    return this.#listing.counts(now)
  }

  /** Tells at once of what this process does, of what others do within 200 ms. */
  watch(told: () => void): () => void {
    return this.#read(() => this.#watching.add(told))
  }

  close(): Promise<void> {
    return this.#close()
  }

  /** Tells nobody any more. */
  stop(): void {
    this.#watching.close()
  }

  #add(incoming: Incoming, message?: OutgoingMessage): Promise<{ readonly id: string }> {
    const { inside, keeping } = incoming
    return this.#work(sizeOf(incoming), () => {
      this.#isNews = true
      return { id: String(this.#writes.enqueue(incoming)) }
    }, {
      committed: ({ id }) => {
        keeping?.committed()
        if (message && inside) this.#recent.add(Number(id), message, inside.data)
      },
    })
  }

  /** A message whose body fits into the row of its job; `undefined`: it does not, or is not at hand. */
  #small({ message, jobs }: NewMessageJobs, data: Uint8Array | undefined): Incoming | undefined {
    const { size } = message.body
    if (jobs.length === 0) throw new MailError('misuse', 'jobs: give one or more')
    if (size > INSIDE || data?.length !== size) return undefined
    return incomingOf(message, aboutText(message), size, jobs, { facts: factsText(message.facts), data })
  }

  /** Makes the bodies of messages the queue's own, and gives them to `add`, which resolves when they are written. */
  async #incoming<T>(
    several: readonly NewMessageJobs[],
    bodies: NewBodies,
    add: (incoming: readonly Incoming[]) => Promise<T>,
  ): Promise<T> {
    const ready = new Map<NewMessageJobs, Incoming>()
    for (const one of several) {
      const { body } = one.message
      const small = this.#small(one, body.size > INSIDE ? undefined : body.bytes ?? await gather(body))
      if (small) ready.set(one, small)
    }
    const large = several.filter((one) => !ready.has(one))
    return bodies.take(large.map(({ message }) => message), (keepings) => {
      keepings.forEach((keeping: Keeping, index) => {
        const { message, jobs } = large[index] as NewMessageJobs
        ready.set(large[index] as NewMessageJobs, incomingOf(message, aboutText(message), message.body.size, jobs, keeping))
      })
      return add(several.map((one) => ready.get(one) as Incoming))
    })
  }

  #work<T>(
    octets: number, run: () => T, more: { readonly isFleeting?: boolean; readonly committed?: (result: T) => unknown } = {},
  ): Promise<T> {
    const { commits } = this.#write()
    return new Promise((resolve, reject) => {
      let result: T
      commits.add({
        octets,
        ...(more.isFleeting && { isFleeting: true }),
        apply: () => void (result = run()),
        committed: () => {
          more.committed?.(result)
          resolve(result)
        },
        failed: reject,
      })
    })
  }

  #read<T>(query: () => T): T {
    if (!this.#isOpen()) throw closedError()
    return reading(query)
  }

  #write(): QueueWriting {
    if (!this.#isOpen()) throw closedError()
    if (!this.#writing) throw new MailError('misuse', 'The database was opened with readonly: true')
    return this.#writing
  }
}

function sizeOf({ about, octets, keeping, jobs }: Incoming): number {
  return about.length + (keeping ? keeping.octets : octets) + jobs.length * ROW
}
