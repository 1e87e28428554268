import type { OctetString } from './octet-string.ts'

const NUL = 0
const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
const QUOTE = 34
const OPEN = 40
const CLOSE = 41
const DOT = 46
const AT = 64
const OPEN_BRACKET = 91
const BACKSLASH = 92
const CLOSE_BRACKET = 93

/** What stands for an octet 0, which no IMAP string may hold: U+FFFD in UTF-8. */
export const NUL_REPLACEMENT = '\xef\xbf\xbd'

/** Octets of an atom (RFC 5322 §3.2.3), 8-bit ones let through. */
const ATOM = 1
/** Octets of an atom that may also stand in a token (RFC 2045 §5.1). */
const TOKEN = 2

const classes = new Uint8Array(256)
classes.fill(ATOM | TOKEN, 33, 127)
classes.fill(ATOM | TOKEN, 128)
for (const special of '()<>@,;:\\".[]') classes[special.charCodeAt(0)] = 0
for (const special of '/?=') classes[special.charCodeAt(0)] = ATOM

/** How a read ended: something follows, nothing follows, or what was read is broken and counts for nothing. */
export type Outcome = 1 | 0 | -1
/** Something follows. */
export const MORE = 1
/** Nothing follows. */
export const END = 0
/** What was read is broken and counts for nothing. */
export const BROKEN = -1

/**
 * Reads structured field bodies (RFC 5322 §3.2, RFC 2045 §5.1) for IMAP: total, lenient in the ways in which Dovecot is, so
 * that clients see of odd mail what they are used to. Every method goes on behind blanks and comments, leaves what
 * it read in `value` and tells whether something follows.
 */
export class FieldCursor {
  readonly text: OctetString
  readonly end: number
  at: number
  value = ''
  /** The last comment, without its parentheses; an address may have its name there. */
  comment = ''

  constructor(text: OctetString, from: number, to: number) {
    this.text = text
    this.at = from
    this.end = to
  }

  /** The code of the next octet; -1 at the end. */
  peek(): number {
    return this.at < this.end ? this.text.charCodeAt(this.at) : -1
  }

  /** Passes blanks, line ends and comments. */
  skip(): Outcome {
    const { text, end } = this
    while (this.at < end) {
      const unit = text.charCodeAt(this.at)
      if (unit === SPACE || unit === TAB || unit === CR || unit === LF) this.at++
      else if (unit !== OPEN) return MORE
      else if (!this.#comment()) return BROKEN
    }
    return END
  }

  /** A comment, which may hold others; false when it never ends. */
  #comment(): boolean {
    const { text, end } = this
    let depth = 1
    let from = this.at + 1
    let value = ''
    for (let at = from; at < end; at++) {
      const unit = text.charCodeAt(at)
      if (unit === OPEN) depth++
      else if (unit === CLOSE) {
        if (--depth > 0) continue
        this.comment = value + text.slice(from, at)
        this.at = at + 1
        return true
      } else if (unit === LF || unit === NUL) {
        value += this.#cut(from, at, unit)
        from = at + 1
      } else if (unit === BACKSLASH && at + 1 < end && isQuotable(text.charCodeAt(at + 1))) {
        value += text.slice(from, at)
        from = ++at
      }
    }
    this.comment = value
    this.at = end
    return false
  }

  /** At a quote: a quoted string, unescaped and unfolded. */
  quoted(): Outcome {
    const { text, end } = this
    let from = this.at + 1
    let value = ''
    for (let at = from; at < end; at++) {
      const unit = text.charCodeAt(at)
      if (unit === QUOTE) {
        this.value = value === '' ? text.slice(from, at) : value + text.slice(from, at)
        this.at = at + 1
        return this.skip()
      }
      if (unit === LF || unit === NUL) {
        value += this.#cut(from, at, unit)
        from = at + 1
      } else if (unit === BACKSLASH && at + 1 < end && isQuotable(text.charCodeAt(at + 1))) {
        value += text.slice(from, at)
        from = ++at
      }
    }
    this.value = value
    this.at = end
    return BROKEN
  }

