import type { UidRange, UidSet } from '../../contracts/mailbox.ts'

/** All there can be. */
export const everything: UidSet = [{ first: 1, last: Number.MAX_SAFE_INTEGER }]

/** Numbers as ranges that ascend and do not touch. They are given in any order, and may be given twice. */
export function uidSet(ranges: Iterable<UidRange>): UidSet {
  const sorted = [...ranges].sort((a, b) => a.first - b.first)
  const set: UidRange[] = []
  for (const { first, last } of sorted) {
    const before = set.at(-1)
    if (before && first <= before.last + 1) set[set.length - 1] = { first: before.first, last: Math.max(before.last, last) }
    else set.push({ first, last })
  }
  return set
}

/** The set of the items' UIDs. */
export function uidsOf(items: readonly { readonly uid: number }[]): UidSet {
  return uidSet(items.map(({ uid }) => ({ first: uid, last: uid })))
}

/** The items of a list in ascending UID order whose UIDs are in the set. Costs what is found, not what is there. */
export function among<T extends { readonly uid: number }>(items: readonly T[], uids: UidSet): T[] {
  const found: T[] = []
  for (const { first, last } of uids) {
    for (let at = indexFrom(items, first); at < items.length; at++) {
      const item = items[at] as T
      if (item.uid > last) break
      found.push(item)
    }
  }
  return found
}

/** Where in a list in ascending UID order the first UID is that is not below. */
export function indexFrom(items: readonly { readonly uid: number }[], uid: number): number {
  let [from, to] = [0, items.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((items[middle] as { uid: number }).uid < uid) from = middle + 1
    else to = middle
  }
  return from
}
