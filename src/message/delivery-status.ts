import { parseTransferEncoding } from './content.ts'
import { parseDate } from './date.ts'
import { actionOf, type DeliveryAction } from './delivery-action.ts'
import { findStatus } from './enhanced-status.ts'
import { type HeaderBlock, parseHeaderBlock } from './headers.ts'
import { isBlank, trimBlanks, withoutComments } from './lexemes.ts'
import { decodeTransfer } from './transfer.ts'
import { decodeUtf8Address } from './utf8-address.ts'

/** What has a type in front of it: `rfc822; anna@example.org`, `dns; mx.example.org`, `smtp; 550 5.1.1 No such user`. */
export interface TypedText {
  /** Lower case; empty where the field names none. */
  readonly type: string
  readonly text: string
}

/** What a report says of one recipient (RFC 3464 §2.3). What it does not say, or says senselessly, is absent. */
export interface RecipientStatus {
  /** Whom the sender had addressed. Addresses of type `utf-8` are decoded (RFC 6533 §3). */
  readonly originalRecipient?: TypedText
  readonly finalRecipient?: TypedText
  readonly action?: DeliveryAction
  /** RFC 3463: `5.1.1`. */
  readonly status?: string
  readonly remoteMta?: TypedText
  readonly diagnosticCode?: TypedText
  /** Milliseconds since the Unix epoch, like all dates here. */
  readonly lastAttempt?: number
  readonly finalLogId?: string
  readonly willRetryUntil?: number
}

/** The body of a message/delivery-status (RFC 3464 §2) or message/global-delivery-status (RFC 6533 §4.1). */
export interface DeliveryStatus {
  readonly envelopeId?: string
  readonly reportingMta?: TypedText
  readonly dsnGateway?: TypedText
  readonly receivedFrom?: TypedText
  readonly arrivalDate?: number
  readonly recipients: readonly RecipientStatus[]
}

/** Recipients that {@link parseDeliveryStatus} reads; what follows is left out. */
export const MOST_REPORTED = 1_000
/** Characters of a value that are kept. */
const MOST_TEXT = 4_000

const LF = 10
const CR = 13

/** Fields that make a group of fields one about a recipient. */
const ABOUT_RECIPIENT = ['final-recipient', 'original-recipient', 'action', 'status', 'diagnostic-code']

/**
 * Reads the fields of a delivery status. Total: never throws, linear time; 8-bit octets are read as UTF-8, or else windows-1252.
 * Lenient as the world demands: blank lines too many or missing, fields in any order, comments, no types, brackets around
 * addresses, groups that a filter on the way has encoded.
 */
export function parseDeliveryStatus(bytes: Uint8Array): DeliveryStatus {
  const groups = groupsOf(bytes)
  const recipients: RecipientStatus[] = []
  for (const group of groups) {
    if (recipients.length === MOST_REPORTED) break
    if (!ABOUT_RECIPIENT.some((name) => group.has(name))) continue
    const read = recipientOf(group)
    const last = recipients.at(-1)
    // A blank line that should not be: what lacks its recipient belongs to the one before, unless that has it all.
    if (last && !read.finalRecipient && !read.originalRecipient && !(last.action && read.action)) {
      recipients[recipients.length - 1] = { ...read, ...last }
    } else recipients.push(read)
  }
  return { ...messageOf(groups), recipients }
}

/** The blocks of fields that blank lines part. */
function groupsOf(bytes: Uint8Array, mayBeEncoded = true): HeaderBlock[] {
  const groups: HeaderBlock[] = []
  let at = 0
  while (groups.length <= MOST_REPORTED) {
    at = behindBlankLines(bytes, at)
    if (at >= bytes.length) break
    const block = parseHeaderBlock(bytes, at)
    // At least the line at hand is taken, so this ends.
    at = Math.max(block.end, at + 1)
    groups.push(block)
    const encoding = parseTransferEncoding(block.value('content-transfer-encoding'))
    if (!mayBeEncoded || (encoding !== 'base64' && encoding !== 'quoted-printable')) continue
    // Filters on the way that take the groups for the header of something and its body have encoded that.
    const from = behindBlankLines(bytes, at)
    at = blankLineAt(bytes, from)
    for (const group of groupsOf(decodeTransfer(bytes.subarray(from, at), encoding), false)) groups.push(group)
  }
  return groups
}

