import { NUL_REPLACEMENT } from './field-cursor.ts'
import type { OctetString } from './octet-string.ts'

/** The fields that facts are made of: those of a message, then those of any part. */
export const field = {
  date: 1,
  subject: 2,
  from: 3,
  sender: 4,
  replyTo: 5,
  to: 6,
  cc: 7,
  bcc: 8,
  inReplyTo: 9,
  messageId: 10,
  references: 11,
  mimeVersion: 12,
  contentType: 13,
  contentEncoding: 14,
  contentId: 15,
  contentDescription: 16,
  contentDisposition: 17,
  contentLanguage: 18,
  contentLocation: 19,
  contentMd5: 20,
} as const

/** One of {@link field}. */
export type FieldKind = (typeof field)[keyof typeof field]

interface KnownField {
  readonly name: string
  readonly kind: FieldKind
}

/** Names in lower case. */
const known: readonly KnownField[] = [
  { name: 'date', kind: field.date },
  { name: 'subject', kind: field.subject },
  { name: 'from', kind: field.from },
  { name: 'sender', kind: field.sender },
  { name: 'reply-to', kind: field.replyTo },
  { name: 'to', kind: field.to },
  { name: 'cc', kind: field.cc },
  { name: 'bcc', kind: field.bcc },
  { name: 'in-reply-to', kind: field.inReplyTo },
  { name: 'message-id', kind: field.messageId },
  { name: 'references', kind: field.references },
  { name: 'mime-version', kind: field.mimeVersion },
  { name: 'content-type', kind: field.contentType },
  { name: 'content-transfer-encoding', kind: field.contentEncoding },
  { name: 'content-id', kind: field.contentId },
  { name: 'content-description', kind: field.contentDescription },
  { name: 'content-disposition', kind: field.contentDisposition },
  { name: 'content-language', kind: field.contentLanguage },
  { name: 'content-location', kind: field.contentLocation },
  { name: 'content-md5', kind: field.contentMd5 },
]

/** Octets of the longest name. */
const MOST_NAME = 25

/** By length and first letter, the names that may be meant: most fields of a header are told apart by that alone. */
const byShape: KnownField[][] = Array.from({ length: (MOST_NAME + 1) * 32 }, () => [])
for (const entry of known) byShape[shapeOf(entry.name.length, entry.name.charCodeAt(0))]!.push(entry)

function shapeOf(length: number, first: number): number {
  return length * 32 + (first & 31)
}

const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
const COLON = 58

/**
 * Finds the fields in the text of a header, in one pass, and stops at those that facts are made of. As Dovecot reads it: a line
 * that is neither a field nor a continuation counts for nothing.
 */
export class FieldScan {
  /** What {@link next} stopped at; its body is octets [from, to) of the text, line ends of folds included. */
  kind: FieldKind = field.date
  from = 0
  to = 0
  /** Lines that begin no field, fields cut short at the budget. */
  strays = 0
  cuts = 0
  readonly #text: OctetString
  readonly #most: number
  #at = 0

  constructor(text: OctetString, most: number) {
    this.#text = text
    this.#most = most
  }

  /** Goes on to the next field of interest; false behind the last. */
  next(): boolean {
    const text = this.#text
    while (this.#at < text.length) {
      const start = this.#at
      const colon = this.#colon(start)
      const lineEnd = this.#lineEnd()
      const end = this.#at
      if (colon <= start) {
        if (!isLineEnd(text, start)) this.strays++
        continue
      }
      const kind = kindOf(text, start, colon)
      if (kind === undefined) continue
      this.kind = kind
      this.from = bodyStart(text, colon + 1, lineEnd)
      this.to = this.#withoutLineEnd(end)
      if (this.to - this.from > this.#most) {
        this.to = this.from + this.#most
        this.cuts++
      }
      return true
    }
    return false
  }

