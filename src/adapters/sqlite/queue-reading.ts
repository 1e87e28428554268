import type { Lease, QueuedMessage, QueuedRecipient } from '../../contracts/queue.ts'
import { unpackFacts } from '../../message/packed-facts.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { StoredBodies } from './bodies.ts'
import { bytesIn, type Connection, type Row, type Statement } from './driver.ts'
import type { RecentMessages } from './queue-recent.ts'
import { aboutIn, bodyAtHand, nextToken, ORDERED, recipientsIn, textIn } from './queue-rows.ts'

const JOB = 'id, message, destination, rank, due, token, began, tries, crashes, again, held, doomed, recipients'

const further = 'FROM queue AS f WHERE f.message = q.message AND f.id <> f.message'

/** The columns of a job, and whether its message has had any further ones. */
const JOB_COLUMNS = `${JOB}, content, EXISTS (SELECT 1 ${further}) AS further`

/** How many further jobs of the message are not done. */
const OTHERS = `(SELECT count(*) ${further} AND f.destination IS NOT NULL) AS further`

/** The same with that, and with what the message is, where it is in this row. */
const ALL_COLUMNS = `${JOB}, octets, content, about, facts, data, ${OTHERS}`

/** The same but for what of the message is long, where its number is not below the one that is given three times. */
const LEAN_COLUMNS = `${JOB}, octets, content, iif(id < ?, about, NULL) AS about, iif(id < ?, facts, NULL) AS facts,`
  + ` iif(id < ?, data, NULL) AS data, ${OTHERS}`

/** Messages of many jobs that are remembered: an envelope of a thousand recipients takes a millisecond to read. */
const MOST_REMEMBERED = 8

/** Rows of the queue, and what they say. */
export class QueueReading {
  readonly #bodies: StoredBodies
  readonly #all: Statement
  readonly #job: Statement
  readonly #further: Statement
  readonly #ranks: Statement
  readonly #due: Statement
  readonly #another: Statement
  readonly #isDone: Statement
  /** The last ones of which further jobs were leased. They never change. */
  readonly #remembered = new Map<number, QueuedMessage>()
  readonly #recent: RecentMessages

  constructor(db: Connection, bodies: StoredBodies, recent: RecentMessages) {
    this.#bodies = bodies
    this.#recent = recent
    this.#all = db.prepare(`SELECT ${ALL_COLUMNS} FROM queue AS q WHERE id = ?`)
    this.#job = db.prepare(`SELECT ${JOB_COLUMNS} FROM queue AS q WHERE id = ?`)
    this.#further = db.prepare(`SELECT ${JOB_COLUMNS} FROM queue AS q WHERE message = ? AND id <> message ORDER BY id`)
    this.#ranks = db.prepare('SELECT rank FROM queue WHERE destination = ? AND held IS NULL AND rank > ?'
      + ' ORDER BY rank LIMIT 1')
    this.#due = db.prepare(`SELECT ${LEAN_COLUMNS} FROM queue AS q WHERE destination = ? AND held IS NULL AND rank = ?`
      + ' AND due <= ? ORDER BY due, id LIMIT +?')
    this.#another = db.prepare('SELECT 1 FROM queue WHERE message = ? AND id <> message AND destination IS NOT NULL'
      + ' AND id <> ? LIMIT 1')
    this.#isDone = db.prepare('SELECT 1 FROM queue WHERE id = ? AND destination IS NULL')
  }

  /** The row of a job, or of one that is done. */
  job(id: number): Row | undefined {
    return this.#job.get(id)
  }

  /** All rows of a message, in the order they came. */
  rowsOf(message: number): Row[] {
    const first = this.#job.get(message)
    // What a further job says of itself: its id is never that of a message.
    return first?.['message'] === message ? [first, ...this.#further.all(message)] : []
  }

  /** Whether a job of the message is left beside that one. */
  hasOthers({ id, message, further }: Row): boolean {
    if (further === 0) return false
    if (this.#another.get(message as number, id as number)) return true
    return id !== message && this.#isDone.get(message as number) === undefined
  }

  /** Jobs that are due, in the order in which they are to be leased. */
  due(destination: string, now: number, limit: number): Row[] {
    const found: Row[] = []
    const { first } = this.#recent
    let rank = this.#rankAfter(destination, -1000)
    while (rank !== undefined && found.length < limit) {
      found.push(...this.#due.all(first, first, first, destination, rank, now, limit - found.length))
      if (found.length < limit) rank = this.#rankAfter(destination, rank)
    }
    return found
  }

  /** The lease that a job is about to be under. */
  lease(row: Row, until: number): Lease {
    const [id, message] = [row['id'] as number, row['message'] as number]
    const others = row['further'] as number
    return {
      job: String(id),
      token: String(nextToken(row['token'] as number)),
      until,
      destination: textIn(row, 'destination') as string,
      message: id !== message ? this.#messageOf(message) : row['about'] === null ? this.#recently(id) : this.#messageIn(row),
      recipients: row['recipients'] === null ? this.recipientsOf(message) : recipientsIn(row),
      tries: row['tries'] as number,
      // It was under another one, which nobody has settled.
      crashes: Math.max(0, row['crashes'] as number) + ((row['token'] as number) > 0 ? 1 : 0),
      began: row['began'] as number,
      others: id === message ? others : others - 1 + (this.#isDone.get(message) ? 0 : 1),
      doomed: textIn(row, 'doomed'),
      ordered: row['crashes'] === ORDERED,
    }
  }

  /** A message and its recipients. */
  message(id: number): { readonly message: QueuedMessage; readonly recipients: readonly QueuedRecipient[] } | undefined {
    const first = this.#all.get(id)
    if (first?.['message'] !== id) return undefined
    return { message: this.#messageIn(first), recipients: this.recipientsOf(id) }
  }

  /** All recipients of a message, by number. */
  recipientsOf(message: number): QueuedRecipient[] {
    return this.rowsOf(message).flatMap(recipientsIn).sort((a, b) => a.number - b.number)
  }

  #rankAfter(destination: string, rank: number): number | undefined {
    return this.#ranks.get(destination, rank)?.['rank'] as number | undefined
  }

  #recently(id: number): QueuedMessage {
    return this.#recent.take(id) ?? this.#messageIn(this.#all.get(id) as Row)
  }

  /** The message of a further job. */
  #messageOf(id: number): QueuedMessage {
    const known = this.#remembered.get(id)
    if (known) return known
    const message = this.#messageIn(this.#all.get(id) as Row)
    const [oldest] = this.#remembered.keys()
    if (oldest !== undefined && this.#remembered.size >= MOST_REMEMBERED) this.#remembered.delete(oldest)
    this.#remembered.set(id, message)
    return message
  }

  #messageIn(row: Row): QueuedMessage {
    const { envelope, account, received } = aboutIn(row)
    const id = String(row['id'])
    if (row['content'] === null) {
      const facts = unpackFacts(row['facts'] as string)
      const bytes = row['data'] === null ? NOTHING : bytesIn(row, 'data')
      return { id, envelope, body: bodyAtHand(`queue-${id}`, bytes), facts, account, received }
    }
    const content = row['content'] as number
    const body = this.#bodies.open(String(content))
    const facts = this.#bodies.facts(content)
    if (!body || facts === undefined) throw new MailError('temporary', `The body of message ${id} is not there`)
    return { id, envelope, body, facts: unpackFacts(facts), account, received }
  }
}

/** What a driver gives as no octets at all. */
const NOTHING = new Uint8Array(0)
