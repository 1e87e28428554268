import type { Address } from '../message/address.ts'
import { parseTransferEncoding } from '../message/content.ts'
import type { DeliveryAction } from '../message/delivery-action.ts'
import { parseDeliveryStatus, type RecipientStatus, type TypedText } from '../message/delivery-status.ts'
import { findStatus } from '../message/enhanced-status.ts'
import { type HeaderBlock, parseHeaderBlock } from '../message/headers.ts'
import { indexMessage } from '../message/indexer.ts'
import { parseMessageIds } from '../message/message-id.ts'
import { withoutMarkup } from '../message/preview.ts'
import { bodyText } from '../message/search-text.ts'
import { isMultipart, type Part } from '../message/structure.ts'
import { decodeTransfer } from '../message/transfer.ts'
import { addressIn } from './bounce-address.ts'
import { readBounceText, replyCodeIn, type ToldRecipient } from './bounce-text.ts'
import { type Lasting, lastingOf } from './lasting.ts'

/** What a bounce says of one recipient. */
export interface BouncedRecipient {
  /** Where the message was to go in the end; `undefined` where that is no mail address. */
  readonly recipient: Address | undefined
  /** Whom its sender had addressed, where the report tells. */
  readonly original: Address | undefined
  readonly action: DeliveryAction
  /** RFC 3463: `5.1.1`; `undefined` where nothing of the kind was said. */
  readonly status: string | undefined
  /** Whether it is worth trying another time; `undefined` for what is no failure. */
  readonly lasting: Lasting | undefined
  /** What the server said that refused it, on one line. */
  readonly diagnostic: string | undefined
  readonly remoteMta: string | undefined
}

/** A message that tells what became of another one. */
export interface Bounce {
  /** `report`: as RFC 3464 has it; `text`: written for people, and guessed at. */
  readonly form: 'report' | 'text'
  /** At least one. */
  readonly recipients: readonly BouncedRecipient[]
  /** Of the message that it is about: its Message-ID in angle brackets, and its envelope id (RFC 3461 §4.4). */
  readonly messageId: string | undefined
  readonly envelopeId: string | undefined
  readonly reportingMta: string | undefined
}

/** Parts that are looked at, and characters of text. */
const MOST_PARTS = 100
const MOST_TEXT = 65_536
/** Characters of a diagnostic. */
const MOST_DIAGNOSTIC = 1_000

/** What comes back of a message (RFC 6522 §3, RFC 6533 §4), misspelt as it is found. */
const RETURNED = /^(message\/(rfc822|global|global-headers|rfc822-headers)|text\/rfc822-headers?)$/i

/** Local parts of those who write bounces (RFC 5321 §4.5.1, and custom). */
const DAEMONS = ['mailer-daemon', 'postmaster', 'mail-daemon', 'mdaemon', 'mailerdaemon', 'microsoftexchange']

/**
 * Reads a message that came back: a report of RFC 3464 or RFC 6533, or one of the free forms that servers write. `undefined`: it
 * is none, or tells of no recipient; reports of other kinds (RFC 8098, RFC 5965) are none. Total: never throws, linear time.
 * `bytes`: the message; its first 256 KiB say all that there is. `sender`: the envelope's; where it is left out the Return-Path
 * field is looked at.
 *
 * What it says may be made up by anybody: believe it where the address that it came to proves that it answers us (see `verp`).
 */
export function readBounce(bytes: Uint8Array, sender?: Address | null): Bounce | undefined {
  const header = parseHeaderBlock(bytes)
  const parts = ownParts(indexMessage(bytes).structure)
  const status = parts.find(({ type, subtype }) => is(type, 'message') && /^(global-)?delivery-status$/i.test(subtype))
  const returned = returnedHeader(parts, bytes)
  const reported = status && readReport(contentOf(status, bytes))
  if (reported && reported.recipients.length > 0) {
    return { form: 'report', ...reported, messageId: idOf(returned) ?? answeredId(header) }
  }
  if (isOtherReport(parts[0])) return undefined
  const text = textOf(parts, bytes)
  const found = sender === null || isFromDaemon(header) ? readBounceText(header, text) : undefined
  if (!found) return undefined
  return {
    form: 'text',
    recipients: found.recipients.map(guessed),
    messageId: idOf(returned) ?? found.messageId ?? answeredId(header),
    envelopeId: reported?.envelopeId,
    reportingMta: reported?.reportingMta,
  }
}

function guessed({ recipient, action, status, text }: ToldRecipient): BouncedRecipient {
  return {
    recipient,
    original: undefined,
    action,
    status,
    lasting: lastingOf(action, status, text, replyCodeIn(text)),
    diagnostic: clipped(text),
    remoteMta: undefined,
  }
}

