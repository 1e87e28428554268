import { findContentBreak, scanNotes } from '../../bytes/scan.ts'

/*
 * The octets of a message made those of the wire: each line end a CRLF, a dot before each dot that begins a line. Pure; any split
 * of the input gives the same output.
 *
 *   state     what was read last                       next
 *   START     a line end, or nothing yet               a dot: one more before it (DATA only)
 *   TEXT      anything else
 *   AFTER_CR  a CR, withheld                           LF, or anything else: one CRLF for both
 */
type State = 0 | 1 | 2
const START: State = 0
const TEXT: State = 1
const AFTER_CR: State = 2

const CR = 13
const LF = 10
const DOT = 46

const NONE = new Uint8Array(0)
const CRLF = Uint8Array.of(CR, LF)
const ONE_DOT = Uint8Array.of(DOT)

/** Views of what was given, and what goes between them, that a write makes at the most; from there on it copies. */
const PIECES = 8

/** How content goes over the wire: by DATA, by BDAT, or by BDAT as octets that mean nothing (BINARYMIME). */
export type Framing = 'dotted' | 'lines' | 'octets'

/** Writes the content of a message so that nobody can take a part of it for a command, whatever is in it. */
export class ContentWriter {
  /** Octets that were given; stuffed dots do not count. */
  octets = 0
  private readonly framing: Framing
  private readonly notes = scanNotes()
  private state: State = START
  private pieces: Uint8Array[] = []
  /** Memory of our own for what follows those, and where it ends. */
  private own: Uint8Array | undefined
  private end = 0

  constructor(framing: Framing) {
    this.framing = framing
  }

  /** What these octets become: views of them where little is to be changed, twice as many at the most, and two. */
  write(bytes: Uint8Array): readonly Uint8Array[] {
    if (bytes.length === 0) return []
    if (this.framing === 'octets') {
      this.octets += bytes.length
      return [bytes]
    }
    let from = 0
    if (this.state === AFTER_CR) {
      this.lineEnd(bytes)
      if (bytes[0] === LF) from = 1
    }
    while (from < bytes.length) {
      if (bytes[from] === LF) {
        // RFC 5321 §2.3.8: no LF without CR. To some server it would be a line end, and a dot behind it the end of the message.
        this.lineEnd(bytes)
        from++
      } else from = this.text(bytes, from)
    }
    const { pieces, own } = this
    if (own !== undefined) pieces.push(own.subarray(0, this.end))
    this.pieces = []
    this.own = undefined
    return pieces
  }

  /** The content is complete: what is missing of its last line end. */
  finish(): Uint8Array {
    if (this.state === START || this.framing === 'octets') return NONE
    this.state = START
    this.octets += 2
    return CRLF
  }

  /** Text from `from`, which is no LF, up to the next thing that matters; where reading goes on. */
  private text(bytes: Uint8Array, from: number): number {
    const last = bytes.length - 1
    // RFC 5321 §4.5.2.
    if (this.state === START && bytes[from] === DOT && this.framing === 'dotted') {
      this.put(ONE_DOT, bytes)
    }
    const hit = findContentBreak(bytes, from, last, this.notes)
    if (hit < last) {
      // A bare CR; a character before a bare LF; the LF before a dot.
      const octet = bytes[hit]!
      this.give(bytes, from, octet === CR ? hit : hit + 1)
      if (octet === CR) this.lineEnd(bytes)
      else this.state = octet === LF ? START : TEXT
      return hit + 1
    }
    const octet = bytes[last]!
    this.give(bytes, from, octet === CR ? last : last + 1)
    this.state = octet === CR ? AFTER_CR : octet === LF ? START : TEXT
    return last + 1
  }

  private give(bytes: Uint8Array, from: number, to: number): void {
    this.octets += to - from
    this.put(bytes.subarray(from, to), bytes)
  }

  private lineEnd(bytes: Uint8Array): void {
    this.octets += 2
    this.state = START
    this.put(CRLF, bytes)
  }

  /** `of`: what is being written, that these octets are a part of or stand in. */
  private put(octets: Uint8Array, of: Uint8Array): void {
    if (this.own === undefined && this.pieces.length < PIECES) {
      if (octets.length > 0) this.pieces.push(octets)
      return
    }
    const own = this.roomFor(octets.length, of)
    own.set(octets, this.end)
    this.end += octets.length
  }

  private roomFor(octets: number, { length }: Uint8Array): Uint8Array {
    const { own } = this
    if (own === undefined) this.end = 0
    else if (this.end + octets <= own.length) return own
    // Of mail that people write few lines begin with a dot: a little more is room enough, and otherwise all that it can take.
    const room = new Uint8Array(own === undefined ? length + (length >> 5) + 16 : 2 * length + 2)
    if (own !== undefined) room.set(own)
    return this.own = room
  }
}
