import type { OutgoingMessage } from '../../contracts/dispatch.ts'
import type { Lease, NewJob, Outcome, QueuedRecipient, QueueOrder, Settlement } from '../../contracts/queue.ts'
import { rowId } from './counters.ts'
import type { Connection, Row, Statement } from './driver.ts'
import type { Keeping } from './keeping.ts'
import type { QueueNumbers } from './queue-numbers.ts'
import type { QueueReading } from './queue-reading.ts'
import { changed, kept, newRow, type NewRow, ORDERED, packRecipients, recipientsIn, textIn, timeOf } from './queue-rows.ts'
import type { Schedule } from './queue-schedule.ts'

/** A message that is to come in, ready to be written. */
export interface Incoming {
  readonly about: string
  readonly received: number
  readonly octets: number
  readonly jobs: readonly NewRow[]
  /** Facts and body, where they lie in the row of the job; otherwise they are kept as those of the store are. */
  readonly inside: { readonly facts: string; readonly data: Uint8Array } | undefined
  readonly keeping: Keeping | undefined
}

/** What a settlement asks for, ready to be written. */
export interface Settling extends Omit<Settlement, 'enqueue'> {
  readonly incoming: readonly Incoming[]
}

/** A settlement, its times as they are kept. Throws `misuse` where they are none: nothing is written by halves. */
export function settlingOf({ enqueue: _, ...settlement }: Settlement, incoming: readonly Incoming[]): Settling {
  const { now, due, jobs } = settlement
  return {
    ...settlement,
    now: timeOf(now),
    ...(due !== undefined && { due: timeOf(due) }),
    ...(jobs && { jobs: jobs.map((job) => ({ ...job, due: timeOf(job.due) })) }),
    incoming,
  }
}

/** What happens to the queue: each method is work inside a transaction. */
export class QueueWrites {
  readonly #reading: QueueReading
  readonly #numbers: QueueNumbers
  readonly #schedule: Schedule
  readonly #released: () => void
  readonly #insert: Statement
  readonly #insertFurther: Statement
  readonly #lease: Statement
  readonly #whole: Statement
  readonly #again: Statement
  readonly #sooner: Statement
  readonly #recipients: Statement
  readonly #resume: Statement
  readonly #done: Statement
  readonly #remove: Statement
  readonly #removeOnly: Statement
  readonly #removeFurther: Statement
  readonly #unshare: Statement
  readonly #order: Statement

