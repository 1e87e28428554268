const LF = 10
const CR = 13
const SPACE = 32
const TAB = 9
/** `received:` in lower case; a colon keeps its value when the case bit is set. */
const RECEIVED = Uint8Array.of(114, 101, 99, 101, 105, 118, 101, 100, 58)

/**
 * Watches the header of a message go by: its size, the size of its largest field, the hops it has made. Pieces may be cut
 * anywhere.
 */
export class HeaderWatch {
  /** `Received:` fields. */
  hops = 0
  /** Octets of the header so far. */
  octets = 0
  /** Octets of the longest field. */
  longestField = 0
  /** The empty line has been seen: nothing more to watch. */
  done = false
  private column = 0
  private matched = 0
  private field = 0
  private onlyCr = false

  feed(bytes: Uint8Array): void {
    const end = bytes.length
    let at = 0
    while (at < end && !this.done) {
      if (this.column < RECEIVED.length) {
        this.lead(bytes[at++]!)
        continue
      }
      // Behind the name nothing matters but where the line ends.
      const feed = bytes.indexOf(LF, at)
      const to = feed < 0 ? end : feed
      this.octets += to - at
      this.field += to - at
      at = to
      if (feed >= 0) {
        this.lineEnd()
        at++
      }
    }
    if (this.field > this.longestField) this.longestField = this.field
  }

  private lead(octet: number): void {
    if (octet === LF) {
      if (this.column === 0) this.field = 0
      if (this.column === 0 || (this.column === 1 && this.onlyCr)) this.done = true
      this.lineEnd()
      return
    }
    if (this.column === 0) {
      this.onlyCr = octet === CR
      this.matched = 0
      // A line that begins with white space goes on with the field (RFC 5322 §2.2.3).
      if (octet !== SPACE && octet !== TAB) this.field = 0
    }
    if (this.matched === this.column && (octet | 32) === RECEIVED[this.column] && ++this.matched === RECEIVED.length) this.hops++
    this.column++
    this.octets++
    this.field++
  }

  private lineEnd(): void {
    this.octets++
    this.field++
    this.column = 0
    if (this.field > this.longestField) this.longestField = this.field
  }
}
