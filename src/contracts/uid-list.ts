import type { UidSet } from './mailbox.ts'

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
