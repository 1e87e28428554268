import { BROKEN, END, FieldCursor, MORE, type Outcome } from './field-cursor.ts'
import { oneLine } from './field-scan.ts'
import type { OctetString } from './octet-string.ts'

/**
 * An address as IMAP's ENVELOPE shows it: display name, source route, local part, domain; each an octet string or null
 * (RFC 3501 §7.4.2). A group is an address whose domain is null and whose local part is the group's name, then its
 * members, then one of nulls only. What an address lacks is filled in as Dovecot does it, so that it can never be taken for
 * a group: see {@link MISSING_DOMAIN}.
 */
export type EnvelopeAddress = readonly [
  name: OctetString | null,
  route: OctetString | null,
  local: OctetString | null,
  domain: OctetString | null,
]

/** Stands for a local part that is not there. */
export const MISSING_MAILBOX = 'MISSING_MAILBOX'
/** Stands for a domain that is not there. */
export const MISSING_DOMAIN = 'MISSING_DOMAIN'
/** Stands for a domain where what is between the angle brackets makes no sense. */
export const SYNTAX_ERROR = 'SYNTAX_ERROR'
/** Stands for a source route that makes no sense. */
export const INVALID_ROUTE = 'INVALID_ROUTE'

const GROUP_END: EnvelopeAddress = [null, null, null, null]

const QUOTE = 34
const COMMA = 44
const COLON = 58
const SEMICOLON = 59
const LESS = 60
const GREATER = 62
const AT = 64

/**
 * Appends the addresses in octets [from, to) of `text`, a field body, to `list`. Reads no further once there are `most` of
 * them, group marks included.
 */
export function readEnvelopeAddresses(text: OctetString, from: number, to: number, list: EnvelopeAddress[], most: number): void {
  new AddressReader(text, from, to, list, list.length + most).list()
}

/** Iterative but for the one level that groups have. */
class AddressReader {
  readonly #cursor: FieldCursor
  readonly #list: EnvelopeAddress[]
  readonly #most: number
  #name: string | null = null
  #route: string | null = null
  #local: string | null = null
  #domain: string | null = null

  constructor(text: OctetString, from: number, to: number, list: EnvelopeAddress[], most: number) {
    this.#cursor = new FieldCursor(text, from, to)
    this.#list = list
    this.#most = most
  }

  /** address-list (RFC 5322 §3.4); ends at the first thing that is none. */
  list(): void {
    const cursor = this.#cursor
    if (cursor.skip() !== MORE) return
    while (this.#list.length < this.#most) {
      if (this.#address() === END || cursor.peek() !== COMMA) return
      cursor.at++
      const outcome = cursor.skip()
      // An unterminated comment behind the last comma is taken for an address that lacks everything.
      if (outcome === BROKEN) this.#finish()
      if (outcome !== MORE) return
    }
  }

  #address(): Outcome {
    const cursor = this.#cursor
    const from = cursor.at
    if (cursor.phrase() === MORE) {
      if (cursor.peek() === COLON) return this.#group(cursor.value)
      if (cursor.peek() === LESS) return this.#named(cursor.value)
    }
    cursor.at = from
    return this.#bare()
  }

  #mailbox(): Outcome {
    const cursor = this.#cursor
    const from = cursor.at
    if (cursor.phrase() === MORE && cursor.peek() === LESS) return this.#named(cursor.value)
    cursor.at = from
    return this.#bare()
  }

  /** Behind the name of a group, at its colon. */
  #group(name: string): Outcome {
    const cursor = this.#cursor
    cursor.at++
    let outcome = cursor.skip()
    this.#push([null, null, name, null])
    if (outcome === MORE && cursor.peek() !== SEMICOLON) {
      for (;;) {
        this.#mailbox()
        if (cursor.peek() !== COMMA || this.#list.length >= this.#most) break
        cursor.at++
        if (cursor.skip() !== MORE) {
          outcome = BROKEN
          break
        }
      }
    }
    if (outcome !== BROKEN) {
      if (cursor.peek() === SEMICOLON) {
        cursor.at++
        outcome = cursor.skip()
      } else outcome = BROKEN
    }
    this.#push(GROUP_END)
    return outcome === END ? END : MORE
  }

  /** Behind a display name, which may be empty, at `<`. */
  #named(name: string): Outcome {
    this.#name = name === '' ? null : name
    if (this.#angle() === BROKEN) this.#domain = SYNTAX_ERROR
    this.#finish()
    return this.#cursor.peek() < 0 ? END : MORE
  }

  #angle(): Outcome {
    const cursor = this.#cursor
    cursor.at++
    if (cursor.skip() !== MORE) return BROKEN
    if (cursor.peek() === AT) {
      if (this.#sourceRoute() && cursor.peek() === COLON) cursor.at++
      else {
        this.#route = INVALID_ROUTE
        if (cursor.peek() < 0) return BROKEN
      }
      if (cursor.skip() !== MORE) return BROKEN
    }
    if (cursor.peek() !== GREATER) {
      if (this.#localPart() !== MORE) return BROKEN
      if (cursor.peek() === AT && this.#domainPart() !== MORE) return BROKEN
    }
    if (cursor.peek() !== GREATER) return BROKEN
    cursor.at++
    return cursor.skip()
  }

  /** obs-domain-list (RFC 5322 §4.4). */
  #sourceRoute(): boolean {
    const cursor = this.#cursor
    let route = ''
    while (cursor.peek() === AT) {
      const outcome = cursor.domain()
      route += route === '' ? `@${cursor.value}` : `,@${cursor.value}`
      if (outcome !== MORE) return false
      while (cursor.skip() === MORE && cursor.peek() === COMMA) cursor.at++
    }
    if (cursor.peek() < 0) return false
    this.#route = route
    return true
  }

  #localPart(): Outcome {
    const outcome = this.#cursor.localPart()
    if (outcome !== BROKEN) this.#local = this.#cursor.value
    return outcome
  }

  #domainPart(): Outcome {
    const outcome = this.#cursor.domain()
    if (outcome !== BROKEN) this.#domain = this.#cursor.value
    return outcome
  }

  /** An address without angle brackets; its name may stand in a comment. A word alone is a local part, several are a name. */
  #bare(): Outcome {
    const cursor = this.#cursor
    cursor.comment = ''
    const quoted = cursor.peek() === QUOTE
    let outcome = this.#localPart()
    let invalid = outcome !== MORE
    const before = cursor.value
    let domain = false
    if (outcome !== END && cursor.peek() === AT) {
      domain = true
      const ended = this.#domainPart()
      if (ended !== MORE) outcome = ended
    }
    if (cursor.comment !== '') this.#name = cursor.comment
    else if (!domain) {
      cursor.phrase(`${before} `)
      if (cursor.value.length !== before.length + 1) {
        this.#local = null
        this.#name = cursor.value
      } else if (!quoted) this.#domain = ''
      invalid = true
      outcome = BROKEN
    }
    if (invalid && this.#name === null && this.#local !== null && this.#domain === null) {
      this.#name = this.#local
      this.#local = null
    }
    this.#finish()
    return outcome
  }

  #finish(): void {
    const name = this.#name === null ? null : oneLine(this.#name)
    this.#push([name, this.#route, this.#local ?? MISSING_MAILBOX, this.#domain || MISSING_DOMAIN])
    this.#name = this.#route = this.#local = this.#domain = null
  }

  #push(address: EnvelopeAddress): void {
    this.#list.push(address)
  }
}
