import { Input } from '../bytes/input.ts'
import { octetString } from '../bytes/text.ts'

/*
 * What a client sends, cut at the only places where the meaning of octets changes: the ends of lines and of literals. No grammar
 * is read here, and an octet of a literal is never taken for anything else.
 *
 *   state      what the next octets are                     leaves for
 *   LINE       a line, or what follows a literal in it      DECIDE where it announces a literal
 *   DECIDE     unread: whoever reads must say what to do    COLLECT, STREAM, SKIP, LINE
 *   COLLECT    a literal that is wanted whole               LINE behind it
 *   STREAM     a literal that is wanted as it comes         LINE behind it
 *   SKIP       a literal that nobody wants                  LINE behind it
 */
const LINE = 0
const DECIDE = 1
const COLLECT = 2
const STREAM = 3
const SKIP = 4

/** A literal that is to come (RFC 9051 §4.3). */
export interface Announced {
  readonly octets: number
  /** The client waits for `+` before it sends the octets (RFC 7888: or does not, `{5+}`). */
  readonly waits: boolean
  /** `~{5}`: may hold NUL (RFC 3516 §4.4). */
  readonly binary: boolean
}

/** What came. */
export type Piece =
  /** A line, or the rest of one behind a literal, without its end and without the announcement of a literal. */
  | { readonly kind: 'line'; readonly text: string; readonly literal?: Announced }
  /** A line that is longer than was allowed; of what follows up to its end nothing is told. */
  | { readonly kind: 'overlong'; readonly text: string; readonly literal?: Announced }
  /** A line that ends like the announcement of a literal, but announces none that there can be. */
  | { readonly kind: 'misannounced'; readonly text: string }
  /** A literal that was collected, as a string of octets. */
  | { readonly kind: 'literal'; readonly octets: string }
  /** Some octets of a literal that is streamed. */
  | { readonly kind: 'octets'; readonly bytes: Uint8Array }
  /** A literal that was streamed or skipped has ended. */
  | { readonly kind: 'end' }

/** More digits than any count that is meant (RFC 9051 §9: number64). */
const MOST_DIGITS = 18

/** Cuts input into lines and literals. */
export class Fragments {
  private readonly input = new Input()
  private state: 0 | 1 | 2 | 3 | 4 = LINE
  /** Octets of the literal that are still to come. */
  private left = 0
  private collected: string[] | undefined

  push(chunk: Uint8Array): void {
    this.input.push(chunk)
  }

  /** Octets that came and were not read, with something for each chunk they lie in. */
  get held(): number {
    return this.input.held
  }

  /** Octets of the line that came last, its end included. */
  get lineOctets(): number {
    return this.input.lineOctets
  }

  /** Octets of a line that has begun and not ended. */
  get begun(): number {
    return this.input.begun
  }

  /** In the midst of a literal, or before one that is not decided on. */
  get inLiteral(): boolean {
    return this.state !== LINE
  }

  /**
   * The next piece, or `undefined` when more has to come first, or when it has to be said what is to become of a literal. Of a
   * line longer than `most` octets only the beginning is told.
   */
  next(most: number): Piece | undefined {
    switch (this.state) {
      case LINE:
        return this.line(most)
      case DECIDE:
        return undefined
      default:
        return this.literal()
    }
  }

  /** The announced literal is wanted as one piece. */
  collect(octets: number): void {
    this.begin(COLLECT, octets)
  }

  /** The announced literal is wanted in pieces. */
  stream(octets: number): void {
    this.begin(STREAM, octets)
  }

  /** The announced literal is to pass unseen, to its end. */
  skip(octets: number): void {
    this.begin(SKIP, octets)
  }

  /** The announced literal will not come: the client waits, and hears that it need not. */
  refuse(): void {
    this.state = LINE
  }

  /** Whatever else came is forgotten, and the next octets are a line. */
  clear(): void {
    this.input.clear()
    this.collected = undefined
    this.state = LINE
  }

  private begin(state: 2 | 3 | 4, octets: number): void {
    this.state = state
    this.left = octets
  }

  private line(most: number): Piece | undefined {
    const { input } = this
    // Room for the CR, which is no part of what was sent.
    const read = input.line(most + 1)
    if (read === undefined) return undefined
    const whole = input.lineOctets - 1 === read.length
    const line = unended(read)
    if (whole && line.length <= most) return this.ended('line', line, line)
    return this.ended('overlong', line.length > most ? line.slice(0, most) : line, unended(whole ? line : input.lineTail))
  }

  /** `text` is what is told of a line that ends in `tail`. */
  private ended(kind: 'line' | 'overlong', text: string, tail: string): Piece {
    if (!tail.endsWith('}')) return { kind, text }
    const open = tail.lastIndexOf('{')
    // An atom may end in `}`, but only a quoted string, which ends in `"`, has `{` in it (RFC 9051 §9).
    if (open < 0 || tail.includes('"', open)) return { kind, text }
    const literal = announced(tail, open)
    if (literal === undefined) return { kind: 'misannounced', text }
    this.state = DECIDE
    // Of an over-long line the announcement is not there to be taken off.
    return { kind, text: kind === 'overlong' ? text : text.slice(0, literal.binary ? open - 1 : open), literal }
  }

  private literal(): Piece | undefined {
    const { input } = this
    while (this.left > 0 && input.bytes !== undefined) {
      const { bytes, at } = input
      const end = Math.min(bytes.length, at + this.left)
      this.left -= end - at
      input.moveTo(end)
      if (this.state === STREAM) return { kind: 'octets', bytes: bytes.subarray(at, end) }
      if (this.state === COLLECT) {
        this.collected ??= []
        this.collected.push(octetString(bytes, at, end))
      }
    }
    if (this.left > 0) return undefined
    const collect = this.state === COLLECT
    this.state = LINE
    if (!collect) return { kind: 'end' }
    const octets = this.collected?.join('') ?? ''
    this.collected = undefined
    return { kind: 'literal', octets }
  }
}

/** Without the CR of its end; a line may end in LF alone. */
function unended(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}

/** The literal that a line announces from `open` to its end, if it is well-formed: `{123}`, `{123+}`, `~{123}`. */
function announced(line: string, open: number): Announced | undefined {
  const plus = line.charCodeAt(line.length - 2) === 43
  const digits = line.slice(open + 1, plus ? -2 : -1)
  if (digits === '' || digits.length > MOST_DIGITS) return undefined
  for (let at = 0; at < digits.length; at++) {
    const unit = digits.charCodeAt(at)
    if (unit < 48 || unit > 57) return undefined
  }
  const octets = Number(digits)
  if (!Number.isSafeInteger(octets)) return undefined
  return { octets, waits: !plus, binary: line.charCodeAt(open - 1) === 126 }
}