/** The parts of the message, without those of messages in it: a bounce that is quoted is none. */
function ownParts(root: Part): Part[] {
  const found: Part[] = []
  const waiting = [root]
  for (let part = waiting.pop(); part && found.length < MOST_PARTS; part = waiting.pop()) {
    found.push(part)
    if (isMultipart(part)) for (let at = part.parts!.length - 1; at >= 0; at--) waiting.push(part.parts![at]!)
  }
  return found
}

function is(word: string, wanted: string): boolean {
  return word.toLowerCase() === wanted
}

function contentOf(part: Part, bytes: Uint8Array): Uint8Array {
  return decodeTransfer(bytes.subarray(part.body, part.end), parseTransferEncoding(part.encoding))
}

function readReport(bytes: Uint8Array): Pick<Bounce, 'recipients' | 'envelopeId' | 'reportingMta'> {
  const { recipients, envelopeId, reportingMta } = parseDeliveryStatus(bytes)
  return { recipients: recipients.map(judged), envelopeId, reportingMta: reportingMta?.text }
}

function judged(told: RecipientStatus): BouncedRecipient {
  const diagnostic = told.diagnosticCode?.text ?? ''
  const status = preciseStatus(told.status, diagnostic)
  const action = told.action ?? actionByStatus(status)
  return {
    recipient: addressOf(told.finalRecipient) ?? addressOf(told.originalRecipient),
    original: addressOf(told.originalRecipient),
    action,
    status,
    lasting: lastingOf(action, status, diagnostic, replyCodeIn(diagnostic)),
    diagnostic: clipped(diagnostic),
    remoteMta: told.remoteMta?.text,
  }
}

function addressOf(given: TypedText | undefined): Address | undefined {
  return given === undefined || given.type === 'x400' ? undefined : addressIn(given.text)
}

/** Some servers say 5.0.0 of everything: what they were told says more. */
function preciseStatus(status: string | undefined, diagnostic: string): string | undefined {
  if (status !== undefined && !status.endsWith('.0.0')) return status
  const found = findStatus(diagnostic)?.status
  return found !== undefined && (status === undefined || found.charAt(0) === status.charAt(0)) ? found : status
}

function actionByStatus(status: string | undefined): DeliveryAction {
  return status?.startsWith('2') ? 'delivered' : status?.startsWith('4') ? 'delayed' : 'failed'
}

/** Notices of being read, complaints: reports of another type are not about delivery. */
function isOtherReport(root: Part | undefined): boolean {
  if (!root || !is(root.type, 'multipart') || !is(root.subtype, 'report')) return false
  const type = root.params?.find(([name]) => is(name, 'report-type'))?.[1].toLowerCase() ?? ''
  return type !== '' && type !== 'delivery-status'
}

function isFromDaemon(header: HeaderBlock): boolean {
  if (header.value('return-path') === '<>' || header.has('x-failed-recipients')) return true
  const from = (header.value('from') ?? '').toLowerCase()
  return DAEMONS.some((name) => from.includes(name))
}

/** The header of the message that came back. */
function returnedHeader(parts: readonly Part[], bytes: Uint8Array): HeaderBlock | undefined {
  const part = parts.find(({ type, subtype }, at) => at > 0 && RETURNED.test(`${type}/${subtype}`))
  return part && parseHeaderBlock(contentOf(part, bytes))
}

function idOf(header: HeaderBlock | undefined): string | undefined {
  return header && parseMessageIds(header.value('message-id') ?? '', 1)[0]
}

/** What the bounce says that it answers. */
function answeredId(header: HeaderBlock): string | undefined {
  const [answered] = parseMessageIds(header.value('in-reply-to') ?? '', 1)
  return answered ?? parseMessageIds(header.value('references') ?? '').at(-1)
}

/** What people read; markup alone counts where nothing else is there. */
function textOf(parts: readonly Part[], bytes: Uint8Array): string {
  const plain: string[] = []
  const markup: string[] = []
  let length = 0
  for (const part of parts) {
    if (!is(part.type, 'text') || length > MOST_TEXT || /^rfc822-headers?$/i.test(part.subtype)) continue
    const isMarkup = is(part.subtype, 'html')
    const text = bodyText(part, bytes.subarray(part.body, Math.min(part.end, part.body + 4 * MOST_TEXT))).slice(0, MOST_TEXT)
    length += text.length
    // Lines end where elements do.
    if (isMarkup) markup.push(withoutMarkup(text.replace(/<(?=\/?(?:br|p|div|tr|td|li|h\d|table|hr)\b)/gi, '\n<')))
    else plain.push(text)
  }
  const said = plain.join('\n')
  return said.trim() === '' ? markup.join('\n') : said
}

function clipped(text: string): string | undefined {
  const line = text.replace(/[\0-\x20\x7f]+/g, ' ').trim()
  return line === '' ? undefined : line.slice(0, MOST_DIAGNOSTIC)
}
