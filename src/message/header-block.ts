import { decodeUtf8 } from '../protocol/bytes/text.ts'
import { decodeUnlabelled } from './charset.ts'
import { decodeEncodedWords } from './encoded-words.ts'
import { isBlank, trimBlanks } from './lexemes.ts'

/**
 * What can be wrong with a header, none of which stops the parser (RFC 7103 §7).
 *
 * - `bare-lf`: a line ends in LF without CR; read as a line end (§6)
 * - `bare-cr`: CR without LF; read as a blank
 * - `nul`: an octet 0; read as U+FFFD
 * - `control`: another control character but tab
 * - `8bit`: octets above 127; UTF-8 is legal only in SMTPUTF8 mail (RFC 6532)
 * - `long-line`: more than 998 octets before the line end (RFC 5322 §2.1.1)
 * - `blank-before-colon`: as the obsolete syntax of RFC 5322 §4.5 had it
 * - `blank-fold`: a continuation line of blanks only (RFC 5322 §4.2), which some software takes for the end of the header
 * - `no-colon`: a line that is neither field nor continuation; read as a continuation of the field before it (RFC 7103 §7.2)
 * - `stray-line`: the same, or a continuation, before any field; passed over
 * - `mbox-from`: a `From ` line out of an mbox file; passed over
 * - `byte-order-mark`: before the first field; passed over
 * - `too-many-fields`: fields beyond {@link MOST_FIELDS} were not indexed
 * - `no-end`: the bytes end without the empty line that ends a header
 */
export type HeaderOddity =
  | 'bare-lf' | 'bare-cr' | 'nul' | 'control' | '8bit' | 'long-line' | 'blank-before-colon' | 'blank-fold' | 'no-colon'
  | 'stray-line' | 'mbox-from' | 'byte-order-mark' | 'too-many-fields' | 'no-end'

const ODDITIES: readonly HeaderOddity[] = [
  'bare-lf', 'bare-cr', 'nul', 'control', '8bit', 'long-line', 'blank-before-colon', 'blank-fold', 'no-colon',
  'stray-line', 'mbox-from', 'byte-order-mark', 'too-many-fields', 'no-end',
]

/** What a line or field may be marked with: a bit each, in the order of {@link ODDITIES}. */
export const mark = {
  bareLf: 1, bareCr: 2, nul: 4, control: 8, eightBit: 16, longLine: 32, blankBeforeColon: 64, blankFold: 128, noColon: 256,
  strayLine: 512, mboxFrom: 1024, byteOrderMark: 2048, tooManyFields: 4096, noEnd: 8192,
  /** No oddity: the value spans lines. */
  folded: 16384,
} as const

/** From so many fields on, look-ups go through a Map. */
const MANY_FIELDS = 48

const LF = 10
const CR = 13

/** One field of a header. Offsets are octets from the start of the message; strings are made when first asked for. */
export interface HeaderField {
  /** Where its name begins, where its value begins (behind the colon), and where the next field begins. */
  readonly start: number
  readonly valueStart: number
  readonly end: number
  /** As it is written, without blanks before the colon. */
  readonly name: string
  /** Whether this is its name, in any case. */
  is(name: string): boolean
  /** The octets between the colon and the line end that ends the field, folds included. A view. */
  readonly raw: Uint8Array
  /**
   * The value unfolded (RFC 5322 §2.2.3) and without blanks around it; one line, whatever the bytes held. 8-bit octets are
   * UTF-8 if the value is valid UTF-8, else windows-1252. Encoded words are left as they are: see {@link text}.
   */
  readonly value: string
  /**
   * The value as people read it, encoded words decoded. For unstructured fields (Subject, Comments) alone: parse others first.
   */
  readonly text: string
  /** What is odd about this field. */
  readonly oddities: readonly HeaderOddity[]
}

/** A message's or a part's header: its fields in order, and by name. Names match in any case. */
export interface Headers extends Iterable<HeaderField> {
  readonly fields: readonly HeaderField[]
  /** The first field of that name. */
  get(name: string): HeaderField | undefined
  /** All fields of that name, in order. */
  all(name: string): readonly HeaderField[]
  /** Whether there is a field of that name. */
  has(name: string): boolean
  /** {@link HeaderField.value} of the first field of that name. */
  value(name: string): string | undefined
  /** {@link HeaderField.text} of the first field of that name. */
  text(name: string): string | undefined
}

/** A header as it was found among bytes. */
export interface HeaderBlock extends Headers {
  /** Where the block begins and where the body does: behind the empty line, or where the bytes ended. */
  readonly start: number
  readonly end: number
  /** `false`: the bytes ended before the empty line did. */
  readonly complete: boolean
  /** What is odd about the block or any of its fields, each named once. */
  readonly oddities: readonly HeaderOddity[]
  /** The octets of the whole block, the empty line included. A view. */
  readonly raw: Uint8Array
}

/** The bytes that the fields of a block share, and their text where it is plain ASCII: decoded once, cut by offset. */
export class HeaderSource {
  readonly bytes: Uint8Array
  /** The offset in the message of `bytes[0]`. */
  readonly base: number
  /** Where plain ASCII begins and ends; empty where the block has other octets. Set when the block is scanned. */
  asciiFrom = 0
  asciiTo = 0
  #text: string | undefined

  constructor(bytes: Uint8Array, base: number) {
    this.bytes = bytes
    this.base = base
  }

  /** Octets [from, to), indices into `bytes`, as text. */
  text(from: number, to: number): string {
    const start = this.asciiFrom
    if (to > this.asciiTo) return decodeUnlabelled(this.bytes.subarray(from, to))
    this.#text ??= decodeUtf8(this.bytes.subarray(start, this.asciiTo)) ?? ''
    return this.#text.slice(from - start, to - start)
  }
}

