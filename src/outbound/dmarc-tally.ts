import type { Authentication, AuthenticationResult, DmarcFinding } from '../contracts/authentication.ts'

/** What was done with messages, in the words of reports (RFC 7489 appendix C). */
export type DmarcDisposition = 'none' | 'quarantine' | 'reject'

/** Why something else was done than the domain asks for. */
export type DmarcOverride = 'local_policy' | 'sampled_out' | 'trusted_forwarder'

/** A message that DMARC was asked about, as a report tells of it. */
export interface DmarcMessage {
  readonly found: Authentication & { readonly dmarc: DmarcFinding }
  /** Of the client. */
  readonly source: string
  /** Of the envelope; absent for the null sender. */
  readonly envelopeFrom: string | undefined
  /** What was done on its account. */
  readonly disposition: DmarcDisposition
}

/** Messages alike, and how many. */
export interface DmarcRow {
  readonly source: string
  readonly disposition: DmarcDisposition
  readonly override: DmarcOverride | undefined
  readonly aligned: { readonly dkim: boolean; readonly spf: boolean }
  readonly headerFrom: string
  readonly envelopeFrom: string | undefined
  readonly spf: { readonly domain: string; readonly scope: 'mfrom' | 'helo'; readonly result: AuthenticationResult } | undefined
  readonly dkim: readonly { readonly domain: string; readonly selector: string; readonly result: AuthenticationResult }[]
  readonly count: number
}

/** What a domain asked for, and what became of messages in its name. */
export interface DmarcTally {
  /** The tags of its record as it was last seen. */
  readonly record: readonly (readonly [tag: string, value: string])[]
  readonly rows: readonly DmarcRow[]
}

/** Signatures of a message that are told of. */
const MOST_SIGNATURES = 10
/** Kinds of rows in one text of the store. */
const MOST_ROWS = 250
const MOST_TAGS = 20
const MOST_NAME = 255
const MOST_VALUE = 1000
/** Characters of all of it: a value of a store takes 64 KiB. */
const MOST_TEXT = 60_000

/** What one message comes to. */
export function tallyOf({ found, source, envelopeFrom, disposition }: DmarcMessage): DmarcTally {
  const { dmarc, spf, dkim = [] } = found
  const row: DmarcRow = {
    source,
    disposition,
    override: overrideOf(dmarc, disposition),
    aligned: { dkim: dmarc.aligned.dkim, spf: dmarc.aligned.spf },
    headerFrom: dmarc.domain.slice(0, MOST_NAME),
    envelopeFrom: envelopeFrom?.slice(0, MOST_NAME),
    spf: spf && {
      domain: spf.domain.slice(0, MOST_NAME), scope: spf.identity === 'helo' ? 'helo' : 'mfrom', result: spf.result,
    },
    dkim: dkim.slice(0, MOST_SIGNATURES).map(({ domain, selector, result }) => {
      return { domain: domain.slice(0, MOST_NAME), selector: selector.slice(0, MOST_NAME), result }
    }),
    count: 1,
  }
  const tags = [...dmarc.record ?? []].slice(0, MOST_TAGS)
  return { record: tags.map(([tag, value]) => [tag.slice(0, 20), value.slice(0, MOST_VALUE)]), rows: [row] }
}

/** RFC 7489 §6.6.4, §7.2: what the domain asks of this message was not done, or not for all of its messages. */
function overrideOf({ policy, disposition: wanted, result }: DmarcFinding, done: DmarcDisposition): DmarcOverride | undefined {
  if (result !== 'fail') return undefined
  if (done !== wanted) return 'local_policy'
  return policy !== undefined && policy !== wanted ? 'sampled_out' : undefined
}

/** Two tallies as one; the later record counts. What there is no room for is left out. */
export function mergedTallies(some: DmarcTally, more: DmarcTally): DmarcTally {
  const all = new Map<string, DmarcRow>()
  for (const row of [...some.rows, ...more.rows]) {
    const key = keyOf(row)
    const before = all.get(key)
    if (before === undefined && all.size >= MOST_ROWS) continue
    all.set(key, { ...row, count: (before?.count ?? 0) + row.count })
  }
  return { record: more.record, rows: [...all.values()] }
}

/** Rows with the same key are one. */
export function keyOf({ count: _, ...row }: DmarcRow): string {
  return JSON.stringify([
    row.source, row.disposition, row.override, row.aligned.dkim, row.aligned.spf, row.headerFrom, row.envelopeFrom,
    row.spf && [row.spf.domain, row.spf.scope, row.spf.result], row.dkim.map((one) => [one.domain, one.selector, one.result]),
  ])
}

/** A tally as a text of at most 60,000 characters: of too many rows the first are told. */
export function writeTally(tally: DmarcTally): string {
  for (let most = tally.rows.length; most >= 1; most = Math.floor(most / 2)) {
    const text = JSON.stringify({ record: tally.record, rows: tally.rows.slice(0, most) })
    if (text.length <= MOST_TEXT) return text
  }
  return JSON.stringify({ record: tally.record, rows: [] })
}

/** The inverse of {@link writeTally}; nothing where the text is none of ours. */
export function readTally(text: string): DmarcTally {
  try {
    const { record, rows } = JSON.parse(text) as DmarcTally
    return {
      record: record.map(([tag, value]) => [String(tag), String(value)]),
      rows: rows.map(({ source, disposition, override, aligned, headerFrom, envelopeFrom, spf, dkim, count }) => ({
        source, disposition, override, aligned: { dkim: aligned.dkim, spf: aligned.spf }, headerFrom, envelopeFrom,
        spf: spf && { domain: spf.domain, scope: spf.scope, result: spf.result },
        dkim: dkim.map(({ domain, selector, result }) => ({ domain, selector, result })),
        count: Number(count),
      })),
    }
  } catch {
    return { record: [], rows: [] }
  }
}
