import type { AuthenticationResult } from '../../contracts/authentication.ts'
import { countIn, itemsOf, member, textIn, wordIn } from './tree.ts'

/** Messages alike that somebody got in the name of a domain. */
export interface DmarcReportRow {
  /** Of the client that brought them. */
  readonly source: string
  readonly count: number
  /** What was done with them. */
  readonly disposition: 'none' | 'quarantine' | 'reject' | undefined
  /** Whether what DMARC looks at has passed and was aligned. */
  readonly dkim: 'pass' | 'fail' | undefined
  readonly spf: 'pass' | 'fail' | undefined
  /** Why something else was done than the domain asks for. */
  readonly reasons: readonly { readonly type: string; readonly comment: string | undefined }[]
  readonly headerFrom: string | undefined
  readonly envelopeFrom: string | undefined
  /** What was found, aligned or not. */
  readonly signatures: readonly {
    readonly domain: string
    readonly selector: string | undefined
    readonly result: AuthenticationResult | undefined
  }[]
  readonly senders: readonly {
    readonly domain: string
    readonly scope: 'mfrom' | 'helo' | undefined
    readonly result: AuthenticationResult | undefined
  }[]
}

/** What somebody tells of mail that came in the name of a domain (RFC 7489 §7.2). It is what they say, no more. */
export interface DmarcReport {
  readonly kind: 'dmarc'
  readonly id: string
  /** Who reports, and whom to ask. */
  readonly organization: string | undefined
  readonly contact: string | undefined
  /** Milliseconds since the Unix epoch. */
  readonly begin: number
  readonly end: number
  /** The domain whose record was looked at, and its tags: `p`, `sp`, `adkim` … */
  readonly domain: string
  readonly record: ReadonlyMap<string, string>
  readonly rows: readonly DmarcReportRow[]
}

const MOST_ROWS = 100_000
const MOST_EACH = 100

const tags = ['p', 'sp', 'np', 'adkim', 'aspf', 'pct', 'fo', 't', 'testing', 'discovery_method'] as const
const dispositions = ['none', 'quarantine', 'reject'] as const
const outcomes = ['pass', 'fail'] as const
const results = ['none', 'neutral', 'pass', 'fail', 'softfail', 'policy', 'temperror', 'permerror'] as const

/** The report that is in parsed XML; `undefined` where none is. Total. */
export function dmarcReportIn(document: unknown): DmarcReport | undefined {
  const feedback = child(document, 'feedback')
  const metadata = child(feedback, 'report_metadata')
  const range = child(metadata, 'date_range')
  const published = child(feedback, 'policy_published')
  const [begin, end] = [countIn(child(range, 'begin')), countIn(child(range, 'end'))]
  const [id, domain] = [textIn(child(metadata, 'report_id')), textIn(child(published, 'domain'))]
  if (begin === undefined || end === undefined || domain === undefined) return undefined
  const record = tags.flatMap((tag): [string, string][] => {
    const value = textIn(child(published, tag))
    return value === undefined ? [] : [[tag, value]]
  })
  return {
    kind: 'dmarc',
    id: id ?? '',
    organization: textIn(child(metadata, 'org_name')),
    contact: textIn(child(metadata, 'email')),
    begin: begin * 1000,
    end: end * 1000,
    domain: domain.toLowerCase(),
    record: new Map(record),
    rows: itemsOf(member(feedback, 'record'), MOST_ROWS).flatMap((one) => rowIn(one) ?? []),
  }
}

/** The first child with that name. */
function child(element: unknown, name: string): unknown {
  return itemsOf(member(element, name), 1)[0]
}

const children = (element: unknown, name: string): readonly unknown[] => itemsOf(member(element, name), MOST_EACH)

function rowIn(element: unknown): DmarcReportRow | undefined {
  const row = child(element, 'row')
  const evaluated = child(row, 'policy_evaluated')
  const identifiers = child(element, 'identifiers')
  const found = child(element, 'auth_results')
  const [source, count] = [textIn(child(row, 'source_ip')), countIn(child(row, 'count'))]
  if (source === undefined || count === undefined) return undefined
  return {
    source,
    count,
    disposition: wordIn(child(evaluated, 'disposition'), dispositions),
    dkim: wordIn(child(evaluated, 'dkim'), outcomes),
    spf: wordIn(child(evaluated, 'spf'), outcomes),
    reasons: children(evaluated, 'reason').map((reason) => {
      return { type: textIn(child(reason, 'type')) ?? 'other', comment: textIn(child(reason, 'comment')) }
    }),
    headerFrom: textIn(child(identifiers, 'header_from'))?.toLowerCase(),
    envelopeFrom: textIn(child(identifiers, 'envelope_from'))?.toLowerCase(),
    signatures: children(found, 'dkim').map((one) => ({
      domain: textIn(child(one, 'domain')) ?? '',
      selector: textIn(child(one, 'selector')),
      result: wordIn(child(one, 'result'), results),
    })),
    senders: children(found, 'spf').map((one) => ({
      domain: textIn(child(one, 'domain')) ?? '',
      scope: wordIn(child(one, 'scope'), ['mfrom', 'helo'] as const),
      result: wordIn(child(one, 'result'), results),
    })),
  }
}
