import { isAscii } from '../protocol/bytes/text.ts'
import type { Address } from './address.ts'
import { parseAddressList } from './addresses.ts'
import { type DateTime, formatDate, parseDate } from './date.ts'
import { FieldLexer } from './field-lexer.ts'
import { formatAddress } from './format-address.ts'
import { formatComment, formatField } from './format-field.ts'
import { isAtext, isBlank } from './lexemes.ts'

/** How a message came in, for the `with` clause. */
export interface Transmission {
  readonly protocol: 'smtp' | 'esmtp' | 'lmtp'
  readonly tls?: boolean
  readonly authenticated?: boolean
  /** The client asked for SMTPUTF8. */
  readonly utf8?: boolean
}

/** The registered name: `ESMTPSA`, `UTF8SMTPS`, `LMTP` (RFC 3848, RFC 6531 §4.3). Plain SMTP has no variants. */
export function transmissionType({ protocol, tls, authenticated, utf8 }: Transmission): string {
  if (protocol === 'smtp') return 'SMTP'
  const base = utf8 ? (protocol === 'lmtp' ? 'UTF8LMTP' : 'UTF8SMTP') : protocol.toUpperCase()
  return `${base}${tls ? 'S' : ''}${authenticated ? 'A' : ''}`
}

/** What a server stamps on a message (RFC 5321 §4.4). */
export interface ReceivedStamp extends Transmission {
  /** What the client called itself in EHLO, HELO or LHLO: anything. */
  readonly helo: string
  /** The client's name by reverse look-up. */
  readonly reverseName?: string
  /** The client's address as plain text: `192.0.2.1`, `2001:db8::1`. */
  readonly address?: string
  /** This server's name. */
  readonly by: string
  /** Names the transaction in this server's log. */
  readonly id: string
  /** The recipient; only where there is just one, so that blind copies stay blind. */
  readonly recipient?: Address
  /** The registered link type, where it is not TCP (RFC 5321 §4.4). */
  readonly via?: string
  /** `TLSv1.3` and the suite's name; told in a comment. */
  readonly cipher?: { readonly protocol: string; readonly cipher: string }
  /** Milliseconds since the Unix epoch. */
  readonly epochMs: number
  readonly zoneMinutes?: number
}

/**
 * The Received field of a server that takes a message, folded and ended by CRLF, to be put on top of it. It has the form of RFC
 * 5321 §4.4 whatever the client said: what cannot stand in a domain, an atom or a comment is replaced by `?`.
 */
export function formatReceived(stamp: ReceivedStamp): string {
  const utf8 = stamp.utf8 === true && stamp.protocol !== 'smtp'
  const literal = stamp.address === undefined ? '' : addressLiteral(stamp.address)
  const reverse = stamp.reverseName ? domainText(stamp.reverseName, utf8) : ''
  const info = [reverse, literal].filter((part) => part !== '').join(' ')
  const phrases = [`from ${domainText(stamp.helo, utf8)}${info === '' ? '' : ` (${info})`}`]
  if (stamp.cipher) phrases.push(formatComment(`${stamp.cipher.protocol} ${stamp.cipher.cipher}`))
  const via = stamp.via ? ` via ${atomText(stamp.via)}` : ''
  phrases.push(`by ${domainText(stamp.by, utf8)}${via} with ${transmissionType(stamp)} id ${atomText(stamp.id)}`)
  const recipient = stamp.recipient && formatAddress(stamp.recipient)
  // RFC 6531 §3.7.3: only a message that asked for SMTPUTF8 can have more than ASCII here.
  if (recipient && (utf8 || isAscii(recipient))) phrases.push(`for <${recipient}>`)
  phrases.push(formatDate(stamp.epochMs, stamp.zoneMinutes))
  phrases[phrases.length - 2] += ';'
  return formatField('Received', phrases)
}

function addressLiteral(address: string): string {
  const text = mended(address, (unit) => isHostUnit(unit) || unit === 58)
  return text.includes(':') ? `[IPv6:${text}]` : `[${text}]`
}

/** RFC 5321 §4.1.2 has 255 octets for a domain. */
const MOST_DOMAIN = 255

function domainText(text: string, utf8: boolean): string {
  const isLiteral = text.startsWith('[') && text.endsWith(']')
  const name = (isLiteral ? text.slice(1, -1) : text).slice(0, MOST_DOMAIN)
  const out = mended(name, (unit) => isHostUnit(unit) || (isLiteral && unit === 58) || (utf8 && unit > 0x9f))
  if (out === '') return 'unknown'
  return isLiteral ? `[${out}]` : out
}

function atomText(text: string): string {
  return mended(text, (unit) => unit < 127 && (isAtext(unit) || unit === 46)) || '?'
}

