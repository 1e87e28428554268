import type { StoredBody } from '../../contracts/bodies.ts'
import type { OutgoingMessage } from '../../contracts/dispatch.ts'
import type { JobState, LastTry, NewJob, Outcome, QueuedRecipient, RecipientState } from '../../contracts/queue.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Row } from './driver.ts'

/**
 * The token of a job that was never leased, negated. Six octets, as are those of the leases that follow, and as are times until
 * the year 6429: a row that stays as long is written over in its place, its body left alone.
 */
const FIRST_TOKEN = 2 ** 40

/** In place of crashes: somebody has ordered that the job be tried, and nobody has leased it since. */
export const ORDERED = -1

/** What is known of a message beside its body and its facts. */
export type About = Pick<OutgoingMessage, 'envelope' | 'account' | 'received'>

/** A job as it is to be written. */
export interface NewRow {
  /** As it is kept: a JSON string. */
  readonly destination: string
  readonly rank: number
  readonly due: number
  readonly token: number
  readonly recipients: string | null
}

/** Texts of any characters are kept as JSON: no driver stumbles over a NUL or half a surrogate pair in it. */
export function kept(text: string): string {
  return JSON.stringify(text)
}

/** A text that was {@link kept}; `undefined` for none. */
export function textIn(row: Row, column: string): string | undefined {
  const value = row[column]
  return typeof value === 'string' ? JSON.parse(value) as string : undefined
}

/** A message as JSON, without body and facts. */
export function aboutText({ envelope, account, received }: About): string {
  return JSON.stringify({ envelope, account, received })
}

/** What {@link aboutText} made. */
export function aboutIn(row: Row): About {
  const { envelope, account, received } = JSON.parse(row['about'] as string) as About
  return { envelope, account, received }
}

/** A body whose octets are here. */
export function bodyAtHand(id: string, bytes: Uint8Array): StoredBody {
  const size = bytes.length
  return {
    id,
    size,
    bytes,
    async *read({ start, end } = { start: 0, end: size }) {
      if (start < end) yield bytes.subarray(start, end)
    },
  }
}

/** The row of a job; recipients as they are, where something is known of them. */
export function newRow(job: NewJob, known?: ReadonlyMap<number, QueuedRecipient>): NewRow {
  const { destination, recipients, due, priority = 0 } = job
  const packed = recipients.length === 0 ? null : packRecipients(recipients.map((number) => known?.get(number) ?? fresh(number)))
  return { destination: kept(destination), rank: 0 - priority, due: timeOf(due), token: -FIRST_TOKEN, recipients: packed }
}

/** A time as it is kept: never before the one that was asked for. */
export function timeOf(time: number): number {
  const whole = Math.ceil(time)
  if (!Number.isSafeInteger(whole)) throw new MailError('misuse', `${time}: give milliseconds since the Unix epoch`)
  return whole
}

/** The token of the next lease after that one. */
export function nextToken(token: number): number {
  return Math.abs(token) + 1
}

/** A recipient of whom nothing is known: its number alone. Others: number, state, what was told, the last try. */
type PackedRecipient = number | readonly [number, RecipientState, QueuedRecipient['told'] | null, LastTry | null]

/** Recipients as they are kept. */
export function packRecipients(recipients: readonly QueuedRecipient[]): string {
  return JSON.stringify(recipients.map(({ number, state, told, last }): PackedRecipient => {
    const isFresh = state === 'waiting' && told === undefined && last === undefined
    return isFresh ? number : [number, state, told ?? null, last ?? null]
  }))
}

/** What {@link packRecipients} made; none of their own: none. */
export function recipientsIn(row: Row): QueuedRecipient[] {
  const text = row['recipients']
  if (typeof text !== 'string') return []
  return (JSON.parse(text) as PackedRecipient[]).map((packed) => {
    if (typeof packed === 'number') return fresh(packed)
    const [number, state, told, last] = packed
    return { number, state, last: last ? tryOf(last) : undefined, told: told ?? undefined }
  })
}

/** A recipient after an outcome. */
export function changed(recipient: QueuedRecipient, { state, last, told }: Omit<Outcome, 'number'>): QueuedRecipient {
  return {
    number: recipient.number,
    state: state ?? recipient.state,
    last: last ?? recipient.last,
    told: told ?? recipient.told,
  }
}

/** What a job is at a time. */
export function stateOf(row: Row, now: number): JobState {
  if (isLeased(row, now)) return 'leased'
  return row['held'] === null ? 'waiting' : 'held'
}

/** Whether somebody is at work on the job. */
export function isLeased(row: Row, now: number): boolean {
  return (row['token'] as number) > 0 && (row['due'] as number) > now
}

function fresh(number: number): QueuedRecipient {
  return { number, state: 'waiting', last: undefined, told: undefined }
}

function tryOf({ at, code, enhanced, text, host, address }: LastTry): LastTry {
  return { at, code, enhanced, text, host, address }
}
