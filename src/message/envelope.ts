import { type EnvelopeAddress, readEnvelopeAddresses } from './envelope-addresses.ts'
import { field, type FieldKind, oneLine, unfolded } from './field-scan.ts'
import type { OctetString } from './octet-string.ts'

/**
 * What IMAP's ENVELOPE says of a message (RFC 3501 §7.4.2), as data. A field that the header does not have, and a list
 * without any address, is absent; IMAP then shows `from` for `sender` and `replyTo`, and NIL for the rest. Encoded words are
 * left as they stand. Of fields that came more than once all addresses count, of the others the last.
 */
export interface Envelope {
  date?: OctetString
  /** Blanks in a row made one. */
  subject?: OctetString
  from?: EnvelopeAddress[]
  sender?: EnvelopeAddress[]
  replyTo?: EnvelopeAddress[]
  to?: EnvelopeAddress[]
  cc?: EnvelopeAddress[]
  bcc?: EnvelopeAddress[]
  inReplyTo?: OctetString
  messageId?: OctetString
}

/** How many more addresses the envelopes of a message may hold, and whether they had more. */
export interface AddressAllowance {
  left: number
  exceeded: boolean
}

/**
 * Notes in `envelope` what a field says, if ENVELOPE shows fields of its kind. Its body is octets [from, to) of `text`.
 */
export function noteEnvelope(
  envelope: Envelope,
  kind: FieldKind,
  text: OctetString,
  from: number,
  to: number,
  allowance: AddressAllowance,
): void {
  if (kind >= field.from && kind <= field.bcc) {
    noteAddresses(envelope, lists[kind - field.from]!, text, from, to, allowance)
  } else if (kind === field.subject) {
    envelope.subject = oneLine(unfolded(text, from, to))
  } else if (kind === field.date) {
    envelope.date = unfolded(text, from, to)
  } else if (kind === field.messageId) {
    envelope.messageId = unfolded(text, from, to)
  } else if (kind === field.inReplyTo) {
    envelope.inReplyTo = unfolded(text, from, to)
  }
}

/** In the order of the kinds. */
const lists = ['from', 'sender', 'replyTo', 'to', 'cc', 'bcc'] as const

/** A second field of a kind adds to the first: who sees one address of two must not be the one who decides by it. */
function noteAddresses(
  envelope: Envelope,
  name: (typeof lists)[number],
  text: OctetString,
  from: number,
  to: number,
  allowance: AddressAllowance,
): void {
  const list = envelope[name] ?? []
  const before = list.length
  // One more than is left, to know whether there were more.
  readEnvelopeAddresses(text, from, to, list, allowance.left + 1)
  if (list.length - before > allowance.left) {
    allowance.exceeded = true
    list.length = before + allowance.left
  }
  allowance.left -= list.length - before
  if (list.length > 0) envelope[name] = list
}
