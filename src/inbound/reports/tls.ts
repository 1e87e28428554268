import { dateTimeOf } from '../../protocol/smtp/index.ts'
import { countIn, itemsOf, member, textIn } from './tree.ts'

/** Sessions that failed alike. */
export interface TlsReportFailureRow {
  /** In the words of RFC 8460 §4.3: `certificate-expired`. */
  readonly type: string
  readonly count: number
  /** The client, the server it spoke to, and that one's address. */
  readonly source: string | undefined
  readonly host: string | undefined
  readonly address: string | undefined
  readonly code: string | undefined
}

/** How sessions went under one policy. */
export interface TlsReportPolicy {
  /** `sts`, `tlsa` or `no-policy-found`. */
  readonly type: string
  readonly domain: string
  readonly strings: readonly string[]
  readonly hosts: readonly string[]
  readonly succeeded: number
  readonly failed: number
  readonly failures: readonly TlsReportFailureRow[]
}

/** What somebody tells of TLS with a domain's servers (RFC 8460). It is what they say, no more. */
export interface TlsReport {
  readonly kind: 'tls'
  readonly id: string
  /** Who reports, and whom to ask. */
  readonly organization: string | undefined
  readonly contact: string | undefined
  /** Milliseconds since the Unix epoch. */
  readonly begin: number
  readonly end: number
  readonly policies: readonly TlsReportPolicy[]
}

const MOST_POLICIES = 1000
const MOST_FAILURES = 10_000
const MOST_STRINGS = 100

/** The report that is in parsed JSON; `undefined` where none is. Total. */
export function tlsReportIn(document: unknown): TlsReport | undefined {
  const range = member(document, 'date-range')
  const [begin, end] = ['start-datetime', 'end-datetime'].map((name) => dateTimeOf(textIn(member(range, name)) ?? ''))
  const id = textIn(member(document, 'report-id'))
  if (begin === undefined || end === undefined || !Array.isArray(member(document, 'policies'))) return undefined
  return {
    kind: 'tls',
    id: id ?? '',
    organization: textIn(member(document, 'organization-name')),
    contact: textIn(member(document, 'contact-info')),
    begin,
    end,
    policies: itemsOf(member(document, 'policies'), MOST_POLICIES).map(policyIn),
  }
}

function policyIn(value: unknown): TlsReportPolicy {
  const policy = member(value, 'policy')
  const summary = member(value, 'summary')
  return {
    type: textIn(member(policy, 'policy-type')) ?? 'no-policy-found',
    domain: textIn(member(policy, 'policy-domain'))?.toLowerCase() ?? '',
    strings: textsIn(member(policy, 'policy-string')),
    hosts: textsIn(member(policy, 'mx-host')),
    succeeded: countIn(member(summary, 'total-successful-session-count')) ?? 0,
    failed: countIn(member(summary, 'total-failure-session-count')) ?? 0,
    failures: itemsOf(member(value, 'failure-details'), MOST_FAILURES).map((failure) => ({
      type: textIn(member(failure, 'result-type')) ?? 'validation-failure',
      count: countIn(member(failure, 'failed-session-count')) ?? 0,
      source: textIn(member(failure, 'sending-mta-ip')),
      host: textIn(member(failure, 'receiving-mx-hostname')),
      address: textIn(member(failure, 'receiving-ip')),
      code: textIn(member(failure, 'failure-reason-code')),
    })),
  }
}

/** A list of texts, or, as some write it, the text alone. */
function textsIn(value: unknown): readonly string[] {
  const all = Array.isArray(value) ? itemsOf(value, MOST_STRINGS) : [value]
  return all.flatMap((text) => textIn(text) ?? [])
}
