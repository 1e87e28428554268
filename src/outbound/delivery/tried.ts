import type { LastTry } from '../../contracts/queue.ts'
import type { Failure } from './failure.ts'

/** What a try has come to, for one recipient. */
export interface Tried {
  /** The recipient's place in the envelope. */
  readonly number: number
  /**
   * Who has taken the message over: the mailbox (`delivered`), another server (`relayed`), or a list or alias that it went on
   * from (`expanded`). `undefined`: nobody; `failure` says why.
   */
  readonly taken: 'delivered' | 'relayed' | 'expanded' | undefined
  /** The other server reports to the sender (RFC 3461 §5.2.2 a). */
  readonly reports: boolean
  readonly failure: Failure | undefined
  readonly last: LastTry
}

/** A recipient's message was taken over. */
export const took = (number: number, taken: NonNullable<Tried['taken']>, last: LastTry, reports = false): Tried => {
  return { number, taken, reports, failure: undefined, last }
}

/** A recipient's message was not taken over. */
export const missed = (number: number, failure: Failure, last: LastTry): Tried => {
  return { number, taken: undefined, reports: false, failure, last }
}
