import type { UidRange, UidSet } from '../../contracts/mailbox.ts'

/** The last UID there can be (RFC 9051 §2.3.1.1). */
export const LAST_UID = 0xffffffff

/** Every UID. */
export const ALL_UIDS: UidSet = [{ first: 1, last: LAST_UID }]

/** Looking for a range anew costs about as much as passing over so many messages. */
const BRIDGE = 16

/** The ranges with small gaps between them closed: what to read at once, some of it in vain. */
export function bridged(set: UidSet): UidSet {
  const spans: { first: number; last: number }[] = []
  for (const { first, last } of set) {
    const before = spans.at(-1)
    if (before && first - before.last <= BRIDGE) before.last = last
    else spans.push({ first, last })
  }
  return spans
}

/** Tells of UIDs that ascend from call to call whether they are in the set. */
export function membership(set: UidSet): (uid: number) => boolean {
  let at = 0
  return (uid) => {
    while (at < set.length && (set[at] as UidRange).last < uid) at++
    return at < set.length && (set[at] as UidRange).first <= uid
  }
}

/** A set as bytes: for each range, in varints, how far it lies behind the one before, and its length less one. */
export function packUids(set: UidSet): Uint8Array {
  const out = new VarintWriter()
  let end = 0
  for (const { first, last } of set) {
    out.add(first - end)
    out.add(last - first)
    end = last
  }
  return out.taken()
}

/** What {@link packUids} made. */
export function unpackUids(bytes: Uint8Array): UidRange[] {
  const set: UidRange[] = []
  const from = new Varints(bytes)
  for (let end = 0; !from.done;) {
    const first = end + from.next()
    end = first + from.next()
    set.push({ first, last: end })
  }
  return set
}

/** Writes whole numbers from 0 to 2^53 - 1: seven bits an octet, the lowest first. */
export class VarintWriter {
  #bytes = new Uint8Array(1024)
  #at = 0

  add(value: number): void {
    if (this.#at + 8 > this.#bytes.length) this.#grow(8)
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[this.#at++] = (rest % 0x80) | 0x80
    this.#bytes[this.#at++] = rest
  }

  /** An octet as it is. */
  octet(value: number): void {
    if (this.#at === this.#bytes.length) this.#grow(1)
    this.#bytes[this.#at++] = value
  }

  /** Octets as they are. */
  octets(bytes: Uint8Array): void {
    if (this.#at + bytes.length > this.#bytes.length) this.#grow(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** What was written. */
  taken(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  #grow(by: number): void {
    const larger = new Uint8Array(2 * this.#bytes.length + by)
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}

/** Reads what {@link VarintWriter} wrote. */
export class Varints {
  at = 0
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.at >= this.#bytes.length
  }

  next(): number {
    let octet = this.#bytes[this.at++] as number
    let value = octet & 0x7f
    for (let unit = 0x80; octet >= 0x80; unit *= 0x80) {
      octet = this.#bytes[this.at++] as number
      value += (octet & 0x7f) * unit
    }
    return value
  }
}
