import { hasControl } from '../protocol/bytes/text.ts'
import type { Address } from './address.ts'
import { decodeEncodedWords } from './encoded-words.ts'
import { commentEnd, isBlank, quotedEnd, trimBlanks, unescaped } from './lexemes.ts'

/** One entry of an address list. */
export interface AddressItem {
  /**
   * The display name, decoded; from a comment where there is no other (`joe@example.com (Joe)`); empty where there is none at
   * all.
   */
  readonly name: string
  /** Absent where the entry has none that makes sense: a name alone, empty brackets, a domain of impossible characters. */
  readonly address?: Address
  /** The entry as it stood in the field. */
  readonly raw: string
  /** The name of the group that the entry is a member of. */
  readonly group?: string
}

/** A named group (RFC 5322 §3.4); `undisclosed-recipients:;` has no members. */
export interface AddressGroup {
  readonly name: string
  readonly members: readonly AddressItem[]
  readonly raw: string
}

/** Entries that {@link parseAddressList} reads; what follows is left out. */
export const MOST_ADDRESSES = 10_000

/**
 * Reads an address list (RFC 5322 §3.4), its obsolete forms (§4.4: routes, blanks and comments anywhere, empty entries) and what
 * mail has instead (RFC 7103 §7.1: brackets, quotes and parentheses without their partner, missing commas, `;` for `,`). Total:
 * never throws, linear time, no recursion. `value` is a field's value: {@link HeaderField.value}.
 *
 * Structure first, meaning second: an address is never read out of a quoted string, a comment or an encoded word, and where
 * there are brackets it is never read from outside of them.
 */
export function parseAddressList(value: string, most = MOST_ADDRESSES): (AddressItem | AddressGroup)[] {
  return new ListReader(value, most).read()
}

/** The entries of a list in order, members of groups included. */
export function flattenAddresses(list: readonly (AddressItem | AddressGroup)[]): AddressItem[] {
  return list.flatMap((entry) => ('members' in entry ? entry.members : [entry]))
}

interface Token {
  /** Quoted strings come unescaped. */
  readonly text: string
  readonly quoted: boolean
  /** Blanks or a comment stand before it. */
  readonly apart: boolean
  readonly from: number
  readonly to: number
}

const QUOTE = 34
const OPEN = 40
const COMMA = 44
const COLON = 58
const SEMICOLON = 59
const LESS = 60
const EQUALS = 61
const GREATER = 62
const MARK = 63
const AT = 64
const BRACKET = 91

/** What ends a run of ordinary characters. */
const DELIMITERS = new Set([QUOTE, OPEN, COMMA, COLON, SEMICOLON, LESS, GREATER, AT])

class ListReader {
  readonly #text: string
  readonly #most: number
  readonly #list: (AddressItem | AddressGroup)[] = []
  #count = 0
  #at = 0
  #apart = false
  /** Partners that the rest of the text lacks; not looked for again. */
  #quotes = true
  #comments = true
  /** The entry at hand: where it began, what stands before, between and behind its brackets. */
  #from = 0
  #before: Token[] = []
  #angle: Token[] | undefined
  #behind: Token[] = []
  #remarks: string[] = []
  #group: { readonly name: string; readonly from: number; readonly members: AddressItem[] } | undefined

  constructor(text: string, most: number) {
    this.#text = text
    this.#most = most
  }

  read(): (AddressItem | AddressGroup)[] {
    while (this.#at < this.#text.length && this.#count < this.#most) this.#step()
    this.#finish()
    this.#endGroup()
    return this.#list
  }

  #step(): void {
    switch (this.#text.charCodeAt(this.#at)) {
      case COMMA:
        this.#finish()
        this.#at++
        break
      case SEMICOLON:
        this.#finish()
        this.#at++
        this.#endGroup()
        break
      case COLON:
        this.#colon()
        break
      case LESS:
        this.#brackets()
        break
      case GREATER:
        this.#at++
        this.#apart = true
        break
      default:
        this.#token(this.#angle ? this.#behind : this.#before)
    }
  }

  /** The name of a group ends here, or `mailto`, or it is a character like any other. */
  #colon(): void {
    const words = this.#before
    if (words.length === 0 || this.#angle || words.some(isAtSign)) return this.#token(this.#angle ? this.#behind : words)
    const at = this.#at++
    if (words.length === 1 && isMailto(words[0]!)) {
      this.#before = []
      return
    }
    this.#endGroup(this.#from)
    this.#group = { name: phrase(words), from: words[0]!.from, members: [] }
    this.#before = []
    this.#remarks = []
    this.#from = at + 1
  }