  /** The text up to a line end, which is a fold and goes, or up to an octet 0. */
  #cut(from: number, at: number, unit: number): string {
    if (unit === NUL) return this.text.slice(from, at) + NUL_REPLACEMENT
    return this.text.slice(from, at > from && this.text.charCodeAt(at - 1) === CR ? at - 1 : at)
  }

  /** A token (RFC 2045 §5.1), dots included; may be empty. */
  token(): Outcome {
    const { text, end } = this
    const from = this.at
    let at = from
    for (; at < end; at++) {
      const unit = text.charCodeAt(at)
      if ((classes[unit]! & TOKEN) === 0 && unit !== DOT) break
    }
    this.value = text.slice(from, at)
    this.at = at
    return at < end ? this.skip() : END
  }

  /** An atom, at least one octet. */
  atom(): Outcome {
    this.value = ''
    return this.isAtom() ? this.#run(false) : BROKEN
  }

  isAtom(): boolean {
    return this.at < this.end && (classes[this.text.charCodeAt(this.at)]! & ATOM) !== 0
  }

  #run(dots: boolean): Outcome {
    const { text, end } = this
    const from = this.at
    let at = from
    for (; at < end; at++) {
      const unit = text.charCodeAt(at)
      if ((classes[unit]! & ATOM) === 0 && !(dots && unit === DOT)) break
    }
    this.value = text.slice(from, at)
    this.at = at
    return at < end ? this.skip() : END
  }

  /**
   * Words joined by a blank (RFC 5322 §4.1 obs-phrase), behind `before`; `value` holds what was read even if the last word is
   * broken.
   */
  phrase(before = ''): Outcome {
    let words = before
    let outcome: Outcome = this.at >= this.end ? END : this.peek() === DOT ? BROKEN : MORE
    while (outcome === MORE) {
      outcome = this.peek() === QUOTE ? this.quoted() : this.#run(true)
      words += this.value
      if (outcome !== MORE) break
      if (!this.isAtom() && this.peek() !== QUOTE && this.peek() !== DOT) break
      words += ' '
    }
    this.value = words
    return outcome
  }

  /** A local part: quoted, or atoms and dots in any order. `value` holds what was read even if it is broken. */
  localPart(): Outcome {
    if (this.peek() === QUOTE) return this.quoted()
    let local = ''
    let outcome: Outcome = BROKEN
    do {
      while (this.peek() === DOT) {
        local += '.'
        this.at++
        outcome = this.at < this.end ? MORE : END
      }
      if (this.peek() === AT || outcome === END) break
      outcome = this.atom()
      local += this.value
    } while (outcome === MORE && this.peek() === DOT)
    this.value = local
    return outcome
  }

  /** At `@`: a domain or an address literal behind it. */
  domain(): Outcome {
    this.at++
    this.value = ''
    if (this.skip() !== MORE) return BROKEN
    return this.peek() === OPEN_BRACKET ? this.#literal() : this.#dotAtom()
  }

  #dotAtom(): Outcome {
    let value = ''
    for (;;) {
      if (!this.isAtom()) return BROKEN
      const outcome = this.#run(false)
      value += this.value
      this.value = value
      if (outcome !== MORE || this.peek() !== DOT) return outcome
      value += '.'
      this.at++
      // Blanks around the dots are RFC 822's.
      if (this.skip() !== MORE) return BROKEN
    }
  }

  /** An address literal, brackets included. */
  #literal(): Outcome {
    const { text, end } = this
    let from = this.at
    let value = ''
    for (let at = from + 1; at < end; at++) {
      const unit = text.charCodeAt(at)
      if (unit === OPEN_BRACKET) {
        this.at = at
        return BROKEN
      }
      if (unit === CLOSE_BRACKET) {
        this.value = value + text.slice(from, at + 1)
        this.at = at + 1
        return this.skip()
      }
      if (unit === LF || unit === NUL) {
        value += this.#cut(from, at, unit)
        from = at + 1
      } else if (unit === BACKSLASH && at + 1 < end && isQuotable(text.charCodeAt(at + 1))) at++
    }
    this.at = end
    return BROKEN
  }
}

/** A backslash before a line end or an octet 0 stands for itself (RFC 5322 §4.1 obs-qp is not worth its risks). */
function isQuotable(unit: number): boolean {
  return unit !== CR && unit !== LF && unit !== NUL
}
