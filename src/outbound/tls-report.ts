import type { MailDraft } from '../contracts/draft.ts'
import type { Address } from '../message/address.ts'
import { encodeBase64Lines } from '../message/base64.ts'
import { encodeUtf8 } from '../protocol/bytes/text.ts'
import type { DaneFinding } from './dane.ts'
import type { StsPolicy } from './sts-policy.ts'
import type { DueTlsReport } from './tls-results.ts'
import type { FailureTally, PolicyResults, ReportedPolicy } from './tls-tally.ts'

/** Who reports on TLS. */
export interface TlsReporter {
  /** Whose servers they are, for people. */
  readonly organization: string
  /** Whom to ask: an address or a URL. */
  readonly contact: string
  /** The domain that reports. */
  readonly domain: string
  /** Tells this report from all others: letters, digits, `-` and `_`. */
  readonly id: string
}

/** The policy that a session was judged by, as reports tell it: DANE over MTA-STS. */
export function reportedPolicy(dane: DaneFinding, sts: StsPolicy | undefined): ReportedPolicy {
  if (dane.kind === 'usable') {
    const strings = dane.records.map(({ usage, selector, matching, data }) => `${usage} ${selector} ${matching} ${hex(data)}`)
    return { type: 'tlsa', strings, mx: [] }
  }
  if (sts === undefined || sts.mode === 'none') return { type: 'no-policy-found', strings: [], mx: [] }
  const { mode, mx, maxAge } = sts
  const strings = ['version: STSv1', `mode: ${mode}`, ...mx.map((pattern) => `mx: ${pattern}`), `max_age: ${maxAge}`]
  return { type: 'sts', strings, mx }
}

const hex = (data: Uint8Array): string => Array.from(data, (octet) => octet.toString(16).padStart(2, '0')).join('')

/** A report as JSON (RFC 8460 §4.4), in UTF-8. It goes out compressed by gzip, as `application/tlsrpt+gzip`. */
export function encodeTlsReport({ domain, begin, end, results }: DueTlsReport, reporter: TlsReporter): Uint8Array {
  return encodeUtf8(JSON.stringify({
    'organization-name': reporter.organization,
    'date-range': { 'start-datetime': dateTime(begin), 'end-datetime': dateTime(end - 1000) },
    'contact-info': reporter.contact,
    'report-id': reporter.id,
    policies: results.map((each) => policyOf(domain, each)),
  }))
}

/** RFC 3339, without the milliseconds, which some readers do not expect. */
const dateTime = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`

function policyOf(domain: string, { policy, succeeded, failed, failures }: PolicyResults): object {
  const { type, strings, mx } = policy
  return {
    policy: {
      'policy-type': type,
      ...(strings.length === 0 ? {} : { 'policy-string': strings }),
      'policy-domain': domain,
      ...(mx.length === 0 ? {} : { 'mx-host': mx }),
    },
    summary: { 'total-successful-session-count': succeeded, 'total-failure-session-count': failed },
    ...(failures.length === 0 ? {} : { 'failure-details': failures.map(failureOf) }),
  }
}

function failureOf({ type, host, address, source, count }: FailureTally): object {
  return {
    'result-type': type,
    ...(source === undefined ? {} : { 'sending-mta-ip': source }),
    ...(host === undefined ? {} : { 'receiving-mx-hostname': host }),
    ...(address === undefined ? {} : { 'receiving-ip': address }),
    'failed-session-count': count,
  }
}

/** What a report is mailed with. */
export interface TlsReportMail {
  readonly from: Address
  readonly to: readonly Address[]
  /** Milliseconds since the Unix epoch. */
  readonly now: number
  /** The message's own id, in angle brackets. */
  readonly messageId: string
  /** As {@link MailDraft} has it. */
  readonly boundary: string
}

/** A report as a message (RFC 8460 §5.3), to be signed by DKIM. `compressed`: what {@link encodeTlsReport} gives, by gzip. */
export function tlsReportDraft(
  { domain, begin, end }: DueTlsReport, compressed: Uint8Array, { domain: submitter, id }: TlsReporter, mail: TlsReportMail,
): MailDraft {
  const days = `${dateTime(begin)} to ${dateTime(end - 1000)}`
  const file = `${submitter}!${domain}!${begin / 1000}!${end / 1000 - 1}!${id}.json.gz`
  return {
    from: { address: mail.from },
    to: mail.to,
    subject: `Report Domain: ${domain} Submitter: ${submitter} Report-ID: <${id}@${submitter}>`,
    date: mail.now,
    messageId: mail.messageId,
    references: [],
    fields: [
      ['TLS-Report-Domain', domain],
      ['TLS-Report-Submitter', submitter],
      // RFC 3834 §5: answering machines leave it alone.
      ['Auto-Submitted', 'auto-generated'],
    ],
    text: `This is a report on TLS with the mail servers of ${domain}, ${days}, by ${submitter}.\n`,
    multipart: {
      type: 'multipart/report; report-type=tlsrpt',
      boundary: mail.boundary,
      parts: [
        {
          fields: [
            ['Content-Type', 'application/tlsrpt+gzip'],
            ['Content-Transfer-Encoding', 'base64'],
            ['Content-Disposition', `attachment; filename="${file}"`],
          ],
          body: encodeBase64Lines(compressed),
        },
      ],
    },
  }
}
