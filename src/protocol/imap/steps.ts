import type { NumberSet } from '../bytes/number-set.ts'

/**
 * Work of which somebody else may want to interrupt: a generator that yields, again and again, of how many messages it has
 * disposed since the last time.
 */
export type Steps<Value> = Generator<number, Value, undefined>

/** Messages in a step: below a millisecond of work. */
export const STEP = 2048

/** What a message to be put in order is worth: it is compared with a dozen others. */
const COMPARED = 2

/** Sorts in place as `Array.sort` does, what is the same staying as it is. */
export function* ordered<Item>(list: Item[], compare: (a: Item, b: Item) => number): Steps<Item[]> {
  if (list.length <= STEP) return list.sort(compare)
  let from: Item[] = []
  for (let at = 0; at < list.length; at += STEP) {
    for (const item of list.slice(at, at + STEP).sort(compare)) from.push(item)
    yield COMPARED * STEP
  }
  let to = list
  for (let width = STEP; width < list.length; width *= 2) {
    for (let at = 0; at < list.length; at += 2 * width) yield* merged(from, to, at, width, compare)
    ;[from, to] = [to, from]
  }
  // What comes out last may lie in either.
  if (from !== list) for (let at = 0; at < from.length; at++) list[at] = from[at]!
  return list
}

/** Puts two runs that are in order, and lie side by side, into one. */
function* merged<Item>(
  from: readonly Item[],
  to: Item[],
  start: number,
  width: number,
  compare: (a: Item, b: Item) => number,
): Steps<void> {
  const middle = Math.min(start + width, from.length)
  const end = Math.min(middle + width, from.length)
  let [left, right] = [start, middle]
  for (let at = start; at < end; at++) {
    const takesLeft = right >= end || (left < middle && compare(from[left]!, from[right]!) <= 0)
    to[at] = takesLeft ? from[left++]! : from[right++]!
    if (at % STEP === 0) yield STEP
  }
}

/** The items that are meant. */
export function* filtered<Item>(list: readonly Item[], isMeant: (item: Item) => boolean): Steps<Item[]> {
  const kept: Item[] = []
  for (let at = 0; at < list.length; at++) {
    if (at % STEP === 0 && at > 0) yield STEP
    const item = list[at]!
    if (isMeant(item)) kept.push(item)
  }
  return kept
}

/** What is made of each item. */
export function* mapped<Item, Made>(list: readonly Item[], make: (item: Item) => Made): Steps<Made[]> {
  const made: Made[] = []
  for (let at = 0; at < list.length; at++) {
    if (at % STEP === 0 && at > 0) yield STEP
    made.push(make(list[at]!))
  }
  return made
}

/** The numbers of a set, ascending. */
export function* numbersIn(set: NumberSet): Steps<number[]> {
  const numbers: number[] = []
  for (const { first, last } of set) {
    for (let number = first; number <= last; number++) {
      if (numbers.push(number) % STEP === 0) yield STEP
    }
  }
  return numbers
}

/** Numbers as SEARCH and SORT tell them: a blank before each. */
export function* listed(numbers: readonly number[]): Steps<string> {
  let text = ''
  for (let at = 0; at < numbers.length; at += STEP) {
    if (at > 0) yield STEP
    text += ` ${numbers.slice(at, at + STEP).join(' ')}`
  }
  return text
}
