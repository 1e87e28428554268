import type { KeyValue } from '../contracts/key-value.ts'
import { MailError } from '../protocol/session/errors.ts'
import { dayOf } from './day-stamp.ts'

const DAY = 86_400_000

/** Milliseconds for which results of a day are kept that nobody takes. */
const KEPT = 8 * DAY

/** Domains and days of which something is noted that is not yet in the store. */
const MOST_PENDING = 2_000

/** Tries to get results of a domain into the store, where others add to them too. */
const MOST_TRIES = 50

/** What there is to be told of a domain's day that has ended. */
export interface DueResults<Results> {
  readonly domain: string
  /** When the day began, in milliseconds since the Unix epoch. */
  readonly begin: number
  /** And when it ended. */
  readonly end: number
  readonly results: Results
  /**
   * Takes it out of the store. Whether it was there: of several who would report one does. What is taken and not sent is lost.
   */
  take(): Promise<boolean>
}

/** Results by domain and day, in memory first and then in a store, which several servers may share. */
export interface DailyResults<Results> {
  /** Takes results down. `now`: milliseconds since the Unix epoch. What there is no room for is left out. */
  note(domain: string, results: Results, now: number): void
  /** Puts what was taken down into the store: every minute or so, and before the end. Rejects where the store does. */
  flush(now: number): Promise<void>
  /** What is to be reported of days that have ended. */
  due(now: number): AsyncIterable<DueResults<Results>>
}

/** What results are: how two are one, and how they are a text of at most 64 KiB. */
export interface ResultsForm<Results> {
  /** What keys in the store begin with, without the colon. */
  readonly prefix: string
  merged(some: Results, more: Results): Results
  write(results: Results): string
  /** Total: what is no such text is no results. */
  read(text: string): Results
}

/** Collects results in a store. */
export function dailyResults<Results>(store: KeyValue, form: ResultsForm<Results>): DailyResults<Results> {
  const { prefix, merged, write, read } = form
  let pending = new Map<string, Results>()

  const add = async (key: string, results: Results, now: number): Promise<void> => {
    const until = (Number(key.split(':', 2)[1]) + 1) * DAY + KEPT
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const before = await store.get(key, now)
      const all = before === undefined ? results : merged(read(before), results)
      if (await store.swap(key, before, write(all), { now, until })) return
    }
    throw new MailError('temporary', `${key}: others keep changing it`)
  }

  return {
    note(domain, results, now) {
      const key = `${prefix}:${dayOf(now)}:${domain}`
      const before = pending.get(key)
      if (before === undefined && pending.size >= MOST_PENDING) return
      pending.set(key, before === undefined ? results : merged(before, results))
    },

    async flush(now) {
      const taken = pending
      pending = new Map()
      for (const [key, results] of taken) {
        try {
          await add(key, results, now)
          taken.delete(key)
        } catch (error) {
          // What is not in the store yet is for the next time.
          for (const [each, left] of taken) {
            const since = pending.get(each)
            pending.set(each, since === undefined ? left : merged(left, since))
          }
          throw error
        }
      }
    },

    async *due(now) {
      for await (const page of store.list(`${prefix}:`, now)) {
        for (const [key, value] of page) {
          const [, day = '', domain = ''] = key.split(':', 3)
          const begin = Number(day) * DAY
          if (!(dayOf(now) > Number(day))) continue
          yield { domain, begin, end: begin + DAY, results: read(value), take: () => store.remove(key, now) }
        }
      }
    },
  }
}
