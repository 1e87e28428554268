import type { MailDraft } from '../contracts/draft.ts'
import type { Address } from '../message/address.ts'
import { encodeBase64Lines } from '../message/base64.ts'
import { encodeUtf8 } from '../protocol/bytes/text.ts'
import type { DueDmarcReport } from './dmarc-results.ts'
import type { DmarcRow } from './dmarc-tally.ts'

/** Who reports on mail in the names of others. */
export interface DmarcReporter {
  /** Whose servers they are, for people. */
  readonly organization: string
  /** An address to ask at. */
  readonly contact: string
  /** The domain that reports. */
  readonly domain: string
  /** Tells this report from all others: letters and digits. */
  readonly id: string
}

/** What a report is mailed with. */
export interface DmarcReportMail {
  readonly from: Address
  readonly to: readonly Address[]
  /** Milliseconds since the Unix epoch. */
  readonly now: number
  /** The message's own id, in angle brackets. */
  readonly messageId: string
  /** As {@link MailDraft} has it. */
  readonly boundary: string
}

/** An element: its name, and its text or what is in it. What is `undefined` is left out. */
type Element = readonly [name: string, content: string | number | undefined | readonly Element[]]

/** A report as XML (RFC 7489 appendix C), in UTF-8. It goes out compressed by gzip. */
export function encodeDmarcReport({ domain, begin, end, results }: DueDmarcReport, reporter: DmarcReporter): Uint8Array {
  const tags = new Map(results.record)
  const metadata: Element = ['report_metadata', [
    ['org_name', reporter.organization],
    ['email', reporter.contact],
    ['report_id', reporter.id],
    ['date_range', [['begin', begin / 1000], ['end', end / 1000 - 1]]],
  ]]
  const published: Element = ['policy_published', [
    ['domain', domain],
    ['adkim', tags.get('adkim') ?? 'r'],
    ['aspf', tags.get('aspf') ?? 'r'],
    ['p', tags.get('p') ?? 'none'],
    ['sp', tags.get('sp') ?? tags.get('p') ?? 'none'],
    ['np', tags.get('np')],
    ['pct', tags.get('pct') ?? '100'],
    ['fo', tags.get('fo') ?? '0'],
  ]]
  const feedback: Element = ['feedback', [['version', '1.0'], metadata, published, ...results.rows.map(recordOf)]]
  return encodeUtf8(`<?xml version="1.0" encoding="UTF-8" ?>\n${written(feedback, '')}`)
}

function recordOf({ source, count, disposition, aligned, override, headerFrom, envelopeFrom, spf, dkim }: DmarcRow): Element {
  const evaluated: Element = ['policy_evaluated', [
    ['disposition', disposition],
    ['dkim', aligned.dkim ? 'pass' : 'fail'],
    ['spf', aligned.spf ? 'pass' : 'fail'],
    ...(override === undefined ? [] : [['reason', [['type', override]]] as Element]),
  ]]
  const signatures = dkim.map(({ domain, selector, result }): Element => {
    return ['dkim', [['domain', domain], ['selector', selector], ['result', result]]]
  })
  const sender: Element = ['spf', [['domain', spf?.domain ?? ''], ['scope', spf?.scope], ['result', spf?.result ?? 'none']]]
  return ['record', [
    ['row', [['source_ip', source], ['count', count], evaluated]],
    ['identifiers', [['envelope_from', envelopeFrom ?? ''], ['header_from', headerFrom]]],
    ['auth_results', [...signatures, sender]],
  ]]
}

function written([name, content]: Element, indent: string): string {
  if (content === undefined) return ''
  if (typeof content !== 'object') return `${indent}<${name}>${escaped(String(content))}</${name}>\n`
  return `${indent}<${name}>\n${content.map((each) => written(each, `${indent}  `)).join('')}${indent}</${name}>\n`
}

const ENTITIES: ReadonlyMap<string, string> = new Map([['&', '&amp;'], ['<', '&lt;'], ['>', '&gt;']])

/** Text of an element; what XML has no way to say is left out (XML 1.0 §2.2). */
function escaped(text: string): string {
  let all = ''
  for (const character of text) {
    const code = character.codePointAt(0)!
    const isSayable = code >= 0x20 && code !== 0xfffe && code !== 0xffff && !(code >= 0xd800 && code <= 0xdfff)
    if (isSayable) all += ENTITIES.get(character) ?? character
  }
  return all
}

/** A report as a message (RFC 7489 §7.2.1.1), to be signed by DKIM. `compressed`: the XML, by gzip. */
export function dmarcReportDraft(
  { domain, begin, end }: DueDmarcReport, compressed: Uint8Array, { domain: submitter, id }: DmarcReporter, mail: DmarcReportMail,
): MailDraft {
  const file = `${submitter}!${domain}!${begin / 1000}!${end / 1000 - 1}!${id}.xml.gz`
  const day = new Date(begin).toISOString().slice(0, 10)
  return {
    from: { address: mail.from },
    to: mail.to,
    subject: `Report Domain: ${domain} Submitter: ${submitter} Report-ID: <${id}@${submitter}>`,
    date: mail.now,
    messageId: mail.messageId,
    references: [],
    // RFC 3834 §5: answering machines leave it alone.
    fields: [['Auto-Submitted', 'auto-generated']],
    text: `This is a DMARC report on mail in the name of ${domain} that came on ${day}, by ${submitter}.\n`,
    multipart: {
      type: 'multipart/mixed',
      boundary: mail.boundary,
      parts: [{
        fields: [
          ['Content-Type', 'application/gzip'],
          ['Content-Transfer-Encoding', 'base64'],
          ['Content-Disposition', `attachment; filename="${file}"`],
        ],
        body: encodeBase64Lines(compressed),
      }],
    },
  }
}
