import type { DraftPart, MailDraft } from '../contracts/draft.ts'
import type { Envelope } from '../contracts/received.ts'
import { type Address, splitTag } from '../message/address.ts'
import type { DeliveryAction } from '../message/delivery-action.ts'
import type { DeliveryStatus, RecipientStatus, TypedText } from '../message/delivery-status.ts'
import { formatDeliveryStatus } from '../message/format-delivery-status.ts'
import { encodeUtf8, isAscii, octetString } from '../protocol/bytes/text.ts'
import { encodeMailbox } from '../protocol/smtp/path.ts'
import { diagnosticText } from './diagnostic.ts'
import { octetsWanted, type Original, readOriginal, returnedPart, type ReturnWay } from './report-original.ts'
import { reportText } from './report-text.ts'
import { readableAddress, type Report, type ReportedRecipient } from './report.ts'

/** Who reports, and how. */
export interface ReportOptions {
  /** The name of this server. */
  readonly hostname: string
  /** Whom the report says it is from; `postmaster` at this server's name otherwise. */
  readonly from?: Address
  /** Milliseconds since the Unix epoch. */
  readonly now: number
  /** The report's own id, in angle brackets. */
  readonly messageId: string
  /** Nobody can guess it: 16 letters and digits or more, 50 at most. */
  readonly boundary: string
  /** Octets up to which a whole message is returned. Default 1 MiB. */
  readonly mostReturned?: number
  /** How much of the message a failure gives back whose sender did not say. Default `FULL`. */
  readonly unsaid?: 'FULL' | 'HDRS'
  /**
   * Whether the way to the sender bears octets above 127 (8BITMIME). Default `true`: a client turns what it must into 7 bits.
   * Otherwise what is written is ASCII all through, and of a message that is not, the header alone is returned.
   */
  readonly eightBit?: boolean
  /** Whether the way to the sender bears UTF-8 in headers (SMTPUTF8). By default it does if the message came so. */
  readonly smtpUtf8?: boolean
}

/** A report, ready to be composed and put into the queue. */
export interface WrittenReport {
  /** RFC 3461 §6.1: from the null sender, NOTIFY=NEVER, so that nobody reports about the report. */
  readonly envelope: Envelope
  readonly draft: MailDraft
}

const GLOBAL_STATUS = 'message/global-delivery-status'
/** Octets up to which a whole message is returned. */
const MOST_RETURNED = 1_048_576
/** References that a report carries on. */
const MOST_REFERENCES = 20

const SUBJECTS: Record<DeliveryAction, string> = {
  failed: 'Your message could not be delivered',
  delayed: 'Your message is delayed',
  delivered: 'Your message was delivered',
  relayed: 'Your message was passed on',
  expanded: 'Your message was passed on',
}

/** How many octets of a message, from its beginning, {@link writeReport} has to be given. `size`: all of its octets. */
export function octetsForReport(report: Report, size: number, options: Pick<ReportOptions, 'mostReturned' | 'unsaid'>): number {
  return octetsWanted(returnsWhole(report, options), size, options.mostReturned ?? MOST_RETURNED)
}

/**
 * Writes a report (RFC 3464, RFC 6522; RFC 6533 where addresses or the message's header are beyond ASCII). `octets`: as many
 * of the message's first as {@link octetsForReport} asks for. Pure: the same arguments give the same report.
 */
export function writeReport(report: Report, octets: Uint8Array, size: number, options: ReportOptions): WrittenReport {
  const way = { eightBit: options.eightBit ?? true, smtpUtf8: options.smtpUtf8 ?? report.smtpUtf8 }
  const original = readOriginal(octets)
  // RFC 3461 §6.2: a whole message for failures alone, if it is not too large.
  const isWhole = returnsWhole(report, options) && octets.length === size && size <= (options.mostReturned ?? MOST_RETURNED)
  const returned = returnedPart(original, isWhole, way)
  const status = statusPart(report, options, way)
  const parts = [status, returned.part]
  const isEightBit = parts.some(isEightBitPart)
  return {
    envelope: envelopeOf(report, parts),
    draft: {
      from: { name: 'Mail Delivery System', address: options.from ?? { local: 'postmaster', domain: options.hostname } },
      to: [report.to],
      subject: SUBJECTS[report.recipients[0]?.action ?? 'failed'],
      date: options.now,
      messageId: options.messageId,
      references: referencesOf(original),
      fields: [
        // RFC 3834 §3.1.7: answering machines leave it alone.
        ['Auto-Submitted', 'auto-replied'],
        // RFC 2045 §6.4: what holds 8-bit parts says so itself.
        ...(isEightBit ? [['Content-Transfer-Encoding', '8bit'] as const] : []),
      ],
      text: reportText(report, { hostname: options.hostname, subject: original.subject, returned: returned.what }),
      multipart: {
        type: 'multipart/report; report-type=delivery-status',
        boundary: apart(options.boundary, parts),
        parts,
      },
    },
  }
}

