import type { KeyValue } from '../contracts/key-value.ts'
import { type DailyResults, dailyResults, type DueResults } from './daily-results.ts'
import { type DmarcMessage, type DmarcTally, keyOf, mergedTallies, readTally, tallyOf, writeTally } from './dmarc-tally.ts'

/** What there is to be told of a domain's day that has ended. */
export type DueDmarcReport = DueResults<DmarcTally>

/** Parts of a domain's day: one text of the store would not hold all that a large sender's servers do. */
const PARTS = 16

/**
 * Collects what became of messages, by the domain that asks for reports and by day (RFC 7489 §7.2), under `dmarc-report:` of a
 * store.
 */
export interface DmarcResults extends Omit<DailyResults<DmarcTally>, 'note'> {
  /** Takes a message down. `now`: milliseconds since the Unix epoch. What there is no room for is left out. */
  note(message: DmarcMessage, now: number): void
}

/** Collects results in a store. */
export function dmarcResults(store: KeyValue): DmarcResults {
  const form = { prefix: 'dmarc-report', merged: mergedTallies, write: writeTally, read: readTally }
  const daily = dailyResults<DmarcTally>(store, form)
  return {
    note(message, now) {
      const { policyDomain } = message.found.dmarc
      if (policyDomain === undefined) return
      const tally = tallyOf(message)
      daily.note(`${policyDomain}#${partOf(keyOf(tally.rows[0]!))}`, tally, now)
    },
    flush: (now) => daily.flush(now),
    async *due(now) {
      let parts: DueDmarcReport[] = []
      // A domain's parts come one after the other, since keys ascend and no domain has a `#`.
      for await (const due of daily.due(now)) {
        if (parts.length > 0 && !isSameDay(parts[0]!, due)) yield wholeOf(parts.splice(0))
        parts.push(due)
      }
      if (parts.length > 0) yield wholeOf(parts)
    },
  }
}

const domainOf = ({ domain }: DueDmarcReport): string => domain.slice(0, domain.lastIndexOf('#'))

const isSameDay = (one: DueDmarcReport, other: DueDmarcReport): boolean =>
  one.begin === other.begin && domainOf(one) === domainOf(other)

function wholeOf(parts: readonly DueDmarcReport[]): DueDmarcReport {
  const [first] = parts as [DueDmarcReport]
  return {
    domain: domainOf(first),
    begin: first.begin,
    end: first.end,
    results: { record: parts.at(-1)!.results.record, rows: parts.flatMap(({ results }) => results.rows) },
    async take() {
      // Whoever gets the first part reports; what is left of the others is taken along.
      const taken = await first.take()
      if (taken) for (const part of parts.slice(1)) await part.take()
      return taken
    },
  }
}

/** One of the parts, as letters of the hexadecimal alphabet. */
function partOf(key: string): string {
  let sum = 0
  for (let at = 0; at < key.length; at++) sum = (Math.imul(sum, 31) + key.charCodeAt(at)) >>> 0
  return (sum % PARTS).toString(16)
}
