import { type NumberRange, type NumberSet, sizeOf } from '../../bytes/number-set.ts'
import { Malformed, type Reader } from '../reader.ts'

/** A slice of a result (RFC 9394 §3.1): 1 is the first, -1 the last; `first` is the nearer to the end it counts from. */
export interface PartialResult {
  readonly first: number
  readonly last: number
  /** As it was written. */
  readonly text: string
}

/** Reads `1:100` or `-1:-100`; the lower may stand first or last. */
export function readPartial(reader: Reader): PartialResult {
  const sign = reader.maybe('-') ? -1 : 1
  const one = reader.nzNumber()
  reader.expect(':')
  if ((sign < 0) !== reader.maybe('-')) throw new Malformed('A slice counts from one end')
  const other = reader.nzNumber()
  const dash = sign < 0 ? '-' : ''
  return { first: sign * Math.min(one, other), last: sign * Math.max(one, other), text: `${dash}${one}:${dash}${other}` }
}

/** Where it begins and ends (exclusive) among so many. */
function bounds({ first, last }: PartialResult, count: number): readonly [number, number] {
  return first > 0 ? [first - 1, last] : [Math.max(0, count + last), Math.max(0, count + first + 1)]
}

/** Those of the items that it means. */
export function sliceOf<Item>(items: readonly Item[], partial: PartialResult): readonly Item[] {
  return items.slice(...bounds(partial, items.length))
}

/** Those of the numbers that it means. */
export function partOf(set: NumberSet, partial: PartialResult): NumberSet {
  const [from, to] = bounds(partial, sizeOf(set))
  const part: NumberRange[] = []
  let before = 0
  for (const { first, last } of set) {
    const start = Math.max(first, first + from - before)
    const end = Math.min(last, first + to - before - 1)
    if (start <= end) part.push({ first: start, last: end })
    before += last - first + 1
  }
  return part
}
