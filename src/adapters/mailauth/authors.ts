import { asciiDomain } from '../../message/domain.ts'
import type { HeaderBlock, HeaderField } from '../../message/headers.ts'
import { commentEnd, isBlank, quotedEnd } from '../../message/lexemes.ts'
import { decodeUtf8, octetString } from '../../protocol/bytes/text.ts'

/** From fields that are looked at, octets of one, and domains in all of them. */
const MOST_FIELDS = 10
const MOST_OCTETS = 16 * 1024
const MOST_DOMAINS = 5
/** Octets of a domain (RFC 1035 §2.3.4, without what only the wire has). */
const MOST_NAME = 253

/** For whom a message says it speaks. */
export interface Authors {
  /** Every domain that some program could take for the author's, in A-labels; of too many the first ones. */
  readonly domains: readonly string[]
  /** Why it cannot be told who it is. Otherwise there is exactly one domain. */
  readonly why: string | undefined
  /** There are more domains than are told, or there may be. */
  readonly tooMany: boolean
}

/**
 * The domain of those who wrote a message. It is the domain that DMARC speaks for (RFC 7489 §3.1) only where nobody could read
 * another: one From field, not a group, all addresses of one domain, and none of the ways to write it by which programs come
 * to see different addresses. `isWhole`: `header` has all fields that there are.
 */
export function authorsOf(header: HeaderBlock, isWhole: boolean): Authors {
  const fields = header.all('from')
  const found = new Domains()
  let why: string | undefined
  for (const field of fields.slice(0, MOST_FIELDS)) why = new FromReader(field, found).read() ?? why
  if (fields.length !== 1) why = fields.length === 0 ? 'there is no From field' : 'there are several From fields'
  else if (countFromLines(header.raw) !== 1) why ??= 'some programs see another From field'
  if (!isWhole) why = 'the header is too long'
  else if (header.oddities.includes('nul')) why ??= 'the header has NUL in it'
  if (found.names.size > 1) why ??= 'the From field has addresses of several domains'
  if (found.names.size === 0) why ??= 'the From field has no address'
  // What is behind the end of what was looked at may be anybody's.
  const isCut = !isWhole || fields.length > MOST_FIELDS || fields.some(({ raw }) => raw.length > MOST_OCTETS)
  return { domains: [...found.names], why, tooMany: found.tooMany || isCut }
}

/** Domains as they are met. */
class Domains {
  readonly names = new Set<string>()
  tooMany = false

  /** `false`: it is none, or not the same to everybody; what it could be is looked at all the same. */
  add(text: string): boolean {
    const seen = seenOf(text)
    const isSound = this.#take(seen)
    if (!isSound) this.#take(tailOf(asciiDomain(seen)))
    if (seen === text) return isSound
    this.#take(text)
    return false
  }

  #take(text: string): boolean {
    const domain = asciiDomain(text)
    if (domain === '' || domain.length > MOST_NAME || !isDomain(domain)) return false
    if (this.names.size < MOST_DOMAINS || this.names.has(domain)) this.names.add(domain)
    else this.tooMany = true
    return true
  }
}

/** Goes through the value of a From field once, and notes what stands behind each `@`. */
class FromReader {
  readonly #text: string
  readonly #found: Domains
  #at = 0
  #why: string | undefined
  /** Nothing that was opened so far is without an end: looked for once, that is not looked for again. */
  #hasEnds = true

  constructor(field: HeaderField, found: Domains) {
    const raw = field.raw.subarray(0, MOST_OCTETS)
    this.#text = decodeUtf8(raw) ?? octetString(raw)
    this.#found = found
    if (field.raw.length > MOST_OCTETS) this.#why = 'the From field is too long'
  }

