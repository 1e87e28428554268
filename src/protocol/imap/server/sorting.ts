import type { NumberSet } from '../../bytes/number-set.ts'
import type { Run } from '../run.ts'
import { filtered, mapped, numbersIn, ordered } from '../steps.ts'
import { columns, entries } from './asking.ts'
import type { Selected } from './context.ts'
import { inTurns, type Looked } from './looked.ts'

/** What to sort by (RFC 5256 §3, RFC 5957). */
export interface Criterion {
  readonly by: SortSource
  readonly reverse: boolean
}

/** Where that is taken from: a column, or what is told of a message without a look into it. */
export type SortSource =
  | 'received' | 'octets' | 'sent' | 'base subject' | 'first from' | 'first to' | 'first cc' | 'display from' | 'display to'

/** By the index of a message; nothing where the message is gone. */
type Values = readonly (string | undefined)[] | Float64Array

type Compare = (a: number, b: number) => number

/** The UIDs in the order wanted; what is the same stays in the order of the mailbox (I60). `so` counts what is looked at. */
export function* sorted(selected: Selected, found: NumberSet, criteria: readonly Criterion[], so: Looked): Run<number[]> {
  const uids = yield* inTurns(so, numbersIn(found))
  const known = new Map<SortSource, Values>()
  for (const { by } of criteria) if (!known.has(by)) known.set(by, yield* valuesOf(selected, by, found, uids))
  let order = uids.map((_, at) => at)
  for (const values of known.values()) order = yield* inTurns(so, filtered(order, (at) => isThere(values[at])))
  const compares = criteria.map(({ by, reverse }) => comparing(known.get(by)!, reverse))
  yield* inTurns(so, ordered(order, compares.length === 1 ? compares[0]! : lexical(compares)))
  return yield* inTurns(so, mapped(order, (at) => uids[at]!))
}

/** Not so where the message is gone. */
const isThere = (value: string | number | undefined): boolean => value !== undefined && value === value

function* valuesOf(selected: Selected, by: SortSource, found: NumberSet, uids: readonly number[]): Run<Values> {
  const isOfEntry = by === 'received' || by === 'octets'
  const values = isOfEntry || by === 'sent' ? new Float64Array(uids.length).fill(Number.NaN) : new Array<string>(uids.length)
  let at = 0
  const put = (uid: number, value: string | number): void => {
    while (uids[at]! < uid) at++
    if (uids[at] === uid) values[at] = value
  }
  if (isOfEntry) yield* entries(selected.mailbox, found, (entry) => put(entry.uid, entry[by]))
  else yield* columns(selected, by, found, (column) => column.uids.forEach((uid, index) => put(uid, column.values[index]!)))
  return values as Values
}

function comparing(values: Values, reverse: boolean): Compare {
  if (values instanceof Float64Array) {
    return reverse ? (a, b) => values[b]! - values[a]! : (a, b) => values[a]! - values[b]!
  }
  const sign = reverse ? -1 : 1
  return (a, b) => (values[a]! < values[b]! ? -sign : values[a]! > values[b]! ? sign : 0)
}

function lexical(compares: readonly Compare[]): Compare {
  return (a, b) => {
    for (const compare of compares) {
      const order = compare(a, b)
      if (order !== 0) return order
    }
    return 0
  }
}
