import { findDashes, scanNotes } from '../protocol/bytes/scan.ts'
import { isAttachment } from './attachments.ts'
import type { Budgets } from './budgets.ts'
import { Delimiters, type Told } from './delimiters.ts'
import type { MessageFacts } from './facts.ts'
import { HeaderReader } from './header-reader.ts'
import { ancestryOfFields } from './id-fields.ts'
import { Oddities } from './oddities.ts'
import { OpenPart } from './open-part.ts'
import type { PartHeader } from './part-header.ts'
import type { Part } from './structure.ts'
import { TextSamples } from './text-samples.ts'

const LF = 10
const CR = 13
const DASH = 45

/** Where the scan stands: see {@link StructureScan}. */
const HEADER = 0
const HEADER_LINE = 1
const BEHIND_HEADER = 2
const BODY = 3
const BODY_LINE = 4
const DELIMITER = 5
type State = typeof HEADER | typeof HEADER_LINE | typeof BEHIND_HEADER | typeof BODY | typeof BODY_LINE | typeof DELIMITER

const nothing = new Uint8Array(0)

/**
 * The scan of a message for its parts, in one pass, without recursion.
 *
 * | state         | the octets ahead                    | next                                                              |
 * |---------------|-------------------------------------|-------------------------------------------------------------------|
 * | HEADER        | begin a line of a header            | empty line: BEHIND_HEADER; delimiter: DELIMITER; else HEADER_LINE |
 * | HEADER_LINE   | stand in a line of a header         | behind LF: HEADER                                                 |
 * | BEHIND_HEADER | begin a body                        | delimiter: DELIMITER; of a message: HEADER; else BODY             |
 * | BODY          | begin a line of a body              | delimiter: DELIMITER; else BODY_LINE                              |
 * | BODY_LINE     | stand in a line of a body           | behind LF, before two dashes: BODY                                |
 * | DELIMITER     | stand in a delimiter                | behind LF: HEADER of the next part, or BODY (epilogue)            |
 *
 * What is a part's and what is not is as Dovecot has it, whose answers IMAP clients are used to. The line end before a
 * delimiter is the delimiter's (RFC 2046 §5.1.1), unless the line before is a delimiter, too; delimiters end headers.
 */
export class StructureScan {
  readonly #budgets: Budgets
  readonly #oddities = new Oddities()
  readonly #headers: HeaderReader
  readonly #notes = scanNotes()
  readonly #delimiters: Delimiters
  readonly #samples = new TextSamples()
  #state: State = HEADER
  /** The octets at hand, and where they begin in the message. */
  #window: Uint8Array = nothing
  #base = 0
  /** The next octet, as an index into the window. */
  #at = 0
  /** The octet before the window. */
  #before = 0
  /** Octets of the line end before the line at hand; 0 where they belong to what came before. */
  #lineEnd = 0
  #open: OpenPart = new OpenPart(undefined, 0)
  #depth = 1
  #count = 1
  /** What the header at hand says, where it was read before its end because it goes beyond the budget. */
  #early: PartHeader | undefined
  #eightBit = false
  #nul = false
  #attachments = 0
  #root: Part | undefined

  constructor(budgets: Budgets) {
    this.#budgets = budgets
    this.#headers = new HeaderReader(budgets, this.#oddities)
    this.#delimiters = new Delimiters(budgets, this.#oddities)
  }

  /** Octets compared in search of delimiters. */
  get work(): number {
    return this.#delimiters.work
  }