  /** What is wrong with it. */
  read(): string | undefined {
    const text = this.#text
    /** What there is of the address at hand, quotes and comments taken off, up to where the word at hand began. */
    let local = ''
    let word = 0
    while (this.#at < text.length) {
      const unit = text.charCodeAt(this.#at)
      const sign = text[this.#at]!
      if (sign === '"') {
        const from = this.#at
        this.#pass(this.#hasEnds ? quotedEnd(text, from) : -1)
        local += text.slice(word, from) + text.slice(from + 1, this.#at - 1)
        word = this.#at
      } else if (sign === '(') {
        local += text.slice(word, this.#at)
        this.#pass(this.#hasEnds ? commentEnd(text, this.#at) : -1)
        word = this.#at
      } else if (sign === '@') {
        // Programs that know no quotes see another address in these, and those that decode encoded words anywhere another.
        if (/["<>@,]|=\?/.test(local + text.slice(word, this.#at))) this.#doubt('the From field has an address in an address')
        this.#at++
        this.#domain()
        word = this.#at
        local = ''
      } else {
        if (sign === ':' || sign === ';') this.#doubt('the From field is a group')
        else if (sign === '\\' || isControl(unit)) this.#doubt('the From field has signs in it that mean nothing there')
        if (',<>:;'.includes(sign)) {
          word = this.#at + 1
          local = ''
        }
        this.#at++
      }
    }
    return this.#why
  }

  /** Behind the `@`. */
  #domain(): void {
    const text = this.#text
    this.#skip()
    const from = this.#at
    if (text[from] === '[') {
      const end = text.indexOf(']', from)
      this.#at = end < 0 ? text.length : end + 1
    } else while (this.#at < text.length && isDomainUnit(text, this.#at)) this.#at++
    const domain = text.slice(from, this.#at)
    if (!this.#found.add(domain)) this.#doubt('the From field has an address without a domain')
    this.#skip()
    // What goes on here is the rest of the name to some, and another word to others.
    if (this.#goesOn(domain)) this.#join(domain)
    else if (text[this.#at] !== '@') return
    this.#doubt('the From field has a domain in pieces')
  }

  /** RFC 5322 §4.4 lets blanks and comments stand around the dots of a domain: to whoever goes by it, the pieces are one. */
  #join(first: string): void {
    const text = this.#text
    let joined = first
    while (joined.length <= MOST_NAME && this.#goesOn(joined)) {
      // Others pass over what means nothing.
      while (isOdd(text, this.#at)) this.#at++
      const from = this.#at
      while (this.#at < text.length && isDomainUnit(text, this.#at)) this.#at++
      if (this.#at === from) break
      joined += text.slice(from, this.#at)
      this.#skip()
    }
    this.#found.add(joined)
  }

  #goesOn(domain: string): boolean {
    return domain.endsWith('.') || this.#text[this.#at] === '.' || isOdd(this.#text, this.#at)
  }

  /** Passes blanks and comments. */
  #skip(): void {
    for (;;) {
      while (this.#at < this.#text.length && isBlank(this.#text.charCodeAt(this.#at))) this.#at++
      if (this.#text[this.#at] !== '(' || !this.#hasEnds) return
      this.#pass(commentEnd(this.#text, this.#at))
    }
  }

  /** Goes to the end of what was opened; where it has none, behind all, and nothing is known of what stands there. */
  #pass(end: number): void {
    if (end < 0) {
      this.#hasEnds = false
      this.#doubt('the From field has a quote or comment without end')
    }
    this.#at = end < 0 ? this.#at + 1 : end
  }

  #doubt(why: string): void {
    this.#why ??= why
  }
}

/** A domain without what nobody sees, and without dots that have nothing between them. */
const seenOf = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]+/gu, '').replace(/\.{2,}/g, '.').replace(/^\./, '')

/** As many labels at the end of what is no domain as make one: whoever shows the whole shows those. */
function tailOf(name: string): string {
  let tail = name.slice(-MOST_NAME)
  while (tail !== '' && !isDomain(tail)) tail = tail.includes('.') ? tail.slice(tail.indexOf('.') + 1) : ''
  return tail.includes('.') ? tail : ''
}

/** Signs that mean nothing in a domain. */
const isOdd = (text: string, at: number): boolean =>
  at < text.length && (text[at] === '\\' || isControl(text.charCodeAt(at)))

const isControl = (unit: number): boolean => unit === 127 || (unit < 32 && !isBlank(unit))

function isDomainUnit(text: string, at: number): boolean {
  const unit = text.charCodeAt(at)
  return unit > 32 && unit !== 127 && !'()<>[]:;@\\,"'.includes(text[at]!)
}

/** An address literal, or labels of letters, digits, hyphens and underscores. */
function isDomain(name: string): boolean {
  if (name.startsWith('[')) return name.endsWith(']')
  return name.split('.').every((label) => /^[a-z0-9_-]{1,63}$/.test(label))
}

const CR = 13
const LF = 10

/** Lines that are a From field to anybody: behind a CR alone too, with blanks, line ends or odd octets before the colon. */
function countFromLines(header: Uint8Array): number {
  let count = 0
  let begins = true
  for (let at = 0; at < header.length; at++) {
    const octet = header[at]!
    if (begins && (octet | 0x20) === 0x66 && isFromLine(header, at)) count++
    begins = octet === CR || octet === LF
  }
  return count
}

function isFromLine(header: Uint8Array, from: number): boolean {
  for (let at = 0; at < 4; at++) if ((header[from + at]! | 0x20) !== 'from'.charCodeAt(at)) return false
  let at = from + 4
  const most = Math.min(header.length, at + 100)
  while (at < most && (header[at]! <= 32 || header[at]! >= 127)) at++
  return header[at] === 58
}
