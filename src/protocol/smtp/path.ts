import type { Address } from '../../message/address.ts'
import { asciiDomain } from '../../message/domain.ts'
import { copied, isAscii } from '../bytes/text.ts'
import { isLetterDigitHyphen, parseLiteral } from './literal.ts'

/** An address of an SMTP envelope: what it means, and what stood on the wire. */
export interface Path extends Address {
  /** What stood between the angle brackets, source route included. */
  readonly wire: string
}

/** What {@link parsePath} may let pass. */
export interface PathRules {
  /** Accept an address without brackets (S25) and a domain with a trailing dot (S24). */
  readonly lenient: boolean
  /** Accept `<postmaster>` without a domain (S21) and refuse `<>`: the rules of RCPT. */
  readonly recipient: boolean
}

/** A path and where it ends in the text, or why it is none. */
export type ParsedPath = { readonly path: Path | null; readonly end: number } | { readonly error: string }

/**
 * Octets of a local part and of a domain that are accepted. RFC 5321 §4.5.3.1 asks for 64 and 255 at least; VERP and SRS
 * need more.
 */
const MAX_LOCAL = 256
const MAX_DOMAIN = 255
const MAX_LABEL = 63
/** Octets between the brackets: an address and the little that anybody still writes of routes. */
const MAX_PATH = 600
/** Octets of a text that may be kept for the sake of an address in it. */
const LONG = 512

const SPACE = 32
const QUOTE = 34
const DOT = 46
const COLON = 58
const LESS = 60
const GREATER = 62
const AT = 64
const OPEN = 91
const BACKSLASH = 92
const CLOSE = 93

/** RFC 5322 atext, and every character above ASCII (RFC 6531 §3.3): whether those were allowed is for the caller to say. */
const ATEXT = new Uint8Array(128)
for (const unit of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~") {
  ATEXT[unit.charCodeAt(0)] = 1
}
const isAtext = (unit: number): boolean => unit > 127 || ATEXT[unit] === 1

/** Reads the path that begins at `from` (RFC 5321 §4.1.2): the argument of MAIL FROM: or RCPT TO:, without leading spaces. */
export function parsePath(text: string, from: number, rules: PathRules): ParsedPath {
  const bracketed = text.charCodeAt(from) === LESS
  if (!bracketed && !rules.lenient) return { error: 'the address must stand in angle brackets' }
  const start = bracketed ? from + 1 : from
  if (bracketed && text.charCodeAt(start) === GREATER) {
    return rules.recipient ? { error: 'a recipient cannot be empty' } : { path: null, end: start + 1 }
  }
  let at = start
  // Appendix C: a source route is accepted, kept in `wire` and otherwise ignored (S20).
  if (text.charCodeAt(at) === AT) at = skipRoute(text, at)
  if (at < 0) return { error: 'the source route is malformed' }
  const local = parseLocal(text, at)
  if (!local) return { error: 'the local part is malformed' }
  at = local.end
  if (text.charCodeAt(at) !== AT) {
    const closes = bracketed ? text.charCodeAt(at) === GREATER : at === text.length || text.charCodeAt(at) === SPACE
    if (closes && rules.recipient && local.value.toLowerCase() === 'postmaster') {
      return { path: { local: local.value, domain: '', wire: text.slice(start, at) }, end: bracketed ? at + 1 : at }
    }
    return { error: 'the address has no domain' }
  }
  const end = domainEnd(text, at + 1)
  const closed = bracketed ? text.charCodeAt(end) === GREATER : end === text.length || text.charCodeAt(end) === SPACE
  if (!closed) return { error: bracketed ? 'the closing angle bracket is missing' : 'the domain is malformed' }
  let domain = text.slice(at + 1, end)
  if (rules.lenient && domain.length > 1 && domain.endsWith('.')) domain = domain.slice(0, -1)
  // A name in other letters is said in ASCII to most servers, and looked up so.
  const isNamed = isDomain(domain) && (isAscii(domain) || isDomain(asciiDomain(domain)))
  if (!isNamed) return { error: 'the domain is malformed' }
  if (end - start > MAX_PATH) return { error: 'it is too long' }
  const path = { local: local.value, domain, wire: text.slice(start, end) }
  return { path: text.length > LONG ? detached(path) : path, end: bracketed ? end + 1 : end }
}

