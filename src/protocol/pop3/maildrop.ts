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
  /** Messages that are not marked, and their octets together. */
  messages = 0
  octets = 0

  constructor({ uidValidity, uids, sizes }: OpenedMaildrop) {
    this.uidValidity = uidValidity
    this.uids = uids
    this.sizes = sizes
    this.marks = new Uint8Array(uids.length)
    this.reset()
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

  /** DELE of a message that is there. */
  mark(message: number): void {
    this.marks[message - 1] = 1
    this.messages--
    this.octets -= this.sizeOf(message)
  }

  /** RSET. */
  reset(): void {
    this.marks.fill(0)
    this.messages = this.last
    this.octets = this.sizes.reduce((sum, octets) => sum + octets, 0)
  }

  /** The UIDs of those that are marked, as ranges that ascend and do not touch. */
  marked(): UidRange[] {
    const ranges: { first: number; last: number }[] = []
    this.marks.forEach((isMarked, at) => {
      if (isMarked === 0) return
      const uid = this.uids[at]!
      const before = ranges[ranges.length - 1]
      if (before !== undefined && before.last + 1 === uid) before.last = uid
      else ranges.push({ first: uid, last: uid })
    })
    return ranges
  }
}
