import { octets } from '../protocol/bytes/text.ts'
import { formatFromLine, type MboxQuoting } from './mbox.ts'

/** Puts messages into an mbox file, one after the other, as they stream by. */
export interface MboxWriter {
  /** A message begins. `date`: milliseconds since the Unix epoch; see `formatFromLine` for what becomes of odd ones. */
  begin(sender: string | null, date: number): Uint8Array
  /** Its next octets, in any portions. */
  push(bytes: Uint8Array): Uint8Array
  /** It is over. */
  end(): Uint8Array
}

/** How an mbox file is written. */
export interface MboxWriterOptions {
  /** mboxrd unless told otherwise: the one of the two that can be read again. */
  readonly quoting?: MboxQuoting
}

/**
 * Writes an mbox file (RFC 4155). What `createMboxReader` gives of it is the same messages, if CR and LF occur only together in
 * them and they end in CRLF or are empty (RFC 5322 §2.3). CRLF becomes LF; a message that does not end its last line gets a line
 * end; LF alone is a line end; CR alone stays.
 */
export function createMboxWriter({ quoting = 'mboxrd' }: MboxWriterOptions = {}): MboxWriter {
  return new Writer(quoting)
}

const [LF, CR, QUOTE] = [10, 13, 62]
const FROM = octets('From ')

/**
 * States of a line: quotes (only `>` so far), From (so many octets of `From ` after them, held), passing; and whether a CR is
 * held that may belong to a line end.
 */
class Writer implements MboxWriter {
  readonly #quoting: MboxQuoting
  #quotes = 0
  /** Octets of `From ` that are held; -1: the line has passed that point. */
  #matched = 0
  #cr = false
  /** Nothing has come since the last line end. */
  #ended = true
  #room = new Uint8Array(0)
  #used = 0

  constructor(quoting: MboxQuoting) {
    this.#quoting = quoting
  }

  begin(sender: string | null, date: number): Uint8Array {
    this.#startLine()
    return octets(formatFromLine(sender, date))
  }

  push(bytes: Uint8Array): Uint8Array {
    // One quote a line that is at least five octets long; what is held may come with it.
    this.#room = new Uint8Array(bytes.length + Math.ceil(bytes.length / 5) + 16)
    this.#used = 0
    for (let at = 0; at < bytes.length;) {
      if (this.#matched < 0 && !this.#cr) at = this.#pass(bytes, at)
      else this.#octet(bytes[at++] as number)
    }
    return this.#room.subarray(0, this.#used)
  }

  end(): Uint8Array {
    this.#room = new Uint8Array(16)
    this.#used = 0
    this.#release()
    if (this.#cr) this.#put(CR)
    if (!this.#ended) this.#put(LF)
    this.#put(LF)
    this.#startLine()
    return this.#room.subarray(0, this.#used)
  }

  /** Goes on to the next CR or LF. */
  #pass(bytes: Uint8Array, from: number): number {
    let at = from
    while (at < bytes.length && bytes[at] !== LF && bytes[at] !== CR) at++
    this.#room.set(bytes.subarray(from, at), this.#used)
    this.#used += at - from
    if (at === bytes.length) return at
    this.#octet(bytes[at] as number)
    return at + 1
  }

  #octet(octet: number): void {
    if (octet === LF) {
      this.#release()
      this.#put(LF)
      this.#startLine()
      return
    }
    if (this.#cr) this.#put(CR)
    this.#cr = false
    this.#ended = false
    if (this.#matched === 0 && octet === QUOTE) {
      this.#quotes++
      this.#put(octet)
    } else if (this.#matched >= 0 && octet === FROM[this.#matched]) {
      if (++this.#matched < FROM.length) return
      if (this.#quoting === 'mboxrd' || this.#quotes === 0) this.#put(QUOTE)
      this.#release()
    } else {
      this.#release()
      if (octet === CR) this.#cr = true
      else this.#put(octet)
    }
  }

  /** What is held of `From ` goes on its way. */
  #release(): void {
    for (let i = 0; i < this.#matched; i++) this.#put(FROM[i] as number)
    this.#matched = -1
  }

  #startLine(): void {
    this.#quotes = this.#matched = 0
    this.#cr = false
    this.#ended = true
  }

  #put(octet: number): void {
    this.#room[this.#used++] = octet
  }
}
