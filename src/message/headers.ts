import { type HeaderBlock, HeaderSource, mark, ParsedBlock, ParsedField } from './header-block.ts'

export type { HeaderBlock, HeaderField, HeaderOddity, Headers } from './header-block.ts'

/** Fields that a block indexes; real mail has fewer than two hundred. What follows is scanned, to find the end, and not kept. */
export const MOST_FIELDS = 20_000
/** RFC 5322 §2.1.1, without the line end. */
const MOST_LINE = 998

const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
const COLON = 58
const DELETE = 127
const FROM = 'From '

/** What an octet marks its line with; ENDS for the LF. */
const ENDS = 255
const EFFECTS = new Uint8Array(256)
EFFECTS.fill(mark.control, 0, SPACE)
EFFECTS.fill(mark.eightBit, 128)
EFFECTS[0] = mark.nul
EFFECTS[TAB] = 0
EFFECTS[LF] = ENDS
EFFECTS[CR] = mark.bareCr
EFFECTS[DELETE] = mark.control

/**
 * Reads a header out of octets [start, end) of `bytes`, up to the empty line or `end`. Total: never throws, linear time; what
 * is wrong is reported as {@link HeaderOddity}. The block keeps a view of `bytes`: do not write to them. `base` is the offset
 * in the message of `bytes[0]`; it is added to every offset that the block tells.
 */
export function parseHeaderBlock(bytes: Uint8Array, start = 0, end = bytes.length, base = 0): HeaderBlock {
  const scan = new Scan(bytes, start, end, base)
  const from = scan.at
  let marks = scan.marks
  while (scan.at < end && !scan.endsHere()) marks |= scan.line()
  const to = scan.at
  if (to === end) marks |= mark.noEnd
  else scan.at = bytes[to] === LF ? to + 1 : to + 2
  if (to < end && bytes[to] === LF) marks |= mark.bareLf
  if ((marks & mark.eightBit) === 0) {
    scan.source.asciiFrom = from
    scan.source.asciiTo = to
  }
  return new ParsedBlock(scan.source, scan.fields, start + base, scan.at + base, marks)
}

/** The state of going through a block line by line. */
class Scan {
  readonly source: HeaderSource
  readonly fields: ParsedField[] = []
  /** Marks of what stands before the first line. */
  readonly marks: number
  at: number
  readonly #bytes: Uint8Array
  readonly #end: number
  /** The field that a continuation belongs to. */
  #last: ParsedField | undefined

  constructor(bytes: Uint8Array, start: number, end: number, base: number) {
    this.source = new HeaderSource(bytes, base)
    this.#bytes = bytes
    this.#end = end
    const hasMark = start + 3 <= end && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf
    this.at = hasMark ? start + 3 : start
    this.marks = hasMark ? mark.byteOrderMark : 0
  }

  /** Whether the line is empty. */
  endsHere(): boolean {
    const octet = this.#bytes[this.at]
    return octet === LF || (octet === CR && this.at + 1 < this.#end && this.#bytes[this.at + 1] === LF)
  }

  /** Takes the line at hand; gives its marks. */
  line(): number {
    const bytes = this.#bytes
    const end = this.#end
    const begin = this.at
    // A name is printable but for the colon (RFC 5322 §3.6.8). 8-bit ones are seen, so they are let through.
    let hash = 0
    let at = begin
    let octet = bytes[at]!
    while (octet > SPACE && octet !== COLON && octet !== DELETE) {
      hash = (Math.imul(hash, 31) + (octet | 0x20)) | 0
      octet = ++at < end ? bytes[at]! : 0
    }
    const nameEnd = at
    if (nameEnd > begin) while (octet === SPACE || octet === TAB) octet = ++at < end ? bytes[at]! : 0
    const isField = octet === COLON && nameEnd > begin
    const marks = this.#scanLine(begin)
    if (!isField) return marks | this.#joinLine(begin, marks)
    if (this.fields.length === MOST_FIELDS) {
      this.#last = undefined
      return marks | mark.tooManyFields
    }
    const base = this.source.base
    this.#last = new ParsedField(this.source, begin + base, nameEnd - begin, at + 1 + base, hash)
    this.fields.push(this.#last)
    const own = at > nameEnd ? marks | mark.blankBeforeColon : marks
    this.#last.extend(this.at + base, own)
    return own
  }

  /** Goes behind the line's end; gives what its octets mark it with. */
  #scanLine(begin: number): number {
    const bytes = this.#bytes
    const end = this.#end
    let marks = 0
    let at = begin
    for (; at < end; at++) {
      // Four at a time while nothing happens, which halves the time.
      while (at + 4 <= end) {
        if ((EFFECTS[bytes[at]!]! | EFFECTS[bytes[at + 1]!]! | EFFECTS[bytes[at + 2]!]! | EFFECTS[bytes[at + 3]!]!) !== 0) break
        at += 4
      }
      if (at >= end) break
      const effect = EFFECTS[bytes[at]!]!
      if (effect === 0) continue
      if (effect === ENDS) break
      if (effect !== mark.bareCr || at + 1 >= end || bytes[at + 1] !== LF) marks |= effect
    }
    const hasReturn = at > begin && at < end && bytes[at - 1] === CR
    if (at - begin - (hasReturn ? 1 : 0) > MOST_LINE) marks |= mark.longLine
    if (at < end && !hasReturn) marks |= mark.bareLf
    this.at = at < end ? at + 1 : at
    return marks
  }

  /** Finds out what a line means that begins no field; gives the marks that tell it. */
  #joinLine(begin: number, marks: number): number {
    const bytes = this.#bytes
    const octet = bytes[begin]
    const isFolded = octet === SPACE || octet === TAB
    if (!isFolded && this.#isFromLine(begin)) {
      this.#last = undefined
      return mark.mboxFrom
    }
    if (!this.#last) return this.fields.length === MOST_FIELDS ? 0 : mark.strayLine
    const kind = isFolded ? (isBlankLine(bytes, begin, this.at) ? mark.blankFold : 0) : mark.noColon
    this.#last.extend(this.at + this.source.base, marks | kind | mark.folded)
    return kind
  }

  /** `From ` above the header, or `>From ` anywhere in it, as software that quotes mbox files leaves it. */
  #isFromLine(begin: number): boolean {
    const bytes = this.#bytes
    const quoted = bytes[begin] === 0x3e
    if (!quoted && this.fields.length > 0) return false
    const at = quoted ? begin + 1 : begin
    for (let i = 0; i < FROM.length; i++) if (at + i >= this.at || bytes[at + i] !== FROM.charCodeAt(i)) return false
    return true
  }
}

function isBlankLine(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at]! > SPACE) return false
  return true
}
