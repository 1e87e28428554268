import { unpacked } from '../adapters/node/unpacked.ts'
import { parseXml } from '../adapters/xml/index.ts'
import { readRange } from '../contracts/read-body.ts'
import type { ReceivedMessage } from '../contracts/received.ts'
import { type DmarcReport, dmarcReportIn } from '../inbound/reports/dmarc.ts'
import { type TlsReport, tlsReportIn } from '../inbound/reports/tls.ts'
import type { Part } from '../message/structure.ts'
import { decodeTransfer, type TransferEncoding } from '../message/transfer.ts'

/** Octets of a report as it comes, and of what is in all that a message brings: that is parsed in one go. */
const MOST_PACKED = 20 * 1_048_576
const MOST_OCTETS = 32 * 1_048_576

/** Types under which reports come. Some senders say no more than that it is octets. */
const TYPES: ReadonlySet<string> = new Set([
  'application/gzip', 'application/x-gzip', 'application/zip', 'application/x-zip-compressed', 'application/x-zip', 'text/xml',
  'application/xml', 'application/octet-stream', 'application/tlsrpt+gzip', 'application/tlsrpt+json', 'application/json',
])

/** Parts of a message that are looked at. */
const MOST_PARTS = 20

/**
 * The report that a message brings: on mail in a domain's name (DMARC, RFC 7489) or on TLS with its servers (RFC 8460). Nothing
 * where it brings none that can be read. Whoever has sent it may say what he likes: look at who that was, by `authentication()`.
 *
 * ```ts
 * import { readReport, receiver } from 'posthorn'
 *
 * const reports = receiver({
 *   hostname: 'mx.example.org',
 *   accepts: ({ local }) => local === 'dmarc' || local === 'tls-reports',
 *   deliver: async (message) => {
 *     const report = await readReport(message)
 *     if (report?.kind === 'dmarc') for (const { source, count, dkim, spf } of report.rows) console.log(source, count, dkim, spf)
 *   },
 * })
 * ```
 *
 * @throws MailError `unavailable` where fast-xml-parser is not installed, which reports on mail need; and what the body throws
 */
export async function readReport(message: Pick<ReceivedMessage, 'body' | 'facts'>): Promise<DmarcReport | TlsReport | undefined> {
  let left = MOST_OCTETS
  for (const part of candidates(message.facts.structure)) {
    const octets = await readRange(message.body, { start: part.body, end: part.end })
    const file = await unpacked(decodeTransfer(octets, encodingOf(part)), left)
    // What did not fit has cost as much as what would have.
    left -= file?.length ?? left
    const report = file && (await reportIn(file))
    if (report) return report
    if (left <= 0) return undefined
  }
  return undefined
}

/** Parts that could be a report, in their order. */
function candidates(structure: Part): Part[] {
  const found: Part[] = []
  const open = [structure]
  for (let part = open.shift(); part && found.length < MOST_PARTS; part = open.shift()) {
    const isReport = !part.parts && TYPES.has(`${part.type}/${part.subtype}`.toLowerCase())
    if (isReport && part.end - part.body <= MOST_PACKED) found.push(part)
    if (part.parts && !part.envelope) open.unshift(...part.parts)
  }
  return found
}

const ENCODINGS: ReadonlySet<string> = new Set(['7bit', '8bit', 'binary', 'base64', 'quoted-printable'])

function encodingOf({ encoding = '7bit' }: Part): TransferEncoding {
  const name = encoding.toLowerCase()
  return ENCODINGS.has(name) ? (name as TransferEncoding) : 'unknown'
}

async function reportIn(file: Uint8Array): Promise<DmarcReport | TlsReport | undefined> {
  const text = new TextDecoder().decode(file).trimStart()
  if (text.startsWith('<')) return dmarcReportIn(await parseXml(text))
  if (!text.startsWith('{')) return undefined
  try {
    return tlsReportIn(JSON.parse(text))
  } catch {
    return undefined
  }
}