function behindBlankLines(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && (bytes[at] === LF || bytes[at] === CR)) at++
  return at
}

/** The next empty line, or the end. */
function blankLineAt(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] === LF && (bytes[at + 1] === LF || (bytes[at + 1] === CR && bytes[at + 2] === LF))) return at + 1
  }
  return bytes.length
}

function messageOf(groups: readonly HeaderBlock[]): Omit<DeliveryStatus, 'recipients'> {
  const [first] = groups
  if (!first) return {}
  const envelopeId = clipped(first.value('original-envelope-id'))
  const reportingMta = nameOf(first.value('reporting-mta'))
  const dsnGateway = nameOf(first.value('dsn-gateway'))
  const receivedFrom = nameOf(first.value('received-from-mta'))
  const arrivalDate = dateOf(first.value('arrival-date'))
  return {
    ...(envelopeId === undefined ? {} : { envelopeId }),
    ...(reportingMta ? { reportingMta } : {}),
    ...(dsnGateway ? { dsnGateway } : {}),
    ...(receivedFrom ? { receivedFrom } : {}),
    ...(arrivalDate === undefined ? {} : { arrivalDate }),
  }
}

function recipientOf(group: HeaderBlock): RecipientStatus {
  const originalRecipient = addressOf(group.value('original-recipient'))
  const finalRecipient = addressOf(group.value('final-recipient'))
  const action = actionOf(group.value('action') ?? '')
  const status = findStatus((group.value('status') ?? '').slice(0, MOST_TEXT))?.status
  const remoteMta = nameOf(group.value('remote-mta'))
  const diagnosticCode = typed(group.value('diagnostic-code'))
  const lastAttempt = dateOf(group.value('last-attempt-date'))
  const finalLogId = clipped(group.value('final-log-id'))
  const willRetryUntil = dateOf(group.value('will-retry-until'))
  return {
    ...(originalRecipient ? { originalRecipient } : {}),
    ...(finalRecipient ? { finalRecipient } : {}),
    ...(action ? { action } : {}),
    ...(status === undefined ? {} : { status }),
    ...(remoteMta ? { remoteMta } : {}),
    ...(diagnosticCode ? { diagnosticCode } : {}),
    ...(lastAttempt === undefined ? {} : { lastAttempt }),
    ...(finalLogId === undefined ? {} : { finalLogId }),
    ...(willRetryUntil === undefined ? {} : { willRetryUntil }),
  }
}

/** `type; text`; without a type where there is none. */
function typed(value: string | undefined): TypedText | undefined {
  const given = clipped(value)
  if (given === undefined) return undefined
  const semicolon = given.indexOf(';')
  const type = semicolon < 0 ? '' : trimBlanks(given.slice(0, semicolon))
  // What has blanks in it, or an at sign, is no type but the beginning of the text.
  if (type === '' || !isAtom(type)) return { type: '', text: semicolon === 0 ? trimBlanks(given.slice(1)) : given }
  return { type: type.toLowerCase(), text: trimBlanks(given.slice(semicolon + 1)) }
}

/** RFC 3464 §2.1.1: comments are not part of the contents. Of diagnostics they are: servers write parentheses in replies. */
function nameOf(value: string | undefined): TypedText | undefined {
  return typed(value === undefined ? undefined : trimBlanks(withoutComments(value)))
}

function addressOf(value: string | undefined): TypedText | undefined {
  const found = nameOf(value)
  if (!found) return undefined
  const { type, text } = found
  const isBracketed = text.startsWith('<') && text.endsWith('>')
  const address = isBracketed ? trimBlanks(text.slice(1, -1)) : text
  return address === '' ? undefined : { type, text: type === 'utf-8' ? decodeUtf8Address(address) : address }
}

function dateOf(value: string | undefined): number | undefined {
  return value === undefined ? undefined : parseDate(value)?.epochMs
}

function clipped(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value.slice(0, MOST_TEXT)
}

function isAtom(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (isBlank(unit) || unit === 64 || unit === 60 || unit > 126) return false
  }
  return true
}