  /** The colon in the line at `start`, or -1. Leaves the scan there or at the line end. */
  #colon(start: number): number {
    const text = this.#text
    let at = start
    for (; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      if (unit <= COLON && (unit === COLON || unit === LF)) break
    }
    this.#at = at
    return at < text.length && text.charCodeAt(at) === COLON ? at : -1
  }

  /** Where the line ends that the scan is in, without its line end; leaves the scan behind the field, continuations included. */
  #lineEnd(): number {
    const text = this.#text
    let first = -1
    for (;;) {
      const feed = text.indexOf('\n', this.#at)
      this.#at = feed < 0 ? text.length : feed + 1
      if (first < 0) first = this.#withoutLineEnd(this.#at)
      const unit = feed < 0 ? 0 : text.charCodeAt(this.#at)
      if (unit !== SPACE && unit !== TAB) return first
    }
  }

  #withoutLineEnd(end: number): number {
    const text = this.#text
    if (end === 0 || text.charCodeAt(end - 1) !== LF) return end
    return end > 1 && text.charCodeAt(end - 2) === CR ? end - 2 : end - 1
  }
}

/** Whether the line at `start` is empty. */
function isLineEnd(text: string, start: number): boolean {
  const unit = text.charCodeAt(start)
  return unit === LF || (unit === CR && text.charCodeAt(start + 1) === LF)
}

/** Behind the blanks after the colon; of a first line of blanks only, one is passed. */
function bodyStart(text: string, from: number, lineEnd: number): number {
  let at = from
  while (at < lineEnd && isBlank(text.charCodeAt(at))) at++
  return at === lineEnd && lineEnd > from ? from + 1 : at
}

function kindOf(text: string, start: number, colon: number): FieldKind | undefined {
  let end = colon
  // Blanks before the colon: RFC 5322 §4.5.
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  const length = end - start
  if (length > MOST_NAME || length === 0) return undefined
  const candidates = byShape[shapeOf(length, text.charCodeAt(start))]!
  for (let index = 0; index < candidates.length; index++) {
    const { name, kind } = candidates[index]!
    let at = 0
    while (at < length && lower(text.charCodeAt(start + at)) === name.charCodeAt(at)) at++
    if (at === length) return kind
  }
  return undefined
}

function lower(unit: number): number {
  return unit >= 65 && unit <= 90 ? unit | 32 : unit
}

function isBlank(unit: number): boolean {
  return unit === SPACE || unit === TAB
}

/** A field body as IMAP sends it: folds undone (RFC 5322 §2.2.3), octets 0 replaced, nothing else changed. */
export function unfolded(text: OctetString, from: number, to: number): OctetString {
  const body = text.slice(from, to)
  if (!body.includes('\n') && !body.includes('\r') && !body.includes('\0')) return body
  let out = ''
  let kept = 0
  for (let at = 0; at < body.length; at++) {
    const unit = body.charCodeAt(at)
    if (unit === CR || unit === LF) {
      out += body.slice(kept, at)
      kept = at + 1
      // Lines that do not begin with a blank (a bare CR does not fold) must not grow together.
      const next = kept < body.length ? body.charCodeAt(kept) : SPACE
      if (!isBlank(next) && next !== CR && next !== LF) out += ' '
    } else if (unit === 0) {
      out += body.slice(kept, at) + NUL_REPLACEMENT
      kept = at + 1
    }
  }
  return out + body.slice(kept)
}

/** Text for people on one line: blanks and line ends in a row become one blank, those around the text go. */
export function oneLine(text: OctetString): OctetString {
  let plain = true
  let blank = true
  for (let at = 0; at < text.length && plain; at++) {
    const unit = text.charCodeAt(at)
    if (unit === SPACE) {
      plain = !blank
      blank = true
    } else {
      plain = unit > SPACE || (unit !== TAB && unit !== CR && unit !== LF)
      blank = false
    }
  }
  if (plain && !(blank && text !== '')) return text
  let out = ''
  let from = -1
  for (let at = 0; at <= text.length; at++) {
    const unit = at < text.length ? text.charCodeAt(at) : SPACE
    if (!isBlank(unit) && unit !== CR && unit !== LF) {
      if (from < 0) from = at
    } else if (from >= 0) {
      out += out === '' ? text.slice(from, at) : ` ${text.slice(from, at)}`
      from = -1
    }
  }
  return out
}
