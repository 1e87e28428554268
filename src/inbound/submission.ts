import type { Verdict } from '../contracts/policy.ts'
import type { Address } from '../message/address.ts'
import { flattenAddresses, parseAddressList } from '../message/addresses.ts'
import { formatDate, parseDate } from '../message/date.ts'
import { formatField } from '../message/format-field.ts'
import type { HeaderField, Headers } from '../message/headers.ts'
import { createMessageId, parseMessageIds } from '../message/message-id.ts'
import type { Part } from '../message/structure.ts'
import { reject } from './verdict.ts'

/** What a submission server adds where it is missing. */
export interface Additions {
  /** Milliseconds since the Unix epoch. */
  readonly now: number
  /** A domain of ours, for message ids. */
  readonly hostname: string
  /** 16 octets of good randomness, for a message id. Called at most once. */
  readonly random: () => Uint8Array
}

/** How a header is mended: what goes, and what is put in. */
export interface Mending {
  readonly removed: readonly HeaderField[]
  /** Whole fields, CRLF included; empty for none. */
  readonly added: string
}

/** Fields that are not to leave: blind copies stay blind, and the return path is for the last server to write (RFC 5321 §4.4). */
const PRIVATE = ['bcc', 'resent-bcc', 'return-path'] as const

/**
 * Mends the header of a message that somebody submits, as far as RFC 6409 §8 lets a server: a `Date` and a `Message-ID` are added
 * where there is none, or none that can be read. `Bcc`, `Resent-Bcc` and `Return-Path` are removed. Nothing else is touched.
 */
export function mendHeader(headers: Headers, additions: Additions): Mending {
  const removed: HeaderField[] = PRIVATE.flatMap((name) => headers.all(name))
  let added = ''
  const dates = headers.all('date')
  if (!dates.some(({ value }) => parseDate(value) !== undefined)) {
    removed.push(...dates)
    added += formatField('Date', formatDate(additions.now))
  }
  const ids = headers.all('message-id')
  if (!ids.some(({ value }) => parseMessageIds(value, 1).length > 0)) {
    removed.push(...ids)
    added += formatField('Message-ID', createMessageId(additions.random(), additions.hostname))
  }
  return { removed, added }
}

/**
 * Who the message says it is from: every address of its `From` field. A refusal where that is not one field (RFC 5322 §3.6) with
 * nothing but addresses in it: what one reader skips, another would show.
 */
export function authorsOf(headers: Headers): readonly Address[] | Verdict {
  const fields = headers.all('from')
  if (fields.length === 0) return noFrom
  if (fields.length > 1) return severalFrom
  const items = flattenAddresses(parseAddressList(fields[0]!.value))
  const addresses = items.map(({ address }) => address)
  const isSound = addresses.length > 0 && addresses.every((address) => address !== undefined && address.domain !== '')
  return isSound ? (addresses as Address[]) : badFrom
}

const noFrom = reject(554, '5.6.0', 'Message has no From field')
const severalFrom = reject(554, '5.6.0', 'Message has more than one From field')
const badFrom = reject(554, '5.6.0', 'The From field must name mailboxes with their domains')

/** Octets of the largest part that people would call an attachment, decoded. */
export function largestAttachment(root: Part): number {
  let largest = 0
  const waiting: Part[] = [root]
  for (let part = waiting.pop(); part; part = waiting.pop()) {
    if (part.parts) waiting.push(...part.parts)
    else if (!isText(part)) largest = Math.max(largest, decodedOctets(part))
  }
  return largest
}

/** Text that is read with the message: no file of its own. */
function isText({ type, disposition, params }: Part): boolean {
  const isNamed = params?.some(([name]) => /^name\b/i.test(name)) ?? false
  return type.toLowerCase() === 'text' && !isNamed && disposition?.type.toLowerCase() !== 'attachment'
}

function decodedOctets({ encoding, body, end, lines }: Part): number {
  const octets = end - body
  // Four characters for three octets, and line ends, which count for nothing (RFC 2045 §6.8).
  return encoding?.toLowerCase() === 'base64' ? Math.floor(((octets - 2 * lines) * 3) / 4) : octets
}