/** The fields of one block, as the parser finds them. */
export class ParsedField implements HeaderField {
  readonly start: number
  readonly valueStart: number
  end: number
  /** Of the name, as {@link nameHash} makes it. */
  readonly hash: number
  readonly #source: HeaderSource
  readonly #nameLength: number
  #marks: number
  #value: string | undefined
  #text: string | undefined

  constructor(source: HeaderSource, start: number, nameLength: number, valueStart: number, hash: number) {
    this.#source = source
    this.start = start
    this.#nameLength = nameLength
    this.valueStart = valueStart
    this.end = valueStart
    this.hash = hash
    this.#marks = 0
  }

  /** The field goes on to `end`. */
  extend(end: number, marks: number): void {
    this.end = end
    this.#marks |= marks
  }

  get name(): string {
    const from = this.start - this.#source.base
    return this.#source.text(from, from + this.#nameLength)
  }

  is(name: string): boolean {
    const length = this.#nameLength
    if (name.length !== length) return false
    const { bytes, base } = this.#source
    const from = this.start - base
    for (let at = 0; at < length; at++) {
      if (lower(bytes[from + at]!) !== lower(name.charCodeAt(at))) return false
    }
    return true
  }

  get raw(): Uint8Array {
    const { bytes, base } = this.#source
    return bytes.subarray(this.valueStart - base, this.#valueEnd())
  }

  get value(): string {
    return (this.#value ??= this.#readValue())
  }

  get text(): string {
    return (this.#text ??= decodeEncodedWords(this.value))
  }

  get oddities(): readonly HeaderOddity[] {
    return named(this.#marks)
  }

  #valueEnd(): number {
    const { bytes, base } = this.#source
    const from = this.valueStart - base
    const to = this.end - base
    if (to === from || bytes[to - 1] !== LF) return to
    return to - 1 > from && bytes[to - 2] === CR ? to - 2 : to - 1
  }

  #readValue(): string {
    const source = this.#source
    let text = source.text(this.valueStart - source.base, this.#valueEnd())
    if ((this.#marks & mark.folded) !== 0) text = unfold(text)
    // One line: what a host puts into a log, a reply or another header must not break it.
    if ((this.#marks & (mark.bareCr | mark.nul)) !== 0) text = text.replaceAll('\r', ' ').replaceAll('\0', '\ufffd')
    return trimBlanks(text)
  }
}

/** What {@link HeaderBlock} describes, over parsed fields. */
export class ParsedBlock implements HeaderBlock {
  readonly fields: readonly ParsedField[]
  readonly start: number
  readonly end: number
  readonly #source: HeaderSource
  readonly #marks: number
  #byHash: Map<number, ParsedField[]> | undefined

  constructor(source: HeaderSource, fields: readonly ParsedField[], start: number, end: number, marks: number) {
    this.#source = source
    this.fields = fields
    this.start = start
    this.end = end
    this.#marks = marks
  }

  get complete(): boolean {
    return (this.#marks & mark.noEnd) === 0
  }

  get oddities(): readonly HeaderOddity[] {
    return named(this.#marks)
  }

  get raw(): Uint8Array {
    const { bytes, base } = this.#source
    return bytes.subarray(this.start - base, this.end - base)
  }

  get(name: string): ParsedField | undefined {
    const hash = nameHash(name)
    const fields = this.#candidates(hash)
    for (let at = 0; at < fields.length; at++) {
      const field = fields[at]!
      if (field.hash === hash && field.is(name)) return field
    }
    return undefined
  }

  all(name: string): readonly ParsedField[] {
    const hash = nameHash(name)
    return this.#candidates(hash).filter((field) => field.hash === hash && field.is(name))
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  value(name: string): string | undefined {
    return this.get(name)?.value
  }

  text(name: string): string | undefined {
    return this.get(name)?.text
  }

  [Symbol.iterator](): Iterator<HeaderField> {
    return this.fields[Symbol.iterator]()
  }

  /** The fields that may have the name: all of a small block, which is faster to look through than to index. */
  #candidates(hash: number): readonly ParsedField[] {
    if (this.fields.length < MANY_FIELDS) return this.fields
    if (!this.#byHash) {
      this.#byHash = new Map()
      for (const field of this.fields) {
        const same = this.#byHash.get(field.hash)
        if (same) same.push(field)
        else this.#byHash.set(field.hash, [field])
      }
    }
    return this.#byHash.get(hash) ?? []
  }
}

/** Takes the line ends out; lines of blanks count for nothing (RFC 7103 §7.3), a line without indent is joined by a blank. */
function unfold(text: string): string {
  let out = ''
  let at = 0
  while (at <= text.length) {
    const feed = text.indexOf('\n', at)
    const next = feed < 0 ? text.length + 1 : feed + 1
    let to = feed < 0 ? text.length : feed
    if (to > at && text.charCodeAt(to - 1) === CR) to--
    let from = at
    while (from < to && isBlank(text.charCodeAt(from))) from++
    if (from < to) out += at > 0 && from === at ? ` ${text.slice(at, to)}` : text.slice(at, to)
    at = next
  }
  return out
}

function lower(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet
}

/** 32 bits of a name in lower case; the parser makes the same of octets. */
function nameHash(name: string): number {
  let hash = 0
  for (let at = 0; at < name.length; at++) hash = (Math.imul(hash, 31) + (name.charCodeAt(at) | 0x20)) | 0
  return hash
}

function named(flags: number): readonly HeaderOddity[] {
  return ODDITIES.filter((_, index) => (flags & (1 << index)) !== 0)
}