  /** `<…>`, and what goes for it: `<<…>>`, `<…` up to the next comma. */
  #brackets(): void {
    if (this.#angle) {
      // A comma is missing: what stood behind the first brackets names the second.
      const words = this.#behind
      const end = words[0]?.from ?? this.#at
      this.#behind = []
      this.#finish(end)
      this.#before = words
      this.#from = end
    }
    const text = this.#text
    while (this.#at < text.length && (text.charCodeAt(this.#at) === LESS || isBlank(text.charCodeAt(this.#at)))) this.#at++
    const inside: Token[] = []
    this.#angle = inside
    let route = false
    while (this.#at < text.length) {
      const unit = text.charCodeAt(this.#at)
      if (unit === GREATER || unit === LESS || unit === SEMICOLON) break
      if (unit === COMMA && !route) break
      this.#token(inside)
      if (inside.length === 1 && isAtSign(inside[0]!)) route = true
      if (unit === COLON) route = false
    }
    if (text.charCodeAt(this.#at) === GREATER) this.#at++
    this.#apart = true
  }

  /** Takes blanks, a comment, or one token, which goes to `tokens`. */
  #token(tokens: Token[]): void {
    const text = this.#text
    const from = this.#at
    const unit = text.charCodeAt(from)
    if (isBlank(unit)) {
      this.#at++
      this.#apart = true
    } else if (unit === OPEN) this.#comment()
    else if (unit === QUOTE) {
      const end = this.#quotes ? quotedEnd(text, from) : -1
      this.#quotes = end >= 0
      // An opening quote alone counts for nothing (RFC 7103 §7.1.6).
      if (end < 0) this.#at++
      else this.#push(tokens, end, unescaped(text, from + 1, end - 1), true)
    } else if (DELIMITERS.has(unit)) this.#push(tokens, from + 1, text[from]!, false)
    else {
      const end = this.#wordEnd(from, tokens)
      this.#push(tokens, end, text.slice(from, end), false)
    }
  }

  #comment(): void {
    const from = this.#at
    const end = this.#comments ? commentEnd(this.#text, from) : -1
    this.#comments = end >= 0
    this.#apart = true
    // Without its partner the parenthesis is a blank, so that the address behind it is found (RFC 7103 §7.1.4).
    this.#at = end < 0 ? from + 1 : end
    if (end >= 0) this.#remarks.push(trimBlanks(unescaped(this.#text, from + 1, end - 1)))
  }

  #push(tokens: Token[], end: number, text: string, isQuoted: boolean): void {
    tokens.push({ text, quoted: isQuoted, apart: this.#apart, from: this.#at, to: end })
    this.#at = end
    this.#apart = false
  }

  /** The end of an address literal, of an encoded word (whatever delimiters its sender left in it), or of a run of characters. */
  #wordEnd(from: number, tokens: readonly Token[]): number {
    const text = this.#text
    const last = tokens.at(-1)
    if (text.charCodeAt(from) === BRACKET && last && isAtSign(last)) {
      const end = literalEnd(text, from)
      if (end > 0) return end
    }
    let at = from
    while (at < text.length) {
      const unit = text.charCodeAt(at)
      if (isBlank(unit) || DELIMITERS.has(unit)) break
      const end = unit === EQUALS ? encodedWordEnd(text, at) : -1
      at = end < 0 ? at + 1 : end
    }
    return at
  }

  #finish(end = this.#at): void {
    const raw = trimBlanks(this.#text.slice(this.#from, end))
    const entries = this.#angle ? [this.#bracketed(this.#angle, raw)] : this.#bare(raw)
    const group = this.#group
    for (const entry of entries.slice(0, this.#most - this.#count)) {
      this.#count++
      if (group) group.members.push({ ...entry, group: group.name })
      else this.#list.push(entry)
    }
    this.#before = []
    this.#angle = undefined
    this.#behind = []
    this.#remarks = []
    this.#apart = false
    this.#from = this.#at + 1
  }

  #endGroup(end = this.#at): void {
    const group = this.#group
    if (!group) return
    this.#count++
    this.#list.push({ name: group.name, members: group.members, raw: trimBlanks(this.#text.slice(group.from, end)) })
    this.#group = undefined
  }

  #bracketed(angle: readonly Token[], raw: string): AddressItem {
    const address = addressOf(angle)
    const name = phrase(this.#before) || phrase(this.#behind) || this.#remark()
    return address ? { name, address, raw } : { name: name || phrase(angle), raw }
  }

  /** Words without brackets: an address among them, or several that lack their commas, or none. */
  #bare(raw: string): AddressItem[] {
    const words: Token[] = []
    const found: AddressItem[] = []
    for (const cluster of clusters(this.#before)) {
      const address = cluster.some(isAtSign) ? addressOf(cluster) : undefined
      if (!address) for (const token of cluster) words.push(token)
      else found.push({ name: '', address, raw: this.#text.slice(cluster[0]!.from, cluster.at(-1)!.to) })
    }
    if (found.length > 1) return found
    const name = phrase(words)
    const address = found[0]?.address
    if (address) return [{ name: name || this.#remark(), address, raw }]
    return name === '' ? [] : [{ name, raw }]
  }

  #remark(): string {
    return this.#remarks.length === 0 ? '' : decodeEncodedWords(this.#remarks.join(' '))
  }
}

function isAtSign(token: Token): boolean {
  return token.text === '@' && !token.quoted
}

function isMailto(token: Token): boolean {
  return !token.quoted && token.text.toLowerCase() === 'mailto'
}

/** Tokens as a display name. */
function phrase(tokens: readonly Token[]): string {
  let text = ''
  for (const token of tokens) text += text !== '' && token.apart ? ` ${token.text}` : token.text
  return decodeEncodedWords(text)
}

/** Cuts tokens where blanks part them, but not around `@` and dots, where blanks mean nothing (RFC 5322 §4.4). */
function clusters(tokens: readonly Token[]): Token[][] {
  const found: Token[][] = []
  for (const token of tokens) {
    const cluster = found.at(-1)
    if (cluster && isJoined(cluster.at(-1)!, token)) cluster.push(token)
    else found.push([token])
  }
  return found
}

function isJoined(left: Token, right: Token): boolean {
  if (!right.apart || isAtSign(left) || isAtSign(right)) return true
  return (!left.quoted && left.text.endsWith('.')) || (!right.quoted && right.text.startsWith('.'))
}

/** What stands between brackets, or would if there were any. */
function addressOf(tokens: readonly Token[]): Address | undefined {
  let from = 0
  const first = tokens[0]
  const colon = tokens.findIndex((token) => token.text === ':' && !token.quoted)
  // A source route is accepted and ignored (RFC 5322 §4.4).
  if (first && isAtSign(first)) from = colon < 0 ? tokens.length : colon + 1
  else if (first && isMailto(first) && colon === 1) from = 2
  let sign = tokens.length - 1
  while (sign > from && !isAtSign(tokens[sign]!)) sign--
  if (sign <= from) return undefined
  let local = ''
  for (let at = from; at < sign; at++) {
    const token = tokens[at]!
    local += at > from && token.apart && !isJoined(tokens[at - 1]!, token) ? ` ${token.text}` : token.text
  }
  let domain = domainText(tokens, sign + 1)
  if (domain === undefined || hasControl(local)) return undefined
  // 'joe@example.com', as some clients quote.
  if (local.startsWith("'") && domain.endsWith("'")) {
    local = local.slice(1)
    domain = domain.slice(0, -1)
  }
  if (domain.endsWith('.')) domain = domain.slice(0, -1)
  return isDomain(domain) ? { local, domain } : undefined
}

function domainText(tokens: readonly Token[], from: number): string | undefined {
  let domain = ''
  for (let at = from; at < tokens.length; at++) {
    const token = tokens[at]!
    if (token.quoted || (at > from && !isJoined(tokens[at - 1]!, token))) return undefined
    domain += token.text
  }
  return domain
}

/** An address literal, or labels of letters, digits, hyphens and (as hosts have them) underscores, or above 127. */
function isDomain(domain: string): boolean {
  if (domain.charCodeAt(0) === BRACKET) return literalEnd(domain, 0) === domain.length && !hasControl(domain)
  let label = 0
  for (let at = 0; at < domain.length; at++) {
    const unit = domain.charCodeAt(at)
    if (unit === 46) {
      if (label === 0) return false
      label = 0
      continue
    }
    const isLetter = (unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a
    if (!isLetter && !(unit >= 0x30 && unit <= 0x39) && unit !== 0x2d && unit !== 0x5f && unit < 128) return false
    label++
  }
  return label > 0
}

/** At `[`: behind the `]` of an address literal (RFC 5322 §3.4.1), or -1. */
function literalEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === 93) return at + 1
    if (unit <= 32 || unit === BRACKET || unit === LESS || unit === GREATER || unit === COMMA) return -1
  }
  return -1
}

/** At `=`: behind the encoded word that stands here (RFC 2047 §2), or -1. Its text may hold what it must not, but brackets. */
function encodedWordEnd(text: string, from: number): number {
  if (text.charCodeAt(from + 1) !== MARK) return -1
  let at = from + 2
  for (let marks = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === MARK) {
      if (++marks === 3) return text.charCodeAt(at + 1) === EQUALS ? at + 2 : -1
    } else if (isBlank(unit) || unit === LESS || unit === GREATER || (marks < 2 && DELIMITERS.has(unit))) return -1
  }
  return -1
}
