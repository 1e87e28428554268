import type { TlsFailureReason } from '../protocol/session/dial.ts'
import type { StsTrouble } from './sts.ts'

/** Why a session was not secured as the domain's policy asks, in the words of RFC 8460 §4.3. */
export type TlsReportFailure = TlsFailureReason | StsTrouble | 'starttls-not-supported' | 'dnssec-invalid' | 'dane-required'

/** The policy by which a session was judged (RFC 8460 §4.2). */
export interface ReportedPolicy {
  readonly type: 'sts' | 'tlsa' | 'no-policy-found'
  /** What it says: lines of an MTA-STS policy, TLSA records. */
  readonly strings: readonly string[]
  /** The servers that it names, patterns as they are. */
  readonly mx: readonly string[]
}

/** A session with a server of a domain, or one that did not come about. */
export interface TlsSession {
  /** The domain that mail was for, in A-labels. */
  readonly domain: string
  readonly policy: ReportedPolicy
  /** Absent: all went well. */
  readonly failure?: TlsReportFailure | undefined
  /** The server, its address, and ours. */
  readonly host?: string | undefined
  readonly address?: string | undefined
  readonly source?: string | undefined
}

/** Failures of one kind with one server. */
export interface FailureTally {
  readonly type: TlsReportFailure
  readonly host: string | undefined
  readonly address: string | undefined
  readonly source: string | undefined
  readonly count: number
}

/** What became of sessions under one policy. */
export interface PolicyResults {
  readonly policy: ReportedPolicy
  readonly succeeded: number
  readonly failed: number
  readonly failures: readonly FailureTally[]
}

/** Policies of a domain in a day, kinds of failures of each, and strings that a policy is told by. */
const MOST_POLICIES = 8
const MOST_FAILURES = 100
const MOST_STRINGS = 30

/** Characters of all of it: a value of a store takes 64 KiB. */
const MOST_TEXT = 60_000

/** Two sets of results as one. What there is no room for counts in the sums, where there is a policy to count it under. */
export function merged(some: readonly PolicyResults[], more: readonly PolicyResults[]): PolicyResults[] {
  const all = new Map<string, PolicyResults>()
  for (const { policy, ...results } of [...some, ...more]) {
    const bounded = boundedPolicy(policy)
    const key = JSON.stringify(bounded)
    const before = all.get(key)
    if (before === undefined && all.size >= MOST_POLICIES) continue
    all.set(key, {
      policy: bounded,
      succeeded: (before?.succeeded ?? 0) + results.succeeded,
      failed: (before?.failed ?? 0) + results.failed,
      failures: mergedFailures(before?.failures ?? [], results.failures),
    })
  }
  return [...all.values()]
}

const boundedPolicy = ({ type, strings, mx }: ReportedPolicy): ReportedPolicy => ({
  type,
  strings: strings.slice(0, MOST_STRINGS).map((text) => text.slice(0, 300)),
  mx: mx.slice(0, MOST_STRINGS),
})

function mergedFailures(some: readonly FailureTally[], more: readonly FailureTally[]): FailureTally[] {
  const all = new Map<string, FailureTally>()
  for (const failure of [...some, ...more]) {
    const { type, host, address, source, count } = failure
    const key = JSON.stringify([type, host, address, source])
    const before = all.get(key)
    if (before === undefined && all.size >= MOST_FAILURES) continue
    all.set(key, { ...failure, count: (before?.count ?? 0) + count })
  }
  return [...all.values()]
}

/** Results as a text of at most 60,000 characters: of too many failures the first are told. */
export function writeResults(results: readonly PolicyResults[]): string {
  for (let most = MOST_FAILURES; most >= 1; most = Math.floor(most / 2)) {
    const text = JSON.stringify(results.map((each) => ({ ...each, failures: each.failures.slice(0, most) })))
    if (text.length <= MOST_TEXT) return text
  }
  return JSON.stringify(results.map((each) => ({ ...each, policy: { ...each.policy, strings: [], mx: [] }, failures: [] })))
}

/** The inverse of {@link writeResults}; nothing where the text is none of ours. */
export function readResults(text: string): PolicyResults[] {
  try {
    const results = JSON.parse(text) as PolicyResults[]
    return results.map(({ policy: { type, strings, mx }, succeeded, failed, failures }) => ({
      policy: { type, strings: [...strings], mx: [...mx] },
      succeeded: Number(succeeded),
      failed: Number(failed),
      failures: failures.map(({ type: kind, host, address, source, count }) => ({ type: kind, host, address, source, count })),
    }))
  } catch {
    return []
  }
}
