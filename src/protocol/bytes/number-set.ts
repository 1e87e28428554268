/** Numbers from `first` to `last`, both included: UIDs or sequence numbers, 1 to 2^32 - 1. */
export interface NumberRange {
  readonly first: number
  readonly last: number
}

/** Numbers as ranges that ascend and do not touch. Twenty thousand in a row cost as much as one. */
export type NumberSet = readonly NumberRange[]

/** The set of all numbers in the ranges, which may overlap and stand in any order; each `first` is at most its `last`. */
export function setOf(ranges: readonly NumberRange[]): NumberSet {
  const sorted = [...ranges].sort((a, b) => a.first - b.first)
  const set: { first: number; last: number }[] = []
  for (const { first, last } of sorted) {
    const before = set[set.length - 1]
    if (before === undefined || first > before.last + 1) set.push({ first, last })
    else if (last > before.last) before.last = last
  }
  return set
}

/** The set of numbers that ascend. */
export function setOfAscending(numbers: Iterable<number>): NumberSet {
  const set: { first: number; last: number }[] = []
  let before: { first: number; last: number } | undefined
  for (const number of numbers) {
    if (before !== undefined && number === before.last + 1) before.last = number
    else set.push((before = { first: number, last: number }))
  }
  return set
}

/** How many numbers there are. */
export function sizeOf(set: NumberSet): number {
  let size = 0
  for (const { first, last } of set) size += last - first + 1
  return size
}

/** The index of the first range that ends at `number` or above it; the length where there is none. */
export function reaching(set: NumberSet, number: number): number {
  let low = 0
  let high = set.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (set[middle]!.last < number) low = middle + 1
    else high = middle
  }
  return low
}

/** Whether the number is in the set. */
export function contains(set: NumberSet, number: number): boolean {
  const range = set[reaching(set, number)]
  return range !== undefined && range.first <= number
}

/** The numbers that are in both. */
export function common(a: NumberSet, b: NumberSet): NumberSet {
  const set: NumberRange[] = []
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const [x, y] = [a[i]!, b[j]!]
    const first = Math.max(x.first, y.first)
    const last = Math.min(x.last, y.last)
    if (first <= last) set.push({ first, last })
    if (x.last < y.last) i++
    else j++
  }
  return set
}

/** The numbers of `a` that are not in `b`. */
export function without(a: NumberSet, b: NumberSet): NumberSet {
  const set: NumberRange[] = []
  let j = 0
  for (const { first, last } of a) {
    let from = first
    while (j < b.length && b[j]!.last < from) j++
    for (let k = j; k < b.length && b[k]!.first <= last; k++) {
      if (b[k]!.first > from) set.push({ first: from, last: b[k]!.first - 1 })
      from = b[k]!.last + 1
    }
    if (from <= last) set.push({ first: from, last })
  }
  return set
}

/** The numbers of the set from `first` to `last`. */
export function within(set: NumberSet, first: number, last: number): NumberSet {
  return first > last ? [] : common(set, [{ first, last }])
}

/** The numbers that are in either. */
export function together(a: NumberSet, b: NumberSet): NumberSet {
  if (a.length === 0) return b
  return b.length === 0 ? a : setOf([...a, ...b])
}

/** The numbers one by one. */
export function* each(set: NumberSet): Generator<number, void, undefined> {
  for (const { first, last } of set) for (let number = first; number <= last; number++) yield number
}
