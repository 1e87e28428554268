import type { KeyValue } from '../contracts/key-value.ts'
import { MailError } from '../protocol/session/errors.ts'
import { dayOf } from './day-stamp.ts'
import { merged, type PolicyResults, readResults, type TlsSession, writeResults } from './tls-tally.ts'

const DAY = 86_400_000

/** Milliseconds for which results of a day are kept that nobody takes. */
const KEPT = 8 * DAY

/** Domains and days of which something is noted that is not yet in the store. */
const MOST_PENDING = 2_000

/** Tries to get results of a domain into the store, where others add to them too. */
const MOST_TRIES = 50

/** What there is to be told of a domain's day that has ended. */
export interface DueTlsReport {
  readonly domain: string
  /** When the day began, in milliseconds since the Unix epoch. */
  readonly begin: number
  /** And when it ended. */
  readonly end: number
  readonly results: readonly PolicyResults[]
  /**
   * Takes it out of the store. Whether it was there: of several who would report one does. What is taken and not sent is lost.
   */
  take(): Promise<boolean>
}

/** Collects how securing connections went, by domain and day (RFC 8460), under `tls-report:` of a store. */
export interface TlsResults {
  /** Takes a session down. `now`: milliseconds since the Unix epoch. What there is no room for is left out. */
  note(session: TlsSession, now: number): void
  /** Puts what was taken down into the store: every minute or so, and before the end. Rejects where the store does. */
  flush(now: number): Promise<void>
  /** What is to be reported of days that have ended. */
  due(now: number): AsyncIterable<DueTlsReport>
}

/** Collects results in a store. */
export function tlsResults(store: KeyValue): TlsResults {
  let pending = new Map<string, PolicyResults[]>()

  const add = async (key: string, results: readonly PolicyResults[], now: number): Promise<void> => {
    const until = (Number(key.split(':', 2)[1]) + 1) * DAY + KEPT
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const before = await store.get(key, now)
      const all = merged(before === undefined ? [] : readResults(before), results)
      if (await store.swap(key, before, writeResults(all), { now, until })) return
    }
    throw new MailError('temporary', `${key}: others keep changing it`)
  }

  return {
    note(session, now) {
      // An address has nobody who could ask for reports.
      if (session.domain.startsWith('[')) return
      const key = `tls-report:${dayOf(now)}:${session.domain}`
      const before = pending.get(key)
      if (before === undefined && pending.size >= MOST_PENDING) return
      pending.set(key, merged(before ?? [], [resultOf(session)]))
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
          for (const [each, left] of taken) pending.set(each, merged(left, pending.get(each) ?? []))
          throw error
        }
      }
    },

    async *due(now) {
      for await (const page of store.list('tls-report:', now)) {
        for (const [key, value] of page) {
          const [, day = '', domain = ''] = key.split(':', 3)
          const begin = Number(day) * DAY
          if (!(dayOf(now) > Number(day))) continue
          yield { domain, begin, end: begin + DAY, results: readResults(value), take: () => store.remove(key, now) }
        }
      }
    },
  }
}

function resultOf({ policy, failure, host, address, source }: TlsSession): PolicyResults {
  if (failure === undefined) return { policy, succeeded: 1, failed: 0, failures: [] }
  return { policy, succeeded: 0, failed: 1, failures: [{ type: failure, host, address, source, count: 1 }] }
}