/** Letters, digits, dots, hyphens, underscores. */
function isHostUnit(unit: number): boolean {
  const letter = unit | 0x20
  return (letter >= 0x61 && letter <= 0x7a) || (unit >= 0x30 && unit <= 0x39) || unit === 0x2e || unit === 0x2d || unit === 0x5f
}

/** The text with `?` for every unit that may not stand in it. */
function mended(text: string, mayStand: (unit: number) => boolean): string {
  let at = 0
  while (at < text.length && mayStand(text.charCodeAt(at))) at++
  if (at === text.length) return text
  let out = text.slice(0, at)
  for (; at < text.length; at++) out += mayStand(text.charCodeAt(at)) ? text[at]! : '?'
  return out
}

/** What a Received field tells; clauses that it lacks are absent. */
export interface Received {
  readonly from?: string
  /** The client's address, out of the brackets behind `from`; plain text. */
  readonly address?: string
  readonly by?: string
  readonly via?: string
  /** As it is written; registered names are upper case. */
  readonly with?: string
  readonly id?: string
  readonly for?: Address
  readonly date?: DateTime
}

type Clause = 'from' | 'by' | 'via' | 'with' | 'id' | 'for'
const CLAUSES: ReadonlySet<string> = new Set<Clause>(['from', 'by', 'via', 'with', 'id', 'for'])

const QUOTE = 34
const OPEN = 40
const SEMICOLON = 59

/**
 * Reads a Received field as written by anyone (RFC 5321 §4.4 at best): enough to follow a message's way and to count hops. Total,
 * linear time. What the clauses say is a claim of whoever wrote the field.
 */
export function parseReceived(value: string): Received {
  const lexer = new FieldLexer(value)
  const clauses = new Map<Clause, string[]>()
  let words: string[] | undefined
  let address: string | undefined
  let dateFrom = -1
  while (!lexer.done) {
    if (isBlank(lexer.peek())) lexer.at++
    else if (lexer.peek() === SEMICOLON) dateFrom = ++lexer.at
    else if (lexer.peek() === OPEN) {
      const comment = lexer.comment()
      if (comment === undefined) lexer.at++
      else if (words && words === clauses.get('from')) address = literalIn(comment) ?? address
    } else {
      const word = readWord(lexer)
      const name = word.toLowerCase() as Clause
      if (dateFrom >= 0) continue
      if (!CLAUSES.has(name) || clauses.has(name)) words?.push(word)
      else clauses.set(name, (words = name === 'from' ? helloWord(lexer) : []))
    }
  }
  return assembled(clauses, address, dateFrom < 0 ? undefined : parseDate(value.slice(dateFrom)))
}

/**
 * Behind `from`: what the client called itself, where that is a word that begins a clause. It may call itself anything; a name
 * it is where a comment or a clause follows, as in `from by (unknown [192.0.2.1]) by mx.example.org`.
 */
function helloWord(lexer: FieldLexer): string[] {
  const from = lexer.at
  const word = nextWord(lexer)
  const behind = lexer.at
  if (CLAUSES.has(word.toLowerCase())) {
    const next = nextWord(lexer)
    if (CLAUSES.has(next.toLowerCase()) || (next === '' && lexer.peek() === OPEN)) {
      lexer.at = behind
      return [word]
    }
  }
  lexer.at = from
  return []
}

function nextWord(lexer: FieldLexer): string {
  while (isBlank(lexer.peek())) lexer.at++
  return readWord(lexer)
}

/** A quoted string as it is written, or what stands before the next blank, comment or semicolon. */
function readWord(lexer: FieldLexer): string {
  const from = lexer.at
  if (lexer.peek() === QUOTE) lexer.quoted()
  else lexer.run(endsWord)
  return lexer.text.slice(from, lexer.at)
}

function endsWord(unit: number): boolean {
  return isBlank(unit) || unit === OPEN || unit === SEMICOLON || unit === QUOTE
}

/** The last address literal of the text, as plain text. */
function literalIn(text: string): string | undefined {
  const open = text.lastIndexOf('[')
  const close = text.indexOf(']', open)
  if (open < 0 || close < 0) return undefined
  const inside = text.slice(open + 1, close)
  return /^ipv6:/i.test(inside) ? inside.slice(5) : inside
}

function assembled(clauses: ReadonlyMap<Clause, string[]>, address: string | undefined, date: DateTime | undefined): Received {
  const found: { -readonly [Key in keyof Received]: Received[Key] } = {}
  const textOf = (name: Clause): string => (clauses.get(name) ?? []).join(' ')
  for (const name of ['from', 'by', 'via', 'with', 'id'] as const) {
    const text = textOf(name)
    if (text !== '') found[name] = text
  }
  const client = address ?? literalIn(textOf('from'))
  if (client !== undefined) found.address = client
  const recipient = parseAddressList(textOf('for'), 1)[0]
  if (recipient && 'address' in recipient) found.for = recipient.address
  if (date) found.date = date
  return found
}
