import { octetString } from './text.ts'

const LF = 10

/**
 * What a session has received and not yet used: lines are cut from it, content is read from it in place. Whole chunks are kept as
 * they came; of a line that has not ended only a bounded beginning is kept, as text.
 */
export class Input {
  /** The chunk at hand, if any octet of it is unread. */
  bytes: Uint8Array | undefined
  /** Where reading goes on in it. */
  at = 0
  /** Octets of the line that is being read, as far as it came in earlier chunks; beyond `keep` they are counted only. */
  begun = 0
  private partial = ''
  private waiting: Uint8Array[] | undefined
  private waitingOctets = 0

  /** Takes a chunk. The caller does not change it any more. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    if (this.bytes === undefined) {
      this.bytes = chunk
      this.at = 0
      return
    }
    this.waiting ??= []
    this.waiting.push(chunk)
    this.waitingOctets += chunk.length
  }

  /** Octets that are held. */
  get held(): number {
    return (this.bytes === undefined ? 0 : this.bytes.length - this.at) + this.waitingOctets
  }

  /** The first octets of the next line, as far as they are there. */
  peek(octets: number): string {
    if (this.partial.length >= octets || this.bytes === undefined) return this.partial
    return this.partial + octetString(this.bytes, this.at, Math.min(this.bytes.length, this.at + octets - this.partial.length))
  }

  /**
   * The next line without its LF, or `undefined` when it has not ended yet. Of a line longer than `keep` octets only the first
   * `keep` are given; `lineOctets` tells how long it was.
   */
  line(keep: number): string | undefined {
    while (this.bytes !== undefined) {
      const feed = this.bytes.indexOf(LF, this.at)
      const end = feed < 0 ? this.bytes.length : feed
      const room = keep - this.partial.length
      const text = room > 0 ? octetString(this.bytes, this.at, Math.min(end, this.at + room)) : ''
      const octets = end - this.at
      const line = this.partial === '' ? text : this.partial + text
      if (feed >= 0) {
        this.lineOctets = this.begun + octets + 1
        this.partial = ''
        this.begun = 0
        this.moveTo(feed + 1)
        return line
      }
      this.partial = line
      this.begun += octets
      this.moveTo(end)
    }
    return undefined
  }

  /** Octets of the line that was given last, its LF included. */
  lineOctets = 0

  /** Reading goes on at `at` in the chunk at hand. */
  moveTo(at: number): void {
    if (at < this.bytes!.length) {
      this.at = at
      return
    }
    const next = this.waiting?.shift()
    if (next) this.waitingOctets -= next.length
    this.bytes = next
    this.at = 0
  }

  /** Forgets everything. */
  clear(): void {
    this.bytes = undefined
    this.waiting = undefined
    this.waitingOctets = 0
    this.partial = ''
    this.begun = 0
  }
}