  /**
   * Goes on with `window`. `final`: nothing comes behind it. Returns how many octets are done with; the others are to be
   * given again, with more behind them. Keeps no view of the window, but of the last one until `facts`.
   */
  run(window: Uint8Array, final: boolean): number {
    // A view of its own: scans tell windows apart by identity, and the same array may come again with other octets in it.
    this.#window = window.subarray()
    while (this.#step(final));
    if (final) this.#finish()
    this.#samples.take(window, this.#base, final)
    const done = final ? window.length : this.#done()
    if (done > 0) this.#before = window[done - 1]!
    this.#base += done
    this.#at -= done
    this.#window = nothing
    return done
  }

  /** Octets before the first that is still needed: a header is read when its end is known, or when it goes beyond the budget. */
  #done(): number {
    if (this.#early || (this.#state !== HEADER && this.#state !== HEADER_LINE)) return this.#at
    const start = this.#open.header - this.#base
    if (this.#at - start <= this.#headers.left) return start
    this.#early = this.#read(this.#at)
    return this.#at
  }

  /** One step; `false`: more octets are needed. */
  #step(final: boolean): boolean {
    switch (this.#state) {
      case HEADER:
        return this.#header(final)
      case HEADER_LINE:
        return this.#headerLine()
      case BEHIND_HEADER:
        return this.#behindHeader(final)
      case BODY:
        return this.#body(final)
      case BODY_LINE:
        return this.#bodyLine()
      case DELIMITER:
        return this.#delimiterEnd()
    }
  }

  #header(final: boolean): boolean {
    const bytes = this.#window
    while (this.#at < bytes.length) {
      const octet = bytes[this.#at]
      if (octet === LF) return this.#emptyLine(1)
      if (octet === CR) {
        if (this.#at + 1 < bytes.length) {
          if (bytes[this.#at + 1] === LF) return this.#emptyLine(2)
        } else if (!final) return false
      } else if (octet === DASH) {
        const told = this.#tell(final)
        if (told === 'unknown') return false
        if (told === 'delimiter') return this.#cutHeader()
      }
      if (!this.#headerLine()) return false
    }
    return false
  }

  /** Passes the rest of a header line; `false`: it goes on behind the window. */
  #headerLine(): boolean {
    const feed = this.#window.indexOf(LF, this.#at)
    if (feed < 0) {
      this.#at = this.#window.length
      this.#state = HEADER_LINE
      return false
    }
    this.#noteLineEnd(feed)
    this.#state = HEADER
    return true
  }

  /** Passes the LF that ends a line. */
  #noteLineEnd(feed: number): void {
    this.#lineEnd = (feed > 0 ? this.#window[feed - 1] : this.#before) === CR ? 2 : 1
    this.#notes.lines++
    this.#at = feed + 1
  }

  #emptyLine(octets: number): true {
    this.#at += octets
    this.#lineEnd = octets
    this.#notes.lines++
    this.#endHeader(true)
    this.#state = BEHIND_HEADER
    return true
  }

  /** The header at hand ends before the next octet. `whole`: with an empty line. */
  #endHeader(whole: boolean): void {
    const part = this.#open
    const header = this.#early ?? this.#read(this.#at)
    if (!this.#headers.spend(this.#base + this.#at - part.header)) {
      this.#delimiters.stopped = true
      this.#oddities.note('over-headers', part.header)
    }
    part.describe(header)
    part.body = this.#base + this.#at
    part.linesBefore = this.#notes.lines
    if (!whole) this.#oddities.note('unended-header', part.header)
    this.#oddities.noteHeader(header, part)
    if (part.holding === 'message') this.#allow(this.#count < this.#budgets.parts)
    else if (part.holding === 'parts' && part.boundary !== undefined && whole && this.#allow(true)) this.#delimiters.add(part)
  }

  /** Whether the part at hand may be taken apart; if not, it is left in one piece. */
  #allow(enough: boolean): boolean {
    const part = this.#open
    const { stopped } = this.#delimiters
    if (!stopped && enough && this.#depth < this.#budgets.depth) return true
    if (!stopped) this.#oddities.note(enough ? 'over-depth' : 'over-parts', part.header)
    part.seal()
    return false
  }

  /** Reads the header at hand, up to the octet at `to`. */
  #read(to: number): PartHeader {
    return this.#headers.read(this.#open, this.#window, this.#open.header - this.#base, to)
  }

  /** A delimiter where a header line should be: the header ends before the line end. */
  #cutHeader(): true {
    this.#at -= this.#lineEnd
    if (this.#lineEnd > 0) this.#notes.lines--
    this.#endHeader(false)
    return this.#cutBehind()
  }

  #behindHeader(final: boolean): boolean {
    const told = this.#tell(final)
    if (told === 'unknown') return false
    if (told === 'delimiter' && this.#delimiters.found !== this.#open) {
      // The empty line's end is the delimiter's.
      this.#at -= this.#lineEnd
      this.#notes.lines--
      this.#open.body -= this.#lineEnd
      this.#open.linesBefore--
      return this.#cutBehind()
    }
    this.#forget()
    this.#lineEnd = 0
    if (told === 'delimiter') this.#cut()
    else if (this.#open.holding === 'message') this.#openPart()
    else {
      this.#state = BODY
      this.#samples.begin(this.#open, this.#base + this.#at)
    }
    return true
  }

