import type { OpenedMaildrop, UidRange } from './events.ts'

/**
 * The maildrop as it stood at log-in, and which of its messages are to be deleted (RFC 1939 §5). Messages are numbered from 1; a
 * number means the same message until the end of the session.
 */
export class Maildrop {
  private readonly uidValidity: number
  private readonly uids: readonly number[]
  private readonly sizes: readonly number[]
  /** An octet a message: not 0 where it is marked. */
  private readonly marks: Uint8Array
  private readonly all: number
  private marked: number[] = []
  /** Those that were not marked when they were last gone through; `undefined`: all. */
  private left: readonly number[] | undefined
  private leftWhen = 0
  /** Messages that are not marked, and their octets together. */
  messages: number
  octets: number

  constructor({ uidValidity, uids, sizes }: OpenedMaildrop) {
    this.uidValidity = uidValidity
    this.uids = uids
    this.sizes = sizes
    this.marks = new Uint8Array(uids.length)
    this.messages = uids.length
    this.octets = this.all = sizes.reduce((sum, octets) => sum + octets, 0)
  }

  /** The highest message number, marked or not. */
  get last(): number {
    return this.uids.length
  }

  /** Whether there is such a message, and it is not marked. */
  has(message: number): boolean {
    return message >= 1 && message <= this.last && this.marks[message - 1] === 0
  }

  uidOf(message: number): number {
    return this.uids[message - 1]!
  }

  sizeOf(message: number): number {
    return this.sizes[message - 1]!
  }

  /** 1 to 70 octets of visible ASCII that no other message of the maildrop ever has (RFC 1939 §7, UIDL). */
  uniqueId(message: number): string {
    return `${this.uidValidity}-${this.uidOf(message)}`
  }

  /**
   * The numbers of those that are not marked. To go through them costs no more than they are, or were the last time: whoever has
   * marked a million messages and asks for the one that is left again and again keeps nobody waiting.
   */
  *numbers(): Generator<number> {
    if (this.leftWhen !== this.marked.length) {
      this.left = (this.left ?? this.uids.map((_, at) => at + 1)).filter((message) => this.has(message))
      this.leftWhen = this.marked.length
    }
    if (this.left) yield* this.left
    else for (let message = 1; message <= this.last; message++) yield message
  }

  /** DELE of a message that is there. */
  mark(message: number): void {
    this.marks[message - 1] = 1
    this.marked.push(message)
    this.messages--
    this.octets -= this.sizeOf(message)
  }

  /** RSET. */
  reset(): void {
    for (const message of this.marked) this.marks[message - 1] = 0
    this.marked = []
    this.left = undefined
    this.leftWhen = 0
    this.messages = this.last
    this.octets = this.all
  }

  /** The UIDs of those that are marked, as ranges that ascend and do not touch. */
  markedUids(): UidRange[] {
    const ranges: { first: number; last: number }[] = []
    for (const message of this.marked.sort((one, other) => one - other)) {
      const uid = this.uidOf(message)
      const before = ranges[ranges.length - 1]
      if (before !== undefined && before.last + 1 === uid) before.last = uid
      else ranges.push({ first: uid, last: uid })
    }
    return ranges
  }
}
