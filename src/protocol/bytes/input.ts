import { octetString } from './text.ts'

const LF = 10

/** What a chunk costs beside its octets: a peer that sends them one by one must not make us hold thousands of objects. */
const CHUNK_COST = 512
/** Octets that the beginning of a line first gets room for. */
const FIRST_ROOM = 256
/** Octets that are known of the end of a line of which only the beginning was kept. */
const TAIL = 24

/**
 * What a session has received and not yet used: lines are cut from it, content is read from it in place. Whole chunks are kept as
 * they came; of a line that has not ended only a bounded beginning is kept.
 */
export class Input {
  /** The chunk at hand, if any octet of it is unread. */
  bytes: Uint8Array | undefined
  /** Where reading goes on in it. */
  at = 0
  /** Octets of the line that is being read, as far as it came in earlier chunks; beyond `keep` they are counted only. */
  begun = 0
  /** The beginning of that line. Octets rather than text: a string put together one by one would weigh thirty times as much. */
  private partial: Uint8Array | undefined
  private partialOctets = 0
  private tail = ''
  private waiting: Uint8Array[] | undefined
  private waitingCost = 0

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
    this.waitingCost += chunk.length + CHUNK_COST
  }

  /** Octets that are unread; each chunk that waits behind the one at hand counts for 512 more. */
  get held(): number {
    return (this.bytes === undefined ? 0 : this.bytes.length - this.at) + this.waitingCost
  }

  /** The first octets of the next line, as far as they are there. */
  peek(octets: number): string {
    let text = this.partial === undefined ? '' : octetString(this.partial, 0, Math.min(this.partialOctets, octets))
    if (this.bytes === undefined || text.length === octets) return text
    text += octetString(this.bytes, this.at, Math.min(this.bytes.length, this.at + octets - text.length))
    for (let next = 0; text.length < octets && this.waiting !== undefined && next < this.waiting.length; next++) {
      const chunk = this.waiting[next]!
      text += octetString(chunk, 0, Math.min(chunk.length, octets - text.length))
    }
    return text
  }

  /**
   * The next line without its LF, or `undefined` when it has not ended yet. Of a line longer than `keep` octets only the first
   * `keep` are given; `lineOctets` tells how long it was.
   */
  line(keep: number): string | undefined {
    while (this.bytes !== undefined) {
      const { bytes, at } = this
      const feed = bytes.indexOf(LF, at)
      const end = feed < 0 ? bytes.length : feed
      if (feed < 0 || this.partial !== undefined) this.keepBegun(bytes, at, end, keep)
      if (feed >= 0) {
        const { partial } = this
        const line = partial ? octetString(partial, 0, this.partialOctets) : octetString(bytes, at, Math.min(end, at + keep))
        this.lineOctets = this.begun + end - at + 1
        if (this.lineOctets - 1 > keep) this.lineTail = this.tailWith(bytes, at, end)
        this.forgetBegun()
        this.moveTo(feed + 1)
        return line
      }
      this.begun += end - at
      if (this.begun > keep - TAIL) this.tail = this.tailWith(bytes, at, end)
      this.moveTo(end)
    }
    return undefined
  }

  /** Octets of the line that was given last, its LF included. */
  lineOctets = 0
  /** The last octets before its LF, 24 at most, where it was longer than what was kept of it. */
  lineTail = ''

  /** Reading goes on at `at` in the chunk at hand. */
  moveTo(at: number): void {
    if (at < this.bytes!.length) {
      this.at = at
      return
    }
    const next = this.waiting?.shift()
    if (next) this.waitingCost -= next.length + CHUNK_COST
    this.bytes = next
    this.at = 0
  }

  /** Forgets everything. */
  clear(): void {
    this.bytes = undefined
    this.waiting = undefined
    this.waitingCost = 0
    this.forgetBegun()
  }

  private tailWith(bytes: Uint8Array, from: number, to: number): string {
    return (this.tail + octetString(bytes, Math.max(from, to - TAIL), to)).slice(-TAIL)
  }

  private keepBegun(bytes: Uint8Array, from: number, to: number, keep: number): void {
    const octets = Math.min(to - from, keep - this.partialOctets)
    if (octets <= 0) return
    const needed = this.partialOctets + octets
    if (this.partial === undefined || this.partial.length < needed) {
      const wider = new Uint8Array(Math.min(keep, Math.max(FIRST_ROOM, 2 * needed)))
      if (this.partial) wider.set(this.partial.subarray(0, this.partialOctets))
      this.partial = wider
    }
    this.partial.set(bytes.subarray(from, from + octets), this.partialOctets)
    this.partialOctets = needed
  }

  private forgetBegun(): void {
    this.partial = undefined
    this.partialOctets = 0
    this.tail = ''
    this.begun = 0
  }
}
