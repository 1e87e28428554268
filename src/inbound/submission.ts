import type { Verdict } from '../contracts/policy.ts'
import type { Address } from '../message/address.ts'
import { flattenAddresses, parseAddressList } from '../message/addresses.ts'
import { formatDate, parseDate } from '../message/date.ts'
import { formatField } from '../message/format-field.ts'
import { type HeaderField, type Headers, MOST_FIELDS } from '../message/headers.ts'
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

/** An address that a message names as one of those who sent it. */
export interface Named {
  /** As the field is usually written. */
  readonly field: string
  readonly address: Address
}

/** Mailboxes that a message may name as its senders: each is looked up, and whoever wants more wants to keep us busy. */
const MOST_SENDERS = 100

/**
 * Whom the message names as its senders: in `From`, in `Sender`, which many programs show instead, and, where it was sent again,
 * in the `Resent-` fields that mean the same. A refusal where `From` is not one field, or `Sender` more than one (RFC 5322
 * §3.6), or where one of them is not made of addresses alone: what one reader skips, another would show.
 */
export function sendersOf(headers: Headers): readonly Named[] | Verdict {
  if (headers.fields.length >= MOST_FIELDS) return tooManyFields
  const from = headers.all('from')
  if (from.length === 0) return noFrom
  if (from.length > 1) return several('From')
  if (headers.all('sender').length > 1) return several('Sender')
  const found: Named[] = []
  for (const field of SENDERS) {
    for (const { value } of headers.all(field)) {
      const items = flattenAddresses(parseAddressList(value, MOST_SENDERS + 1))
      for (const { address } of items) {
        if (address === undefined || address.domain === '') return bad(field)
        if (found.push({ field, address }) > MOST_SENDERS) return tooManySenders
      }
      if (items.length === 0) return bad(field)
    }
  }
  return found
}

const SENDERS = ['From', 'Sender', 'Resent-From', 'Resent-Sender'] as const

const noFrom = reject(554, '5.6.0', 'Message has no From field')
const several = (field: string): Verdict => reject(554, '5.6.0', `Message has more than one ${field} field`)
const bad = (field: string): Verdict => reject(554, '5.6.0', `The ${field} field must name mailboxes with their domains`)
// What lies beyond those that are read would go out unseen: another From, a Bcc.
const tooManyFields = reject(554, '5.6.0', 'Message has too many header fields')
const tooManySenders = reject(554, '5.6.0', 'Message names too many senders')

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
