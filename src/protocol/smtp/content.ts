import { findContentBreak, scanNotes } from '../bytes/scan.ts'

/*
 * The octets of a message as they come over the wire, made the octets of the message: transparency dots removed, the end
 * recognised, line ends checked. Pure; any split of the input gives the same content.
 *
 *   state     what has been read                       next
 *   START     a line has ended with CRLF               a dot (DATA only): DOT; else TEXT
 *   DOT       a dot at the start of a line, withheld   CR: DOT_CR; else TEXT, without that dot
 *   DOT_CR    dot and CR, withheld                     LF: the end; else a bare CR
 *   TEXT      somewhere in a line                      CR: AFTER_CR
 *   AFTER_CR  a CR, at the end of the input so far     LF: START; else a bare CR
 */
type State = 0 | 1 | 2 | 3 | 4
const START: State = 0
const DOT: State = 1
const DOT_CR: State = 2
const TEXT: State = 3
const AFTER_CR: State = 4

const CR = 13
const LF = 10
const POINT = 46

const CRLF = Uint8Array.of(CR, LF)

/** How content is framed and what becomes of bare line ends: DATA or BDAT; `pass` for BINARYMIME, where octets mean nothing. */
export type LineEnds = 'reject' | 'normalize' | 'pass'

/** Takes the content of a message out of what comes: finds its end, removes dots, judges line ends. */
export class ContentReader {
  /** Where reading goes on. */
  at = 0
  /** Octets of content that the last `read` gave, or `undefined`. */
  piece: Uint8Array | undefined
  /** The end of DATA stood before `at`. */
  done = false
  /** CR or LF without the other. */
  bareLineEnds = 0
  loneDots = 0
  /** Octets given so far. */
  octets = 0
  readonly notes = scanNotes()
  private state: State = START
  private readonly dotted: boolean
  private readonly lineEnds: LineEnds

  constructor(dotted: boolean, lineEnds: LineEnds) {
    this.dotted = dotted
    this.lineEnds = lineEnds
  }

  /** Reads from `bytes[from]` up to `end` or the next piece; sets `at`, `piece` and `done`. `from` is below `end`. */
  read(bytes: Uint8Array, from: number, end: number): void {
    this.at = from
    this.piece = undefined
    if (this.lineEnds === 'pass') this.give(bytes, from, (this.at = end))
    else if (this.lead(bytes, end)) this.text(bytes, end)
    if (this.piece) this.octets += (this.piece as Uint8Array).length
  }

  /** The content is complete although no dot said so (BDAT LAST). What was withheld comes as the last piece. */
  finish(): void {
    this.piece = undefined
    if (this.state === AFTER_CR && this.lineEnds !== 'pass') this.bare()
    this.state = START
    if (this.piece) this.octets += (this.piece as Uint8Array).length
  }

  /** Deals with what the state says of the first octets; true when text follows at `at`. */
  private lead(bytes: Uint8Array, end: number): boolean {
    if (this.state === START && this.dotted && bytes[this.at] === POINT) {
      this.state = DOT
      if (++this.at === end) return false
    }
    if (this.state === DOT) {
      if (bytes[this.at] === CR) {
        this.state = DOT_CR
        if (++this.at === end) return false
      } else {
        // RFC 5321 §4.5.2: the first of two dots goes. One alone goes as well; no sound client sends it (S4).
        if (bytes[this.at] !== POINT) this.loneDots++
        this.state = TEXT
      }
    }
    if (this.state === DOT_CR) {
      if (bytes[this.at] === LF) {
        this.at++
        this.state = START
        this.done = true
      } else {
        this.loneDots++
        this.note(CR)
        this.state = TEXT
        this.bare()
      }
      return false
    }
    return this.firstOctet(bytes)
  }

  /** The first octet of a piece has its left neighbour in the state, not in the bytes. */
  private firstOctet(bytes: Uint8Array): boolean {
    const octet = bytes[this.at]!
    if (this.state === AFTER_CR) {
      if (octet !== LF) {
        this.state = TEXT
        this.bare()
        return this.piece === undefined
      }
      this.note(LF)
      this.state = START
      const from = this.at++
      // When normalising, the CR was withheld and comes with its LF.
      if (this.lineEnds === 'normalize') this.piece = CRLF
      else this.give(bytes, from, this.at)
      return false
    }
    if (octet === LF) {
      if (this.lineEnds === 'normalize') {
        this.at++
        this.note(LF)
        this.state = TEXT
        this.bare()
        return false
      }
      this.bareLineEnds++
      this.state = TEXT
    }
    return true
  }

  /** Text up to the next thing that matters. */
  private text(bytes: Uint8Array, end: number): void {
    const from = this.at
    const last = end - 1
    let at = from
    for (;;) {
      const hit = findContentBreak(bytes, at, last, this.notes)
      if (hit >= last) break
      const octet = bytes[hit]!
      if (octet === LF && bytes[hit + 1] === POINT) {
        // Only CR LF begins a line: a dot behind a bare LF is text (S1, and the reason why smuggling fails).
        if (this.dotted && hit > from && bytes[hit - 1] === CR) {
          this.state = START
          this.give(bytes, from, (this.at = hit + 1))
          return
        }
      } else if (this.lineEnds === 'normalize') {
        this.split(bytes, from, octet === CR ? hit : hit + 1, octet === CR)
        return
      } else this.bareLineEnds++
      at = hit + 1
    }
    this.tail(bytes, from, last)
  }

  /** Gives the text before a bare line end; the line end itself comes next, as CRLF. */
  private split(bytes: Uint8Array, from: number, to: number, isCr: boolean): void {
    if (!isCr) {
      this.state = TEXT
      this.give(bytes, from, (this.at = to))
      return
    }
    this.state = TEXT
    if (to > from) {
      // The CR was noted by the scan that found it, and will be again by the one that begins at it.
      this.notes.open--
      this.give(bytes, from, (this.at = to))
      return
    }
    this.at = to + 1
    this.bare()
  }

  /** The last octet has its right neighbour in what is still to come. */
  private tail(bytes: Uint8Array, from: number, last: number): void {
    const octet = bytes[last]!
    this.note(octet)
    this.at = last + 1
    this.state = octet === CR ? AFTER_CR : octet === LF && last > from && bytes[last - 1] === CR ? START : TEXT
    this.give(bytes, from, octet === CR && this.lineEnds === 'normalize' ? last : last + 1)
  }

  private give(bytes: Uint8Array, from: number, to: number): void {
    if (to > from) this.piece = bytes.subarray(from, to)
  }

  /** When rejecting, nothing is given for it: the message will be refused at its end. */
  private bare(): void {
    this.bareLineEnds++
    if (this.lineEnds === 'normalize') this.piece = CRLF
  }

  private note(octet: number): void {
    const { notes } = this
    if (octet > 127) notes.high = true
    if (octet === 0) notes.nul = true
    notes.open++
    if (octet === LF) {
      if (notes.open > notes.longest) notes.longest = notes.open
      notes.open = 0
    }
  }
}