  /**
   * Behind a header that a delimiter ended, at the line end before it: the part ends before the line end, but the parts that
   * hold it and end here, too, end behind.
   */
  #cutBehind(): true {
    const lineEnd = this.#lineEnd
    if (this.#open.holding === 'message') {
      this.#openPart()
      this.#endHeader(false)
      this.#close(this.#base + this.#at, this.#notes.lines)
    }
    this.#close(this.#base + this.#at, this.#notes.lines)
    this.#at += lineEnd
    if (lineEnd > 0) this.#notes.lines++
    this.#lineEnd = 0
    this.#cut()
    return true
  }

  #body(final: boolean): boolean {
    const told = this.#tell(final)
    if (told === 'unknown' || (told === 'text' && this.#at === this.#window.length)) return false
    if (told === 'delimiter') this.#cut()
    else this.#state = BODY_LINE
    return true
  }

  #bodyLine(): boolean {
    const bytes = this.#window
    const notes = this.#notes
    const stops = this.#delimiters.any
    const to = bytes.length - 2
    let at = this.#at
    while (at < to) {
      at = findDashes(bytes, at, to, notes)
      if (at === to) break
      if (stops) return this.#endBodyLine(at)
      at++
    }
    // The last two octets: what follows them is not known yet.
    for (; at < bytes.length; at++) {
      const octet = bytes[at]!
      this.#noteOctet(octet)
      if (octet !== LF) continue
      notes.lines++
      if (stops) return this.#endBodyLine(at)
    }
    this.#at = at
    return false
  }

  /** Behind the LF that ends a line and has been counted. */
  #endBodyLine(feed: number): true {
    this.#notes.lines--
    this.#noteLineEnd(feed)
    this.#state = BODY
    return true
  }

  /** Whether the line at hand is a delimiter. */
  #tell(final: boolean): Told {
    return this.#delimiters.tell(this.#window, this.#at, final, this.#base + this.#at, this.#count)
  }

  /** At a delimiter: what it ends ends before the line end before it. */
  #cut(): void {
    const delimiters = this.#delimiters
    const found = delimiters.found!
    const end = this.#base + this.#at - this.#lineEnd
    const lines = this.#notes.lines - (this.#lineEnd > 0 ? 1 : 0)
    while (this.#open !== found) this.#close(end, lines)
    found.delimited = true
    found.ended = delimiters.last
    this.#at += delimiters.length
    delimiters.pass()
    this.#state = DELIMITER
  }

  #delimiterEnd(): boolean {
    const bytes = this.#window
    let at = this.#at
    for (; at < bytes.length && bytes[at] !== LF; at++) this.#noteOctet(bytes[at]!)
    this.#at = at
    if (at === bytes.length) return false
    this.#noteLineEnd(at)
    this.#lineEnd = 0
    this.#forget()
    if (this.#open.ended) this.#state = BODY
    else this.#openPart()
    return true
  }

  #noteOctet(octet: number): void {
    if (octet > 127) this.#notes.high = true
    else if (octet === 0) this.#notes.nul = true
  }

  /** A part begins with the next octet, in the one that is open. */
  #openPart(): void {
    this.#open = new OpenPart(this.#open, this.#base + this.#at)
    this.#depth++
    this.#count++
    this.#early = undefined
    this.#lineEnd = 0
    this.#state = HEADER
  }

  #close(end: number, lines: number): void {
    const part = this.#open
    const leaf = part.holding === 'nothing'
    const closed = part.close(end, lines, leaf && this.#notes.high, leaf && this.#notes.nul)
    this.#forget()
    if (leaf) this.#samples.end(end)
    if (isAttachment(part)) this.#attachments++
    this.#oddities.noteEnd(part)
    this.#depth--
    if (part.holder) this.#open = part.holder
    else this.#root = closed
  }

  /** What was noted of the octets so far belongs to no part to come. */
  #forget(): void {
    const notes = this.#notes
    if (notes.high) this.#eightBit = true
    if (notes.nul) this.#nul = true
    notes.high = notes.nul = false
  }

  /** The message is over. */
  #finish(): void {
    while (this.#state === HEADER || this.#state === HEADER_LINE) {
      this.#endHeader(false)
      this.#state = BODY
      if (this.#open.holding === 'message') this.#openPart()
    }
    while (!this.#root) this.#close(this.#base + this.#window.length, this.#notes.lines)
  }

  /** What was found. Behind the last `run`. */
  facts(): MessageFacts {
    const { envelope = {}, ids } = this.#open
    const { messageId, references } = ancestryOfFields(ids!)
    return {
      octets: this.#base,
      lines: this.#notes.lines,
      structure: this.#root!,
      envelope,
      ...(messageId === undefined ? {} : { messageId }),
      references,
      attachments: this.#attachments,
      preview: this.#samples.preview(),
      eightBit: this.#eightBit || this.#headers.eightBit,
      nul: this.#nul || this.#headers.nul,
      oddities: this.#oddities.list(),
    }
  }
}