  /** `released`: told, inside the transaction, when the body of a message is needed once less. */
  constructor(db: Connection, reading: QueueReading, numbers: QueueNumbers, schedule: Schedule, released: () => void) {
    this.#released = released
    this.#reading = reading
    this.#numbers = numbers
    this.#schedule = schedule
    const job = 'id, message, destination, rank, due, token, began, recipients'
    this.#insert = db.prepare(`INSERT INTO queue (${job}, about, octets, content, facts, data)`
      + ' VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#insertFurther = db.prepare(`INSERT INTO queue (${job}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
    this.#lease = db.prepare('UPDATE queue SET due = ?, token = ?, crashes = ? WHERE id = ?')
    const whole = 'SELECT id, due, token, again FROM queue WHERE destination = ? AND recipients IS NULL AND'
    this.#whole = db.prepare(`${whole} id = ? UNION ALL ${whole} message = ? AND id <> message`)
    this.#again = db.prepare('UPDATE queue SET again = ? WHERE id = ?')
    this.#sooner = db.prepare('UPDATE queue SET due = ? WHERE id = ?')
    this.#recipients = db.prepare('UPDATE queue SET recipients = ? WHERE id = ?')
    this.#resume = db.prepare('UPDATE queue SET due = ?, token = -abs(token), tries = tries + ?, crashes = 0, again = NULL,'
      + ' held = ?, recipients = ? WHERE id = ?')
    this.#done = db.prepare('UPDATE queue SET destination = NULL, token = -abs(token), again = NULL, held = NULL, recipients = ?'
      + ' WHERE id = ?')
    this.#remove = db.prepare('DELETE FROM queue WHERE id = ?')
    this.#removeOnly = db.prepare('DELETE FROM queue AS q WHERE id = ? AND message = id AND token = ? AND content IS NULL'
      + ' AND again IS NULL AND NOT EXISTS (SELECT 1 FROM queue AS f WHERE f.message = q.id AND f.id <> f.message)')
    this.#removeFurther = db.prepare('DELETE FROM queue WHERE message = ? AND id <> message')
    this.#unshare = db.prepare('INSERT INTO shares (message, extra) VALUES (?, -1)'
      + ' ON CONFLICT (message) DO UPDATE SET extra = extra - 1')
    this.#order = db.prepare('UPDATE queue SET due = ?, token = -abs(token), crashes = ?, held = ?, doomed = ? WHERE id = ?')
  }

  /** Writes a message with its jobs. Gives its id. */
  enqueue(incoming: Incoming): number {
    incoming.keeping?.check()
    return this.#enqueue(incoming)
  }

  /** Leases jobs that are due. */
  lease(destination: string, now: number, until: number, limit: number): Lease[] {
    const rows = this.#reading.due(kept(destination), now, limit)
    const leases = rows.map((row) => this.#reading.lease(row, until))
    leases.forEach(({ token, crashes }, index) => {
      this.#lease.run(until, Number(token), crashes, (rows[index] as Row)['id'] as number)
    })
    // Also where there is none: then it was thought that there is.
    this.#schedule.note(destination)
    return leases
  }

  /** `false`: the lease is lost. */
  extend(lease: Lease, until: number): boolean {
    const row = this.#leased(lease)
    if (!row) return false
    this.#sooner.run(until, row['id'] as number)
    this.#schedule.note(lease.destination)
    return true
  }

  /** `false`: the lease is lost. */
  settle(lease: Lease, settling: Settling): boolean {
    if (this.#isOver(lease, settling)) return true
    const row = this.#leased(lease)
    if (!row) return false
    for (const { keeping } of settling.incoming) keeping?.check()
    for (const incoming of settling.incoming) this.#enqueue(incoming)
    const { due, hold, counts, now, outcomes, jobs = [] } = settling
    const own = this.#withOutcomes(row, outcomes)
    for (const job of jobs) this.#addFurther(row, job, own, now)
    this.#schedule.note(lease.destination)
    const id = row['id'] as number
    // What was added may be for this very job.
    const after = jobs.length > 0 ? this.#reading.job(id) as Row : row
    if (due === undefined && after['again'] === null) {
      this.#finish(after, own)
      return true
    }
    const next = Math.min(due ?? Infinity, (after['again'] as number | null) ?? Infinity)
    const held = due === undefined || hold === undefined ? null : kept(hold)
    const recipients = row['recipients'] === null ? null : packRecipients([...own.values()])
    this.#resume.run(next, counts ? 1 : 0, held, recipients, id)
    return true
  }

  /** Most jobs are the only one of a small message, and done the first time: one statement is enough for them. */
  #isOver({ job, token, destination }: Lease, { due, jobs = [], incoming }: Settling): boolean {
    if (due !== undefined || jobs.length > 0 || incoming.length > 0) return false
    const removed = this.#removeOnly.run(rowId(job) ?? 0, rowId(token) ?? 0)
    if (Number(removed.changes) === 0) return false
    this.#schedule.note(destination)
    return true
  }

  /** Carries out an order on a job that nobody is at work on. */
  order(row: Row, order: QueueOrder, now: number): void {
    this.#schedule.note(textIn(row, 'destination') as string)
    if (order.kind === 'drop') {
      const recipients = recipientsIn(row).map((one) => (one.state === 'waiting' ? changed(one, DROPPED) : one))
      this.#finish(row, byNumber(recipients))
      return
    }
    const held = order.kind === 'hold' ? kept(order.why) : order.kind === 'retry' ? row['held'] as string | null : null
    const isNow = order.kind === 'retry' || order.kind === 'bounce'
    const due = isNow ? Math.min(row['due'] as number, timeOf(now)) : row['due'] as number
    const crashes = order.kind === 'retry' ? ORDERED : row['crashes'] as number
    const doomed = order.kind === 'bounce' ? kept(order.why) : row['doomed'] as string | null
    this.#order.run(due, crashes, held, doomed, row['id'] as number)
  }

  #enqueue({ about, received, octets, jobs: [first, ...further], inside, keeping }: Incoming): number {
    const id = this.#numbers.next()
    const { destination, rank, due, token, recipients } = first as NewRow
    this.#insert.run(
      id, id, destination, rank, due, token, received, recipients,
      about, octets, keeping ? keeping.row() : null, inside?.facts ?? null, inside?.data ?? null,
    )
    this.#schedule.note(JSON.parse(destination) as string, due)
    for (const job of further) this.#add(id, job, received)
    return id
  }

  #add(message: number, { destination, rank, due, token, recipients }: NewRow, began: number): void {
    this.#insertFurther.run(this.#numbers.next(), message, destination, rank, due, token, began, recipients)
    this.#schedule.note(JSON.parse(destination) as string, due)
  }

  /** The row of the job that is under this very lease. */
  #leased({ job, token }: Lease): Row | undefined {
    const row = this.#reading.job(rowId(job) ?? 0)
    // That of a lease that was settled is negative.
    return row && (row['token'] as number) > 0 && String(row['token']) === token ? row : undefined
  }

  /** The recipients of the job, after the outcomes; those of others are written where they are. */
  #withOutcomes(row: Row, outcomes: readonly Outcome[]): Map<number, QueuedRecipient> {
    const own = byNumber(recipientsIn(row))
    const ofOthers: Outcome[] = []
    for (const outcome of outcomes) {
      const recipient = own.get(outcome.number)
      if (recipient) own.set(outcome.number, changed(recipient, outcome))
      else ofOthers.push(outcome)
    }
    if (ofOthers.length === 0) return own
    const outcomeOf = new Map(ofOthers.map((outcome) => [outcome.number, outcome]))
    for (const other of this.#reading.rowsOf(row['message'] as number)) {
      const recipients = recipientsIn(other)
      if (other['id'] === row['id'] || !recipients.some(({ number }) => outcomeOf.has(number))) continue
      const after = recipients.map((one) => changed(one, outcomeOf.get(one.number) ?? {}))
      this.#recipients.run(packRecipients(after), other['id'] as number)
    }
    return own
  }

  /** Adds a job of the same message, or has the one that is there do its work. Takes its recipients out of `own`. */
  #addFurther(row: Row, job: NewJob, own: Map<number, QueuedRecipient>, now: number): void {
    const message = row['message'] as number
    const same = job.recipients.length === 0 ? this.#wholeJob(message, kept(job.destination)) : undefined
    if (!same) {
      this.#add(message, newRow(job, own), now)
      for (const number of job.recipients) own.delete(number)
      return
    }
    const [id, due] = [same['id'] as number, job.due]
    if ((same['token'] as number) > 0) this.#again.run(Math.min(due, (same['again'] as number | null) ?? due), id)
    else if (due < (same['due'] as number)) this.#sooner.run(due, id)
    this.#schedule.note(job.destination)
  }

  /** The job that is about a message as a whole, and for that destination. */
  #wholeJob(message: number, destination: string): Row | undefined {
    return this.#whole.get(destination, message, destination, message)
  }

  /** The job is done; with the last one the message is gone. */
  #finish(row: Row, recipients: ReadonlyMap<number, QueuedRecipient>): void {
    const [id, message] = [row['id'] as number, row['message'] as number]
    if (this.#reading.hasOthers(row)) {
      // What has become of its recipients is kept for those who report on the message.
      if (id !== message && recipients.size === 0) this.#remove.run(id)
      else this.#done.run(recipients.size === 0 ? null : packRecipients([...recipients.values()]), id)
      return
    }
    const content = (id === message ? row : this.#reading.job(message))?.['content']
    if (row['further'] !== 0) this.#removeFurther.run(message)
    this.#remove.run(message)
    if (typeof content !== 'number') return
    this.#unshare.run(content)
    this.#released()
  }
}

const DROPPED = { state: 'dropped' } as const

function byNumber(recipients: readonly QueuedRecipient[]): Map<number, QueuedRecipient> {
  return new Map(recipients.map((recipient) => [recipient.number, recipient]))
}

/** A message and its jobs, ready to be written. */
export function incomingOf(
  { received }: OutgoingMessage,
  about: string,
  octets: number,
  jobs: readonly NewJob[],
  content: Keeping | NonNullable<Incoming['inside']>,
): Incoming {
  const isInside = 'data' in content
  return {
    about, received: timeOf(received), octets, jobs: jobs.map((job) => newRow(job)),
    inside: isInside ? content : undefined, keeping: isInside ? undefined : content,
  }
}
