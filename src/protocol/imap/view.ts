import { common, each, type NumberRange, type NumberSet, reaching, without } from '../bytes/number-set.ts'

/**
 * What a client has been told of the mailbox it has selected: which UID each sequence number means (RFC 9051 §2.3.1.2). It
 * changes only where the client is told that it does; what has happened in the mailbox since then is not here.
 */
export class View {
  /** Those that it was made with may be another's too: the first change makes them its own. */
  private ranges: NumberSet = []
  private isOwn = false
  /** How many messages lie before each range. */
  private before: number[] = []
  private count = 0

  /** Messages the client knows of. */
  get exists(): number {
    return this.count
  }

  /** All UIDs. */
  get uids(): NumberSet {
    return this.ranges
  }

  /** The highest UID, 0 where there is none. */
  get lastUid(): number {
    return this.ranges[this.ranges.length - 1]?.last ?? 0
  }

  /** The UID of a sequence number, which lies in 1 to `exists`. */
  uidOf(sequence: number): number {
    let low = 0
    let high = this.ranges.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.before[middle]! < sequence) low = middle
      else high = middle - 1
    }
    return this.ranges[low]!.first + sequence - 1 - this.before[low]!
  }

  /** The sequence number of a UID, or 0 where the client knows of no such message. */
  sequenceOf(uid: number): number {
    const at = reaching(this.ranges, uid)
    const range = this.ranges[at]
    return range === undefined || range.first > uid ? 0 : this.before[at]! + uid - range.first + 1
  }

  /** The UIDs that sequence numbers mean; they lie in 1 to `exists`. */
  uidsOf(sequences: NumberSet): NumberSet {
    const uids: NumberRange[] = []
    for (const { first, last } of sequences) {
      const from = this.uidOf(first)
      const to = this.uidOf(last)
      for (let at = reaching(this.ranges, from); at < this.ranges.length && this.ranges[at]!.first <= to; at++) {
        uids.push({ first: Math.max(from, this.ranges[at]!.first), last: Math.min(to, this.ranges[at]!.last) })
      }
    }
    return uids
  }

  /** The sequence numbers of those of the UIDs that are known. */
  sequencesOf(uids: NumberSet): NumberSet {
    const sequences: { first: number; last: number }[] = []
    for (const { first, last } of common(this.ranges, uids)) {
      const from = this.sequenceOf(first)
      const to = from + last - first
      const previous = sequences[sequences.length - 1]
      if (previous !== undefined && previous.last + 1 === from) previous.last = to
      else sequences.push({ first: from, last: to })
    }
    return sequences
  }

  /** Messages have come: UIDs above all that were known. */
  add(uids: NumberSet): void {
    if (this.count === 0) return this.begin(uids)
    if (!this.isOwn) this.ranges = [...this.ranges]
    this.isOwn = true
    const ranges = this.ranges as NumberRange[]
    for (const { first, last } of uids) {
      const at = ranges.length - 1
      const previous = ranges[at]!
      if (previous.last + 1 === first) ranges[at] = { first: previous.first, last }
      else {
        ranges.push({ first, last })
        this.before.push(this.count)
      }
      this.count += last - first + 1
    }
  }

  private begin(uids: NumberSet): void {
    this.ranges = uids
    this.isOwn = false
    this.before = uids.map(({ first, last }) => {
      const before = this.count
      this.count += last - first + 1
      return before
    })
  }

  /**
   * Messages are gone. Gives their sequence numbers from the highest down: each is right whether or not the client has already
   * taken those before it out (RFC 9051 §7.5.1).
   */
  remove(uids: NumberSet): number[] {
    const gone: number[] = []
    for (const uid of each(common(this.ranges, uids))) gone.push(this.sequenceOf(uid))
    if (gone.length === 0) return gone
    const left = without(this.ranges, uids)
    this.count = 0
    this.begin(left)
    return gone.reverse()
  }
}
