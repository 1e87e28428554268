import { MailError } from '../../protocol/session/errors.ts'

const minute = 60_000
const hour = 60 * minute

/** How far a message has come that was not delivered yet. */
export interface Progress {
  /** Tries so far, the last one counted. At least 1. */
  readonly tries: number
  /** Milliseconds since it came into the queue. */
  readonly age: number
}

/**
 * How long to wait for the next try: milliseconds after each try, in order; or a function that says so, and `undefined` when it
 * is to be given up. With a list it is given up once the tries are used up and it is as old as they last all together: tries that
 * somebody has ordered in between take nothing away.
 */
export type RetrySchedule = readonly number[] | ((progress: Progress) => number | undefined)

/** 5 and 15 minutes, half an hour, an hour, 2, 4, 8, 16 hours, a day: nine retries in two days and eight hours. */
export const defaultSchedule: readonly number[] = [
  5 * minute, 15 * minute, 30 * minute, hour, 2 * hour, 4 * hour, 8 * hour, 16 * hour, 24 * hour,
]

/** What is added at random to each wait, as a share of it: what failed together need not come back together. */
const JITTER = 0.1

/** Whoever would try again at once would do nothing else. */
const SHORTEST = 1_000
/** Nobody waits longer: what is due beyond all time is lost without a word. */
const LONGEST = 366 * 24 * hour

/**
 * Milliseconds until the next try, a second at the least; `undefined`: it is to be given up. `chance`: a number from 0 to 1
 * (exclusive) that is drawn anew each time. Throws `misuse` for a schedule that gives nonsense.
 */
export function nextTry(schedule: RetrySchedule, progress: Progress, chance: number): number | undefined {
  const wait = typeof schedule === 'function' ? schedule(progress) : fromList(schedule, progress)
  if (wait === undefined) return undefined
  if (!(wait >= 0 && wait <= LONGEST)) {
    throw new MailError('misuse', `A retry schedule gave ${wait}; it gives milliseconds, up to a year of them, or undefined.`)
  }
  const share = chance >= 0 && chance < 1 ? chance : 0
  return Math.max(SHORTEST, Math.round(wait * (1 + JITTER * share)))
}

function fromList(waits: readonly number[], { tries, age }: Progress): number | undefined {
  const wait = waits[tries - 1]
  if (wait !== undefined) return wait
  const left = waits.reduce((sum, each) => sum + each, 0) - age
  if (left <= 0 || waits.length === 0) return undefined
  return Math.min(left, waits.at(-1)!)
}
