import type { DraftPart } from '../contracts/draft.ts'
import { type HeaderBlock, parseHeaderBlock } from '../message/headers.ts'
import { parseMessageIds } from '../message/message-id.ts'
import { encodeQuotedPrintable } from '../message/quoted-printable.ts'
import { decodeUtf8, octets as octetsOf } from '../protocol/bytes/text.ts'

/** What a report says of the message it is about, and returns of it. */
export interface Original {
  readonly octets: Uint8Array
  readonly header: HeaderBlock
  /** In angle brackets. */
  readonly messageId: string | undefined
  readonly references: readonly string[]
  readonly subject: string
}

/** The part that returns the message, and how much of it that is. */
export interface Returned {
  readonly part: DraftPart
  readonly what: 'message' | 'header'
}

/** What the way back to the sender bears. */
export interface ReturnWay {
  /** Octets above 127 in bodies (8BITMIME). */
  readonly eightBit: boolean
  /** UTF-8 in headers and addresses (SMTPUTF8). */
  readonly smtpUtf8: boolean
}

/** Octets of a header that are returned: one may have two megabytes, of which nobody reads more than this. */
const MOST_HEADER = 65_536
/** RFC 5322 §2.1.1: octets of a line, without its end. */
const MOST_LINE = 998

const LF = 10
const CR = 13

/** Octets of a message that a report of it needs, from its beginning. */
export function octetsWanted(isWhole: boolean, size: number, most: number): number {
  return isWhole && size <= most ? size : Math.min(size, MOST_HEADER)
}

/** Looks at the beginning of a message. */
export function readOriginal(octets: Uint8Array): Original {
  const header = parseHeaderBlock(octets)
  const [messageId] = parseMessageIds(header.value('message-id') ?? '', 1)
  const references = parseMessageIds(header.value('references') ?? '')
  return { octets, header, messageId, references, subject: header.text('subject') ?? '' }
}

/**
 * The third part of a report (RFC 6522 §3, RFC 6533 §4). The whole message is left octet for octet as it is, so it must be fit
 * for the way: lines that end in CRLF and are not too long, no octet 0, and no octets above 127 unless those pass. If it is not,
 * its header goes alone, which may be encoded.
 */
export function returnedPart(original: Original, isWhole: boolean, way: ReturnWay): Returned {
  const { octets } = original
  const header = headerOctets(original)
  // RFC 6532 §3.7: a header in UTF-8 makes it message/global, which needs SMTPUTF8 all the way (RFC 6533 §4.5).
  const isUtf8 = hasHigh(header) && decodeUtf8(header) !== undefined
  const isGlobal = isUtf8 && way.eightBit && way.smtpUtf8
  if (isWhole && isFit(octets, way.eightBit) && (isGlobal || !isUtf8)) {
    const type = isGlobal ? 'message/global' : 'message/rfc822'
    return { part: { fields: fieldsOf(type, hasHigh(octets)), body: octets }, what: 'message' }
  }
  if (isGlobal && isFit(header, true)) {
    return { part: { fields: fieldsOf('message/global-headers', true), body: header }, what: 'header' }
  }
  if (isFit(header, false)) return { part: { fields: fieldsOf('text/rfc822-headers', false), body: header }, what: 'header' }
  // RFC 6522 §4: broken headers may be encoded, text that it is.
  const fields = [
    ['Content-Type', 'text/rfc822-headers; charset=utf-8'], ['Content-Transfer-Encoding', 'quoted-printable'],
  ] as const
  return { part: { fields, body: octetsOf(encodeQuotedPrintable(header)) }, what: 'header' }
}

function fieldsOf(type: string, isEightBit: boolean): DraftPart['fields'] {
  return isEightBit ? [['Content-Type', type], ['Content-Transfer-Encoding', '8bit']] : [['Content-Type', type]]
}

/** The header without the empty line behind it, up to a line end. */
function headerOctets({ octets, header }: Original): Uint8Array {
  let end = Math.min(header.end, MOST_HEADER)
  if (end < header.end || !header.complete) while (end > 0 && octets[end - 1] !== LF) end--
  else end -= octets[end - 2] === CR ? 2 : 1
  return octets.subarray(header.start, Math.max(end, header.start))
}

/** Whether the octets may go as they are, as `7bit` or `8bit` (RFC 2045 §2.7, §2.8). */
function isFit(octets: Uint8Array, eightBit: boolean): boolean {
  let begin = 0
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at]!
    if (octet === LF) {
      if (at === 0 || octets[at - 1] !== CR || at - 1 - begin > MOST_LINE) return false
      begin = at + 1
    } else if (octet === 0 || (octet === CR && octets[at + 1] !== LF) || (octet > 127 && !eightBit)) return false
  }
  return octets.length - begin <= MOST_LINE
}

function hasHigh(octets: Uint8Array): boolean {
  return octets.some((octet) => octet > 127)
}
