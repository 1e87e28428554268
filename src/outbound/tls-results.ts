import type { KeyValue } from '../contracts/key-value.ts'
import { type DailyResults, dailyResults, type DueResults } from './daily-results.ts'
import { merged, type PolicyResults, readResults, type TlsSession, writeResults } from './tls-tally.ts'

/** What there is to be told of a domain's day that has ended. */
export type DueTlsReport = DueResults<readonly PolicyResults[]>

/** Collects how securing connections went, by domain and day (RFC 8460), under `tls-report:` of a store. */
export interface TlsResults extends Omit<DailyResults<readonly PolicyResults[]>, 'note'> {
  /** Takes a session down. `now`: milliseconds since the Unix epoch. What there is no room for is left out. */
  note(session: TlsSession, now: number): void
}

/** Collects results in a store. */
export function tlsResults(store: KeyValue): TlsResults {
  const form = { prefix: 'tls-report', merged, write: writeResults, read: readResults }
  const daily = dailyResults<readonly PolicyResults[]>(store, form)
  return {
    note(session, now) {
      // An address has nobody who could ask for reports.
      if (!session.domain.startsWith('[')) daily.note(session.domain, merged([], [resultOf(session)]), now)
    },
    flush: (now) => daily.flush(now),
    due: (now) => daily.due(now),
  }
}

function resultOf({ policy, failure, host, address, source }: TlsSession): PolicyResults {
  if (failure === undefined) return { policy, succeeded: 1, failed: 0, failures: [] }
  return { policy, succeeded: 0, failed: 1, failures: [{ type: failure, host, address, source, count: 1 }] }
}
