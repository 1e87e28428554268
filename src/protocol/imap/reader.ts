import { parseSequenceSet, type SequenceSet } from './sequence-set.ts'

/** A command as it came: texts, and the literals between them as strings of octets. It begins and ends with a text. */
export type Fragment = string | { readonly literal: string; readonly binary: boolean }

/** The command breaks the grammar. Caught where commands are begun, and answered with BAD; nothing else ever sees it. */
export class Malformed extends Error {
  /** In words of ours alone. */
  readonly why: string
  /** A response code without its brackets. */
  readonly code: string | undefined
  /** The bound that was reached, for those who watch. */
  readonly limit: string | undefined

  /** `why` is told to the client, and behind it `word`, which it has sent. */
  constructor(why: string, { word, code, limit }: Readonly<Partial<Record<'word' | 'code' | 'limit', string>>> = {}) {
    super(word === undefined ? why : `${why} ${word}`)
    this.name = 'Malformed'
    this.why = why
    this.code = code
    this.limit = limit
  }
}

/** RFC 9051 §9: what an atom may not hold, octets above 127 aside; `]` may stand in an astring. */
const ATOM = 1
const ASTRING = 2
const LIST = 4
const WORD = 8
/** By octet: the kinds of words it may stand in. */
const kinds = new Uint8Array(256)
for (let octet = 33; octet < 127; octet++) kinds[octet] = ATOM | ASTRING | LIST
for (const special of '(){"\\') kinds[special.charCodeAt(0)] = 0
for (const wildcard of '%*') kinds[wildcard.charCodeAt(0)] = LIST
kinds[93] = ASTRING | LIST
for (const part of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-=+$/_') kinds[part.charCodeAt(0)]! |= WORD

const SPACE = 32
const QUOTE = 34
const OPEN = 40
const CLOSE = 41
const BACKSLASH = 92

/** Parentheses in one another. */
export const MOST_DEPTH = 64

/** The largest number there is (RFC 9051 §9), and the largest that can be counted with. */
const LARGEST = 0xffffffff
const LARGEST_64 = Number.MAX_SAFE_INTEGER

/**
 * Reads a command from its beginning to its end, one construct of the grammar at a time. Every method throws {@link Malformed}
 * where the construct is not there, and otherwise stands behind it.
 */
export class Reader {
  private readonly fragments: readonly Fragment[]
  private text: string
  private at = 0
  private index = 0

  constructor(fragments: readonly Fragment[]) {
    this.fragments = fragments
    this.text = fragments[0] as string
  }

  /** The next octet, or -1 at the end or before a literal. */
  peek(): number {
    return this.at < this.text.length ? this.text.charCodeAt(this.at) : -1
  }

  /** Whether all has been read. */
  get done(): boolean {
    return this.at === this.text.length && this.index === this.fragments.length - 1
  }

  /** Whether a literal comes next. */
  get atLiteral(): boolean {
    return this.at === this.text.length && this.index < this.fragments.length - 1
  }

  /** Where it stands, in this text. */
  mark(): number {
    return this.at
  }

  /** Stands there again; no literal was read since. */
  reset(mark: number): void {
    this.at = mark
  }

  end(): void {
    if (!this.done) throw new Malformed('More than the command takes')
  }

  /** Exactly one space (RFC 9051 §9, note 2). */
  space(): void {
    if (this.peek() !== SPACE) throw new Malformed(this.done ? 'An argument is missing' : 'A space is missing')
    this.at++
  }

  /** A space and then something, or nothing: whether there was a space. */
  maybeSpace(): boolean {
    if (this.peek() !== SPACE) return false
    this.at++
    return true
  }

  /** Reads this octet if it comes next. */
  maybe(octet: string): boolean {
    if (this.peek() !== octet.charCodeAt(0)) return false
    this.at++
    return true
  }

  /** Reads this octet. */
  expect(octet: string): void {
    if (!this.maybe(octet)) throw new Malformed(`'${octet}' is missing`)
  }

  /** A word in upper case: letters, digits and what else stands in names such as `BODY.PEEK`, `$` or `CREATE-SPECIAL-USE`. */
  word(): string {
    const from = this.at
    while (isWord(this.peek())) this.at++
    if (from === this.at) throw new Malformed('A word is missing')
    return this.text.slice(from, this.at).toUpperCase()
  }

  atom(): string {
    return this.run(ATOM, 'An atom is missing')
  }

  /** A word or a string, as octets. */
  astring(): string {
    return this.isString() ? this.string() : this.run(ASTRING, 'A word or a string is missing')
  }

  /** A pattern of LIST: an astring that may hold wildcards bare (I15). */
  listMailbox(): string {
    return this.isString() ? this.string() : this.run(LIST, 'A mailbox name is missing')
  }

  /** A quoted string or a literal, as octets. */
  string(): string {
    if (this.atLiteral) return this.literal().octets
    return this.quoted()
  }

  nstring(): string | undefined {
    if (this.isString()) return this.string()
    if (this.atom().toUpperCase() !== 'NIL') throw new Malformed('A string or NIL is missing')
    return undefined
  }

  literal(): { readonly octets: string; readonly binary: boolean } {
    const fragment = this.atLiteral ? this.fragments[this.index + 1] : undefined
    if (fragment === undefined || typeof fragment === 'string') throw new Malformed('A literal is missing')
    // RFC 3516 §4.4, RFC 9051 §9: NUL comes in a literal8 alone.
    if (!fragment.binary && fragment.literal.includes('\0')) throw new Malformed('NUL in a literal')
    this.index += 2
    this.text = this.fragments[this.index] as string
    this.at = 0
    return { octets: fragment.literal, binary: fragment.binary }
  }

  quoted(): string {
    this.expect('"')
    let text = ''
    let from = this.at
    for (; ; this.at++) {
      const octet = this.peek()
      if (octet === QUOTE) break
      // I5: neither NUL nor the ends of lines, alone or together, stand in a quoted string.
      if (octet === -1 || octet === 0 || octet === 13 || octet === 10) throw new Malformed('A quoted string does not end')
      if (octet !== BACKSLASH) continue
      text += this.text.slice(from, this.at++)
      from = this.at
      const escaped = this.peek()
      if (escaped !== QUOTE && escaped !== BACKSLASH) throw new Malformed('A backslash escapes a quote or a backslash')
    }
    return text + this.text.slice(from, this.at++)
  }

  /** 0 to 2^32 - 1. */
  number(): number {
    return this.digits(10, LARGEST)
  }

  /** 1 to 2^32 - 1. */
  nzNumber(): number {
    const number = this.number()
    if (number === 0) throw new Malformed('A number above 0 is missing')
    return number
  }

  /** 0 up to what can be counted with exactly; beyond it, no mailbox and no message has so many of anything. */
  number64(): number {
    return this.digits(19, LARGEST_64)
  }

  sequenceSet(): SequenceSet {
    const from = this.at
    while (isSet(this.peek())) this.at++
    const set = parseSequenceSet(this.text.slice(from, this.at))
    if (set === undefined) throw new Malformed('A set of numbers is missing')
    return set
  }

  /** A flag or keyword as it was written. `\Recent` is nobody's to give (RFC 3501 §9), nor is `\*`. */
  flag(): string {
    const backslash = this.maybe('\\')
    const name = this.atom()
    if (backslash && name.toLowerCase() === 'recent') throw new Malformed('\\Recent cannot be set')
    return backslash ? `\\${name}` : name
  }

  /** `(` items with spaces between them `)`. Empty only where that is allowed. */
  list<Item>(item: () => Item, mayBeEmpty = false): Item[] {
    const items: Item[] = []
    this.expect('(')
    if (mayBeEmpty && this.maybe(')')) return items
    items.push(item())
    while (this.maybeSpace()) items.push(item())
    this.expect(')')
    return items
  }

  /** Whether a list comes next. */
  get atList(): boolean {
    return this.peek() === OPEN
  }

  /** Whether a list, or the command, ends here. */
  get atEnd(): boolean {
    return this.peek() === CLOSE || this.done
  }

  /** All up to one of these octets or the end of this text; may be empty. */
  until(ends: string): string {
    const from = this.at
    while (this.at < this.text.length && !ends.includes(this.text[this.at]!)) this.at++
    return this.text.slice(from, this.at)
  }

  private isString(): boolean {
    return this.peek() === QUOTE || this.atLiteral
  }

  private run(kind: number, missing: string): string {
    const { text } = this
    const from = this.at
    while (this.at < text.length && (kinds[text.charCodeAt(this.at)]! & kind) !== 0) this.at++
    if (from === this.at) throw new Malformed(missing)
    return text.slice(from, this.at)
  }

  private digits(most: number, largest: number): number {
    const from = this.at
    while (this.peek() >= 48 && this.peek() <= 57) this.at++
    const number = Number(this.text.slice(from, this.at))
    if (from === this.at || this.at - from > most || number > largest) throw new Malformed('A number is missing, or too large')
    return number
  }
}

function isWord(octet: number): boolean {
  return octet >= 0 && (kinds[octet]! & WORD) !== 0
}

function isSet(octet: number): boolean {
  return (octet >= 48 && octet <= 57) || octet === 58 || octet === 44 || octet === 42 || octet === 36
}