function returnsWhole(report: Report, { unsaid = 'FULL' }: Pick<ReportOptions, 'unsaid'>): boolean {
  // RFC 8689 §5: of what requires TLS, no more than the header, whatever RET says.
  return report.kind === 'failed' && !report.requireTls && (report.ret ?? unsaid) === 'FULL'
}

function envelopeOf({ to, requireTls }: Report, parts: readonly DraftPart[]): Envelope {
  const { local: user, tag } = splitTag(to.local)
  return {
    sender: null,
    recipients: [{ ...to, user, tag, wire: encodeMailbox(to), notify: [], originalRecipient: undefined }],
    size: undefined,
    body: parts.some(isEightBitPart) ? '8BITMIME' : '7BIT',
    // RFC 6533 §4.5: what is of a global type needs it too.
    smtpUtf8: !isAscii(encodeMailbox(to)) || parts.some(isGlobalPart),
    // §6.1: RET must not be used.
    ret: undefined,
    envid: undefined,
    // RFC 8689 §5.
    requireTls,
    deliverBy: undefined,
    priority: undefined,
    hold: undefined,
  }
}

/** The thread that the message belongs to, and the message. */
function referencesOf({ messageId, references }: Original): readonly string[] {
  return messageId === undefined ? [] : [...references.filter((id) => id !== messageId).slice(-MOST_REFERENCES), messageId]
}

function statusPart(report: Report, options: ReportOptions, way: ReturnWay): DraftPart {
  const status = statusOf(report, options.hostname)
  const body = encodeUtf8(formatDeliveryStatus(status, way.eightBit && way.smtpUtf8))
  // RFC 6533 §4.4: in the type that everybody knows, unless it would say less.
  if (body.every((octet) => octet < 128)) return { fields: [['Content-Type', 'message/delivery-status']], body }
  return { fields: [['Content-Type', GLOBAL_STATUS], ['Content-Transfer-Encoding', '8bit']], body }
}

/** The report as its fields say it (RFC 3461 §6.3). */
function statusOf(report: Report, hostname: string): DeliveryStatus {
  return {
    ...(report.envelopeId === undefined ? {} : { envelopeId: report.envelopeId }),
    reportingMta: hostOf(hostname),
    ...(report.receivedFrom === undefined ? {} : { receivedFrom: hostOf(report.receivedFrom) }),
    arrivalDate: report.received,
    recipients: report.recipients.map(recipientStatus),
  }
}

function recipientStatus(reported: ReportedRecipient): RecipientStatus {
  const { original, remoteMta, lastAttempt, retryUntil } = reported
  const diagnosticCode = diagnosticOf(reported)
  return {
    ...(original ? { originalRecipient: { type: original.type.toLowerCase(), text: readableAddress(original) } } : {}),
    finalRecipient: finalOf(reported.recipient),
    action: reported.action,
    status: reported.status,
    ...(remoteMta === undefined ? {} : { remoteMta: hostOf(remoteMta) }),
    ...(diagnosticCode ? { diagnosticCode } : {}),
    ...(lastAttempt === undefined ? {} : { lastAttempt }),
    ...(reported.action === 'delayed' && retryUntil !== undefined ? { willRetryUntil: retryUntil } : {}),
  }
}

/** RFC 3461 §6.3 (i): what the other server said; else what we have found, under a type of our own (RFC 3464 §2.1.2). */
function diagnosticOf({ reply, reason }: ReportedRecipient): TypedText | undefined {
  if (reply) return { type: 'smtp', text: diagnosticText(reply) }
  return reason === undefined ? undefined : { type: 'x-posthorn', text: reason }
}

/** RFC 3461 §6.3 (e), RFC 6533 §3. */
function finalOf(recipient: Address): TypedText {
  const text = encodeMailbox(recipient)
  return { type: isAscii(text) ? 'rfc822' : 'utf-8', text }
}

/** RFC 3461 §6.3 (b): what is no name of the DNS must not say that it is one. */
function hostOf(name: string): TypedText {
  const isName = name.includes('.') || name.startsWith('[')
  return { type: isName ? 'dns' : 'x-local-hostname', text: name }
}

function isGlobalPart({ fields }: DraftPart): boolean {
  return fields[0]?.[1].startsWith('message/global') ?? false
}

function isEightBitPart({ body }: DraftPart): boolean {
  return body.some((octet) => octet > 127)
}

/** A boundary that is in none of the parts. Nobody could have guessed it; that it is so is not left to chance. */
function apart(boundary: string, parts: readonly DraftPart[]): string {
  let found = `=_${boundary}`
  for (const { body } of parts) {
    const text = octetString(body)
    while (text.includes(found)) found += '_'
  }
  return found
}
