import type { SieveError, SievePosition } from './syntax.ts'

/** A token (RFC 5228 §8.1). Identifiers and tags come in lower case. */
export type Token =
  | { readonly kind: 'word' | 'tag' | 'string'; readonly text: string; readonly offset: number }
  | { readonly kind: 'number'; readonly value: number; readonly offset: number }
  | { readonly kind: ';' | ',' | '(' | ')' | '[' | ']' | '{' | '}' | 'end'; readonly offset: number }

const TAB = 9
const LF = 10
const SPACE = 32
const QUOTE = 34
const BACKSLASH = 92

const SEPARATORS = new Set([';', ',', '(', ')', '[', ']', '{', '}'] as const)
type Separator = typeof SEPARATORS extends Set<infer Kind> ? Kind : never

const QUANTIFIERS = new Map([['k', 2 ** 10], ['m', 2 ** 20], ['g', 2 ** 30]])

/** Cuts a script into tokens, from the first to the last in one pass. Line ends must be LF. Never throws. */
export class Lexer {
  readonly #source: string
  readonly #tell: (offset: number, text: string) => void
  #at = 0

  constructor(source: string, tell: (offset: number, text: string) => void) {
    this.#source = source
    this.#tell = tell
  }

  /** The next token; `end` from the end on. */
  next(): Token {
    const source = this.#source
    for (;;) {
      this.#skipBlanks()
      const offset = this.#at
      if (offset >= source.length) return { kind: 'end', offset }
      const character = source[offset]!
      if (SEPARATORS.has(character as Separator)) {
        this.#at++
        return { kind: character as Separator, offset }
      }
      if (character === '"') return this.#quoted(offset)
      if (isDigit(character)) return this.#number(offset)
      if (character === ':' && isLetter(source[offset + 1] ?? '')) {
        this.#at++
        return { kind: 'tag', text: this.#word(), offset }
      }
      if (isLetter(character)) {
        const text = this.#word()
        return text === 'text' && source[this.#at] === ':' ? this.#multiLine(offset) : { kind: 'word', text, offset }
      }
      this.#skipStrange(offset)
    }
  }

  /** Blanks, line ends and comments. */
  #skipBlanks(): void {
    const source = this.#source
    for (; this.#at < source.length; ) {
      const unit = source.charCodeAt(this.#at)
      if (unit === SPACE || unit === TAB || unit === LF) this.#at++
      else if (source[this.#at] === '#') this.#at = this.#lineEnd()
      else if (source.startsWith('/*', this.#at)) this.#skipComment()
      else return
    }
  }

  #skipComment(): void {
    const end = this.#source.indexOf('*/', this.#at + 2)
    if (end < 0) this.#tell(this.#at, 'this comment has no end: close it with */')
    this.#at = end < 0 ? this.#source.length : end + 2
  }

  #lineEnd(): number {
    const end = this.#source.indexOf('\n', this.#at)
    return end < 0 ? this.#source.length : end
  }

  #word(): string {
    const from = this.#at
    while (this.#at < this.#source.length && isWordCharacter(this.#source[this.#at]!)) this.#at++
    return this.#source.slice(from, this.#at).toLowerCase()
  }

  #number(offset: number): Token {
    const source = this.#source
    while (isDigit(source[this.#at] ?? '')) this.#at++
    const digits = source.slice(offset, this.#at)
    const quantifier = QUANTIFIERS.get((source[this.#at] ?? '').toLowerCase())
    if (quantifier !== undefined) this.#at++
    if (isWordCharacter(source[this.#at] ?? '')) {
      while (isWordCharacter(source[this.#at] ?? '')) this.#at++
      this.#tell(offset, `${shown(source.slice(offset, this.#at))} is no number: K, M or G alone may follow its digits`)
      return { kind: 'number', value: 0, offset }
    }
    const value = Number(digits) * (quantifier ?? 1)
    if (!Number.isSafeInteger(value)) this.#tell(offset, 'this number is too large')
    return { kind: 'number', value: Number.isSafeInteger(value) ? value : 0, offset }
  }

  #quoted(offset: number): Token {
    const source = this.#source
    let text = ''
    let from = offset + 1
    for (let at = from; at < source.length; at++) {
      const unit = source.charCodeAt(at)
      if (unit === QUOTE) {
        this.#at = at + 1
        return { kind: 'string', text: text + source.slice(from, at), offset }
      }
      if (unit !== BACKSLASH) continue
      text += source.slice(from, at)
      from = ++at
    }
    this.#tell(offset, 'this string has no end: close it with a quotation mark')
    this.#at = source.length
    return { kind: 'string', text, offset }
  }

  /** At the colon of `text:` (RFC 5228 §2.4.2). */
  #multiLine(offset: number): Token {
    const source = this.#source
    this.#at++
    while (source[this.#at] === ' ' || source[this.#at] === '\t') this.#at++
    const isBare = this.#at >= source.length || source[this.#at] === '\n' || source[this.#at] === '#'
    if (!isBare) this.#tell(this.#at, 'nothing but a comment may stand behind text: on its line')
    this.#at = this.#lineEnd() + 1
    let text = ''
    while (this.#at < source.length) {
      const end = this.#lineEnd()
      const line = source.slice(this.#at, end)
      this.#at = end + 1
      // A script that ends right behind the dot means the same.
      if (line === '.') return { kind: 'string', text, offset }
      text += `${line.startsWith('..') ? line.slice(1) : line}\n`
    }
    this.#at = source.length
    this.#tell(offset, 'this text has no end: close it with a line that is a dot alone')
    return { kind: 'string', text, offset }
  }

  /** Says once of a run of characters that they mean nothing. */
  #skipStrange(offset: number): void {
    const source = this.#source
    const isStrange = (character: string): boolean =>
      character > ' ' && character !== '"' && character !== '#' && !isWordCharacter(character) &&
      !SEPARATORS.has(character as Separator)
    this.#at++
    while (this.#at < source.length && isStrange(source[this.#at]!) && source[this.#at] !== '/') this.#at++
    this.#tell(offset, `${shown(source.slice(offset, this.#at))} means nothing here`)
  }
}

/** A piece of a script as an error shows it. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9'
}

function isLetter(character: string): boolean {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') || character === '_'
}

function isWordCharacter(character: string): boolean {
  return isLetter(character) || isDigit(character)
}

/** Errors of a script, and lines and columns by offset. */
export class Findings {
  readonly errors: SieveError[] = []
  readonly #lines: number[] = [0]
  readonly #most: number

  /** `most`: errors that are told; there may be more. */
  constructor(source: string, most = 100) {
    this.#most = most
    for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) this.#lines.push(at + 1)
  }

  /** Line and column of an offset. */
  position(offset: number): SievePosition {
    let low = 0
    let high = this.#lines.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#lines[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - this.#lines[low]! + 1 }
  }

  /** No more errors are told. */
  get isFull(): boolean {
    return this.errors.length >= this.#most
  }

  /** Notes an error. */
  tell(at: SievePosition, text: string): void {
    if (!this.isFull) this.errors.push({ line: at.line, column: at.column, text })
  }
}