/** A piece of a string holds on to the whole: a thousand recipients would keep a thousand lines of parameters. */
function detached({ local, domain, wire }: Path): Path {
  return { local: copied(local), domain: copied(domain), wire: copied(wire) }
}

/** Behind `@one,@two:`, or -1. */
function skipRoute(text: string, from: number): number {
  let at = from
  for (;;) {
    if (text.charCodeAt(at) !== AT) return -1
    const end = domainEnd(text, at + 1)
    if (!isDomain(text.slice(at + 1, end))) return -1
    const next = text.charCodeAt(end)
    if (next === COLON) return end + 1
    if (next !== 44) return -1
    at = end + 1
  }
}

/** A dot-string or quoted string: its value, unquoted (S22), and its end. */
function parseLocal(text: string, from: number): { value: string; end: number } | undefined {
  if (text.charCodeAt(from) === QUOTE) return parseQuoted(text, from)
  let at = from
  let afterDot = true
  for (; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (isAtext(unit)) afterDot = false
    else if (unit === DOT && !afterDot) afterDot = true
    else break
  }
  return afterDot || at - from > MAX_LOCAL ? undefined : { value: text.slice(from, at), end: at }
}

function parseQuoted(text: string, from: number): { value: string; end: number } | undefined {
  let value = ''
  for (let at = from + 1; at < text.length; at++) {
    let unit = text.charCodeAt(at)
    if (unit === QUOTE) return value.length > MAX_LOCAL ? undefined : { value, end: at + 1 }
    if (unit === BACKSLASH) unit = text.charCodeAt(++at)
    // qtextSMTP and quoted-pairSMTP: printable and space, no control characters.
    if (!(unit >= SPACE && unit !== 127)) return undefined
    value += text.charAt(at)
  }
  return undefined
}

function domainEnd(text: string, from: number): number {
  let at = from
  if (text.charCodeAt(at) === OPEN) {
    while (at < text.length && text.charCodeAt(at) !== CLOSE && text.charCodeAt(at) !== GREATER) at++
    return text.charCodeAt(at) === CLOSE ? at + 1 : at
  }
  for (; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (!(isLetterDigitHyphen(unit) || unit === DOT || unit === 95 || unit > 127)) break
  }
  return at
}

/** Whether this is a domain or an address literal as an envelope may name it. Underscores are common in the wild and accepted. */
export function isDomain(domain: string): boolean {
  if (domain.length === 0 || domain.length > MAX_DOMAIN) return false
  if (domain.charCodeAt(0) === OPEN) return parseLiteral(domain) !== undefined
  let label = 0
  let last = DOT
  for (let at = 0; at < domain.length; at++) {
    const unit = domain.charCodeAt(at)
    if (unit === DOT) {
      if (label === 0 || last === 45) return false
      label = 0
    } else {
      if (!(isLetterDigitHyphen(unit) || unit === 95 || unit > 127)) return false
      if ((label === 0 && unit === 45) || ++label > MAX_LABEL) return false
    }
    last = unit
  }
  return label > 0 && last !== 45
}

/** Whether the local part can stand without quotes. */
function isDotString(local: string): boolean {
  let afterDot = true
  for (let at = 0; at < local.length; at++) {
    const unit = local.charCodeAt(at)
    if (isAtext(unit)) afterDot = false
    else if (unit === DOT && !afterDot) afterDot = true
    else return false
  }
  return !afterDot
}

/** The address in angle brackets, quoted where it must be; `<>` for the null sender. The inverse of `parsePath`. */
export function encodePath(address: Address | null): string {
  return address === null ? '<>' : `<${encodeMailbox(address)}>`
}

/** `local@domain`, quoted where it must be. */
export function encodeMailbox(address: Address): string {
  const local = isDotString(address.local) ? address.local : `"${escapeQuoted(address.local)}"`
  return address.domain === '' ? local : `${local}@${address.domain}`
}

function escapeQuoted(text: string): string {
  let out = ''
  for (const character of text) out += character === '"' || character === '\\' ? `\\${character}` : character
  return out
}
