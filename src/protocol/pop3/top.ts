const CR = 13
const LF = 10

/** Cuts a message behind its header, the empty line and so many lines of its body (RFC 1939 §7, TOP), in any pieces. */
export class Top {
  /** All that is wanted has been given. */
  isDone = false
  private left: number
  private inHeader = true
  /** The line at hand has an octet other than a CR at its beginning. */
  private hasText = false
  private octets = 0

  constructor(lines: number) {
    this.left = lines
  }

  /** How many of the next octets are wanted. */
  take(bytes: Uint8Array): number {
    for (let at = 0; at < bytes.length && !this.isDone;) {
      const feed = bytes.indexOf(LF, at)
      const end = feed < 0 ? bytes.length : feed
      this.look(bytes, at, end)
      if (feed < 0) return bytes.length
      at = feed + 1
      this.lineEnds()
      if (this.isDone) return at
    }
    return this.isDone ? 0 : bytes.length
  }

  /** Octets of the line at hand. */
  private look(bytes: Uint8Array, from: number, to: number): void {
    if (to === from) return
    this.hasText ||= this.octets > 0 || to - from > 1 || bytes[from] !== CR
    this.octets += to - from
  }

  private lineEnds(): void {
    if (!this.inHeader) this.left--
    else if (!this.hasText) this.inHeader = false
    this.isDone = !this.inHeader && this.left <= 0
    this.hasText = false
    this.octets = 0
  }
}
