import { setImmediate as turn } from 'node:timers/promises'
import type { QueueCounts, QueuedJob, QueueFilter, QueueOrder } from '../../contracts/queue.ts'
import type { Address } from '../../message/address.ts'
import type { Read } from './bodies.ts'
import type { GroupCommit } from './commit.ts'
import { rowId } from './counters.ts'
import type { Connection, Row, Statement } from './driver.ts'
import type { QueueReading } from './queue-reading.ts'
import { type About, aboutIn, isLeased, kept, recipientsIn, stateOf, textIn } from './queue-rows.ts'
import type { QueueWrites } from './queue-writes.ts'

/** Rows that are looked at in one turn of the event loop, and that are counted: a few milliseconds. */
const SLICE = 300
const COUNTED = 2000

/** What is known of a message. */
interface Known extends About {
  readonly id: number
  readonly octets: number
}

/** Rows from one up to another one, or the end. */
interface Span {
  readonly rows: readonly Row[]
  /** The last row that was looked at; `undefined`: there is none any more. */
  readonly last: number | undefined
}

/** The queue as those see it who look after it: by going through it, in slices. */
export class QueueListing {
  readonly #read: Read
  readonly #reading: QueueReading
  readonly #end: Statement
  readonly #span: Statement
  readonly #spanTo: Statement
  readonly #job: Statement
  readonly #last: Statement
  readonly #about: Statement
  /** The message that was looked at last: jobs of one come in a row, and all its recipients are much to read. */
  #known: Known | undefined
  readonly #counts: Statement

