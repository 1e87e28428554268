import type { SmtpServerConfig } from '../config.ts'
import type { Swallowing, Transaction } from './context.ts'

/** What time-outs are counted from. Moments are milliseconds. */
export interface Waiting {
  readonly config: SmtpServerConfig
  readonly hello: string | undefined
  readonly transaction: Transaction | undefined
  readonly swallowing: Swallowing | undefined
  /** Only QUIT is heard. */
  readonly refused: boolean
  /** When the connection began, when it was greeted, when the present wait began. */
  readonly began: number
  readonly greetedAt: number
  readonly since: number
  /** When the line began that has not ended yet. */
  readonly lineSince: number | undefined
}

/** Until when the next command line must be there. */
export function lineDeadline(waiting: Waiting): number {
  const { timeouts } = waiting.config
  const wait = waiting.since + (waiting.refused ? timeouts.farewell : timeouts.idle)
  const line = waiting.lineSince === undefined ? Infinity : waiting.lineSince + timeouts.command
  const hello = waiting.hello ? Infinity : waiting.greetedAt + timeouts.greeting
  return Math.min(wait, line, hello, lastMoment(waiting))
}

/** When the connection has lasted too long. A transaction that has begun in time gets the same time again, and no more. */
export function lastMoment({ transaction, began, config }: Waiting): number {
  return (transaction ? transaction.began : began) + config.timeouts.total
}

/** Until when the next octets of content must be there: soon, and on the whole not slower than the slowest rate allowed. */
export function contentDeadline(waiting: Waiting): number {
  const { data, dataRate } = waiting.config.timeouts
  const soon = waiting.since + data
  const content = waiting.transaction?.content
  const { swallowing } = waiting
  if (dataRate === 0 || !(content || swallowing)) return soon
  const began = swallowing ? swallowing.began : content!.began
  const octets = swallowing ? swallowing.octets - swallowing.left : content!.reader.octets
  return Math.min(soon, began + data + (octets * 1000) / dataRate)
}
