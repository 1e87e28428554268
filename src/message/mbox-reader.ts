import { octets, octetString } from '../protocol/bytes/text.ts'
import { type FromLine, type MboxQuoting, MOST_FROM_LINE, parseFromLine } from './mbox.ts'

/** What a piece of an mbox file tells. */
export type MboxPiece =
  | { readonly kind: 'begin'; readonly from: FromLine }
  /** Octets of the message, with CRLF line ends and without quotes. */
  | { readonly kind: 'octets'; readonly octets: Uint8Array }
  | { readonly kind: 'end' }

/** Takes an mbox file apart as it streams by. */
export interface MboxReader {
  /** The next octets, in any portions. The pieces are views of memory that is used for nothing else. */
  push(bytes: Uint8Array): readonly MboxPiece[]
  /** The file is over. */
  end(): readonly MboxPiece[]
  /** Octets before the first message, which belong to none. */
  readonly skipped: number
}

/** How an mbox file is read. */
export interface MboxReaderOptions {
  /** How the file was written; mboxrd unless told otherwise. */
  readonly quoting?: MboxQuoting
}

/**
 * Reads an mbox file (RFC 4155), in one pass that holds no more than a line's beginning. LF and CRLF alike become CRLF; the empty
 * line before the next message is not part of the one before. Content-Length is not looked at: it is wrong as soon as anybody has
 * touched the file. Total: whatever comes, it never throws.
 *
 * States of a line: beginning (what it is is not yet known; a `>` and its beginning are held) and passing.
 */
export function createMboxReader({ quoting = 'mboxrd' }: MboxReaderOptions = {}): MboxReader {
  return new Reader(quoting)
}

const [LF, CR, QUOTE] = [10, 13, 62]
const FROM = octets('From ')
const CRLF = octets('\r\n')
const ONE_QUOTE = octets('>')

class Reader implements MboxReader {
  skipped = 0
  readonly #quoting: MboxQuoting
  #pieces: MboxPiece[] = []
  #inMessage = false
  #passing = false
  /** The line before was empty: part of the message only if another line follows. */
  #blank = false
  #quotes = 0
  readonly #held = new Uint8Array(MOST_FROM_LINE)
  #heldLength = 0
  /** The last octet that was put was a CR. */
  #cr = false
  #room = new Uint8Array(0)
  #used = 0
  #from = 0

  constructor(quoting: MboxQuoting) {
    this.#quoting = quoting
  }

  push(bytes: Uint8Array): readonly MboxPiece[] {
    // Each octet becomes two at most; what was held, and the CRLF of an empty line, may come with them.
    this.#room = new Uint8Array(2 * bytes.length + MOST_FROM_LINE + 8)
    this.#used = this.#from = 0
    for (let at = 0; at < bytes.length;) {
      if (!this.#passing) {
        this.#begin(bytes[at++] as number)
        continue
      }
      const lf = bytes.indexOf(LF, at)
      const end = lf < 0 ? bytes.length : lf
      this.#put(bytes.subarray(at, end))
      at = end
      if (lf < 0) continue
      this.#endLine()
      at++
    }
    return this.#take()
  }

  end(): readonly MboxPiece[] {
    this.#room = new Uint8Array(2 * MOST_FROM_LINE + 8)
    this.#used = this.#from = 0
    const from = !this.#passing && this.#quotes === 0 ? this.#fromLine() : undefined
    if (from) this.#next(from)
    else if (!this.#passing) this.#pass()
    this.#flush()
    if (this.#inMessage) this.#pieces.push({ kind: 'end' })
    this.#inMessage = false
    return this.#take()
  }

  /** An octet of a line of which is not yet known what it is. */
  #begin(octet: number): void {
    if (octet === QUOTE && this.#heldLength === 0) {
      // One is held, until it is known whether it stands for something.
      if (this.#quotes++ > 0) this.#put(ONE_QUOTE)
      return
    }
    this.#held[this.#heldLength++] = octet
    const length = this.#heldLength
    if (this.#held[0] === FROM[0] && (length > FROM.length || octet === FROM[length - 1])) {
      if (length < FROM.length) return
      if (this.#quotes > 0) {
        const unquote = this.#quoting === 'mboxrd' || this.#quotes === 1
        if (unquote) this.#quotes = 0
        this.#pass()
      } else if (octet === LF) {
        const from = this.#fromLine()
        if (from) this.#next(from)
        else this.#passLine()
      } else if (length === MOST_FROM_LINE) this.#pass()
      return
    }
    if (this.#quotes === 0 && octet === CR && length === 1) return
    if (octet === LF) this.#passLine()
    else this.#pass()
  }

  #fromLine(): FromLine | undefined {
    return parseFromLine(octetString(this.#held, 0, this.#heldLength))
  }

  /** A message begins; the one before is over, without the empty line. */
  #next(from: FromLine): void {
    this.#flush()
    if (this.#inMessage) this.#pieces.push({ kind: 'end' })
    this.#pieces.push({ kind: 'begin', from })
    this.#inMessage = true
    this.#blank = false
    this.#heldLength = 0
    this.#cr = false
  }

  /** It is a line of the message: what was held goes on its way. */
  #pass(): void {
    if (this.#quotes > 0) this.#put(ONE_QUOTE)
    this.#put(this.#held.subarray(0, this.#heldLength))
    this.#quotes = this.#heldLength = 0
    this.#passing = true
  }

  /** The same, of a line that is held as a whole. */
  #passLine(): void {
    const length = this.#heldLength - 1
    const empty = this.#quotes === 0 && (length === 0 || (length === 1 && this.#held[0] === CR))
    if (empty) {
      if (this.#blank) this.#putOctets(CRLF)
      this.#blank = true
      this.#heldLength = 0
      return
    }
    this.#heldLength = length
    this.#pass()
    this.#endLine()
  }

  #endLine(): void {
    this.#putOctets(this.#cr ? CRLF.subarray(1) : CRLF)
    this.#cr = false
    this.#passing = false
  }

  #put(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    if (this.#blank) this.#putOctets(CRLF)
    this.#blank = false
    this.#putOctets(bytes)
    this.#cr = bytes[bytes.length - 1] === CR
  }

  #putOctets(bytes: Uint8Array): void {
    if (!this.#inMessage) {
      this.skipped += bytes.length
      return
    }
    this.#room.set(bytes, this.#used)
    this.#used += bytes.length
  }

  #flush(): void {
    if (this.#used > this.#from) this.#pieces.push({ kind: 'octets', octets: this.#room.subarray(this.#from, this.#used) })
    this.#from = this.#used
  }

  #take(): readonly MboxPiece[] {
    this.#flush()
    const pieces = this.#pieces
    this.#pieces = []
    return pieces
  }
}
