import { encodeUtf8, isAscii } from '../protocol/bytes/text.ts'
import { formatDate } from './date.ts'
import type { DeliveryStatus, RecipientStatus, TypedText } from './delivery-status.ts'
import { formatField } from './format-field.ts'
import { encodeUtf8Address } from './utf8-address.ts'

/** Octets of a value: with its name it fits a line (RFC 5322 §2.1.1), for nothing may be folded where there is no blank. */
const MOST_VALUE = 900

/**
 * The fields of a delivery status, blank lines between its groups, each line ended by CRLF: the body of a
 * message/global-delivery-status (`utf8`, RFC 6533 §4.1), else of a message/delivery-status, which is ASCII: addresses of type
 * `utf-8` are escaped then (RFC 6533 §3), other characters beyond ASCII become `?`. Whatever the strings hold, what comes out has
 * these fields and no others.
 */
export function formatDeliveryStatus(status: DeliveryStatus, utf8 = false): string {
  const fields = new Fields(utf8)
  fields.text('Original-Envelope-Id', status.envelopeId)
  fields.typed('Reporting-MTA', status.reportingMta)
  fields.typed('DSN-Gateway', status.dsnGateway)
  fields.typed('Received-From-MTA', status.receivedFrom)
  fields.date('Arrival-Date', status.arrivalDate)
  for (const recipient of status.recipients) addRecipient(fields, recipient)
  return fields.out
}

/** RFC 3464 §2.3, in its order. */
function addRecipient(fields: Fields, recipient: RecipientStatus): void {
  fields.out += '\r\n'
  fields.address('Original-Recipient', recipient.originalRecipient)
  fields.address('Final-Recipient', recipient.finalRecipient)
  fields.text('Action', recipient.action)
  fields.text('Status', recipient.status)
  fields.typed('Remote-MTA', recipient.remoteMta)
  fields.typed('Diagnostic-Code', recipient.diagnosticCode)
  fields.date('Last-Attempt-Date', recipient.lastAttempt)
  fields.text('Final-Log-Id', recipient.finalLogId)
  fields.date('Will-Retry-Until', recipient.willRetryUntil)
}

/** The fields so far. */
class Fields {
  out = ''
  readonly #utf8: boolean

  constructor(utf8: boolean) {
    this.#utf8 = utf8
  }

  text(name: string, value: string | undefined): void {
    if (value === undefined) return
    const written = clipped(this.#utf8 || isAscii(value) ? value : value.replace(/[^\0-\x7f]/g, '?'))
    if (written.trim() !== '') this.out += formatField(name, written)
  }

  typed(name: string, value: TypedText | undefined): void {
    if (value) this.text(name, value.type === '' ? value.text : `${value.type}; ${value.text}`)
  }

  address(name: string, value: TypedText | undefined): void {
    if (value?.type !== 'utf-8') return this.typed(name, value)
    // RFC 6533 §3: the form that a reader need not decode, where there is nothing in it that they would decode.
    const isPlain = this.#utf8 && !/[\\\s]/.test(value.text)
    this.typed(name, isPlain ? value : { type: value.type, text: encodeUtf8Address(value.text) })
  }

  date(name: string, value: number | undefined): void {
    if (value !== undefined) this.text(name, formatDate(value))
  }
}

function clipped(value: string): string {
  let end = Math.min(value.length, MOST_VALUE)
  if (isAscii(value)) return value.slice(0, end)
  while (encodeUtf8(value.slice(0, end)).length > MOST_VALUE) end--
  return value.slice(0, end)
}
