import { type FlagSet, flagSet } from './flags.ts'
import { Varints, VarintWriter } from './uid-set.ts'

/** The block that a UID is in: 256 UIDs each. */
export function blockOf(uid: number): number {
  return Math.floor(uid / 256)
}

/**
 * Flags of one message after they were changed. A class, for what V8 may do to literals: once it has given up the shape that a
 * literal has, because a number of another literal alike no longer fitted, it makes each in the old shape and mends it when it is
 * looked at; with thousands of marks that was a third of what a copy cost.
 */
export class Mark {
  readonly uid: number
  /** Of its last change. */
  readonly modSeq: number
  readonly set: FlagSet

  constructor(uid: number, modSeq: number, set: FlagSet) {
    this.uid = uid
    this.modSeq = modSeq
    this.set = set
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The highest mod-sequence of marks. */
export function highest(marks: readonly Mark[]): number {
  let modSeq = 0
  for (const mark of marks) if (mark.modSeq > modSeq) modSeq = mark.modSeq
  return modSeq
}

/**
 * Marks as bytes. First, counted, the combinations of flags that occur, each with its length: so the block needs nothing
 * beside it, and any number of keywords fits. Then for each message the last octet of its UID, which combination, and how
 * far its mod-sequence lies below `modSeq`, the highest.
 */
export function packMarks(marks: readonly Mark[], modSeq: number): Uint8Array {
  const numbers = new Map<FlagSet, number>()
  for (const { set } of marks) if (!numbers.has(set)) numbers.set(set, numbers.size)
  const out = new VarintWriter()
  out.add(numbers.size)
  for (const { text } of numbers.keys()) {
    const bytes = encoder.encode(text)
    out.add(bytes.length)
    out.octets(bytes)
  }
  let last: FlagSet | undefined
  let number = 0
  for (const { uid, set, modSeq: own } of marks) {
    if (set !== last) number = numbers.get(last = set) as number
    out.octet(uid & 0xff)
    out.add(number)
    out.add(modSeq - own)
  }
  return out.taken()
}

/** What {@link packMarks} made of the marks of a block; only those with a mod-sequence above `since`. */
export function unpackMarks(bytes: Uint8Array, block: number, modSeq: number, since = 0): Mark[] {
  const from = new Varints(bytes)
  const sets: FlagSet[] = []
  for (let count = from.next(); count > 0; count--) {
    const length = from.next()
    sets.push(flagSet(decoder.decode(bytes.subarray(from.at, from.at + length))))
    from.at += length
  }
  const marks: Mark[] = []
  const base = block * 256
  while (!from.done) {
    const uid = base + (bytes[from.at++] as number)
    const set = sets[from.next()] as FlagSet
    const own = modSeq - from.next()
    if (own > since) marks.push(new Mark(uid, own, set))
  }
  return marks
}