  constructor(db: Connection, reading: QueueReading, read: Read) {
    this.#read = read
    this.#reading = reading
    const columns = 'SELECT j.id, j.message, j.destination, j.rank, j.due, j.token, j.began, j.tries, j.crashes, j.again, j.held,'
      + ' j.doomed, j.recipients, j.content FROM queue AS j WHERE'
    this.#end = db.prepare('SELECT max(id) AS id FROM (SELECT id FROM queue WHERE id > ? ORDER BY id LIMIT +?)')
    this.#span = db.prepare(`${columns} j.id > ? AND j.id <= ? AND j.destination IS NOT NULL ORDER BY j.id`)
    this.#spanTo = db.prepare(`${columns} j.id > ? AND j.id <= ? AND j.destination = ? ORDER BY j.id`)
    this.#job = db.prepare(`${columns} j.id = ? AND j.destination IS NOT NULL`)
    this.#about = db.prepare('SELECT about, octets FROM queue WHERE id = ?')
    this.#last = db.prepare('SELECT max(id) AS id FROM queue')
    this.#counts = db.prepare('SELECT count(id = message OR NULL) AS messages, count(destination) AS jobs,'
      + ' count(destination IS NOT NULL AND held IS NULL AND due <= ? OR NULL) AS due,'
      + ' count(token > 0 AND due > ? OR NULL) AS leased,'
      + ' count(held) AS held, min(iif(destination IS NULL, NULL, began)) AS oldest FROM queue WHERE id > ? AND id <= ?')
  }

  /** Jobs that fit, in the order they came. */
  async jobs(
    { after, limit, now, ...filter }: QueueFilter & { readonly after?: string; readonly limit: number; readonly now: number },
  ): Promise<{ readonly jobs: readonly QueuedJob[]; readonly more: boolean }> {
    const found: QueuedJob[] = []
    for (let at = after === undefined ? 0 : rowId(after) ?? 0; ;) {
      const { rows, last } = this.#read(() => this.#spanAfter(at, filter))
      for (const row of rows) {
        const about = this.#fitting(row, filter, now)
        if (about) found.push(this.#view(row, about, now))
        if (found.length > limit) return { jobs: found.slice(0, limit), more: true }
      }
      if (last === undefined) return { jobs: found, more: false }
      at = last
      await turn()
    }
  }

  /** Carries out an order on what fits, a slice a transaction. */
  async order(
    filter: QueueFilter,
    order: QueueOrder,
    now: number,
    writes: QueueWrites,
    commits: GroupCommit,
  ): Promise<{ readonly changed: number; readonly leased: number }> {
    let [changed, leased] = [0, 0]
    const end = this.#read(() => this.#last.get()?.['id'] as number | null) ?? 0
    for (let at: number | undefined = 0; at !== undefined && at < end;) {
      const from = at
      const done = await commits.work(() => {
        const { rows, last } = this.#spanAfter(from, filter)
        const fitting = rows.filter((row) => this.#fitting(row, filter, now) !== undefined)
        const free = fitting.filter((row) => !isLeased(row, now))
        for (const row of free) writes.order(row, order, now)
        return { last, changed: free.length, leased: fitting.length - free.length }
      })
      changed += done.changed
      leased += done.leased
      at = done.last
    }
    return { changed, leased }
  }

  /** What there is; a slice at a time, so that of what comes and goes meanwhile some may be counted and some not. */
  async counts(now: number): Promise<QueueCounts> {
    const counts = { messages: 0, jobs: 0, due: 0, leased: 0, held: 0 }
    let oldest: number | undefined
    for (let at = 0; ;) {
      const [row, end] = this.#read(() => {
        const last = this.#end.get(at, COUNTED)?.['id'] as number | null
        return [last === null ? undefined : this.#counts.get(now, now, at, last), last] as const
      })
      if (!row || end === null) return { ...counts, oldest }
      for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] += row[name] as number
      const began = row['oldest'] as number | null
      if (began !== null && (oldest === undefined || began < oldest)) oldest = began
      at = end
      await turn()
    }
  }

  /** Rows after that one which may fit. */
  #spanAfter(after: number, { jobs, message, destination }: QueueFilter): Span {
    const named = jobs ? jobs.map((job) => rowId(job) ?? 0) : message === undefined ? undefined : this.#idsOf(message)
    if (named) {
      const ids = [...new Set(named)].filter((id) => id > after).sort((a, b) => a - b)
      const rows = ids.slice(0, SLICE).map((id) => this.#job.get(id)).filter((row) => row !== undefined)
      return { rows, last: ids.length > SLICE ? ids[SLICE - 1] : undefined }
    }
    const last = this.#end.get(after, SLICE)?.['id'] as number | null
    if (last === null) return { rows: [], last: undefined }
    const rows = destination === undefined ? this.#span.all(after, last) : this.#spanTo.all(after, last, kept(destination))
    return { rows, last }
  }

  #idsOf(message: string): number[] {
    return this.#reading.rowsOf(rowId(message) ?? 0).map(({ id }) => id as number)
  }

  /** What its message is, where the job fits. */
  #fitting(row: Row, filter: QueueFilter, now: number): Known | undefined {
    const { jobs, message, destination, account, sender, recipient, state } = filter
    if (jobs && !jobs.includes(String(row['id']))) return undefined
    if (message !== undefined && message !== String(row['message'])) return undefined
    if (destination !== undefined && kept(destination) !== row['destination']) return undefined
    if (state !== undefined && state !== stateOf(row, now)) return undefined
    const about = this.#messageOf(row)
    const { envelope } = about
    if (account !== undefined && account !== about.account) return undefined
    if (sender === '' ? envelope.sender !== null : sender !== undefined && !contains(envelope.sender, sender)) return undefined
    if (recipient === undefined) return about
    const isAmong = this.#recipientsOf(row).some(({ number }) => contains(envelope.recipients[number] ?? null, recipient))
    return isAmong ? about : undefined
  }

  #recipientsOf(row: Row): ReturnType<typeof recipientsIn> {
    return row['recipients'] === null ? this.#read(() => this.#reading.recipientsOf(row['message'] as number)) : recipientsIn(row)
  }

  #messageOf({ message }: Row): Known {
    const id = message as number
    if (this.#known?.id === id) return this.#known
    const row = this.#about.get(id) as Row
    return this.#known = { ...aboutIn(row), id, octets: row['octets'] as number }
  }

  #view(row: Row, { envelope, account, octets }: Known, now: number): QueuedJob {
    return {
      job: String(row['id']),
      message: String(row['message']),
      destination: textIn(row, 'destination') as string,
      state: stateOf(row, now),
      due: row['due'] as number,
      priority: 0 - (row['rank'] as number),
      began: row['began'] as number,
      tries: row['tries'] as number,
      crashes: Math.max(0, row['crashes'] as number),
      held: textIn(row, 'held'),
      doomed: textIn(row, 'doomed'),
      account,
      sender: envelope.sender,
      octets,
      recipients: this.#recipientsOf(row).flatMap((one) => {
        const to = envelope.recipients[one.number]
        return to ? [{ ...one, to }] : []
      }),
    }
  }
}

function contains(address: Address | null, part: string): boolean {
  return address !== null && lower(`${address.local}@${address.domain}`).includes(lower(part))
}

/** Without regard to case in ASCII alone. */
function lower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
