import { type NumberRange, type NumberSet, setOf } from '../bytes/number-set.ts'

/** What `*` is until it is known which number that is. */
export const LAST = 0

/** A range as it was written: either end may be {@link LAST}, and the first may be the higher one. */
export type WrittenRange = NumberRange

/** A sequence-set as it was written (RFC 9051 §9): ranges, or `$` for the saved result of a search (RFC 5182). */
export type SequenceSet = readonly WrittenRange[] | '$'

/** Ranges of one set. Nobody needs more; each costs time in every command that looks through it. */
const MOST_RANGES = 20_000

/** The largest number there is (RFC 9051 §9: nz-number). */
const LARGEST = 0xffffffff

/** Reads a sequence-set, or gives `undefined` where the text is none. */
export function parseSequenceSet(text: string): SequenceSet | undefined {
  if (text === '$') return '$'
  const ranges: WrittenRange[] = []
  let at = 0
  while (at <= text.length && ranges.length < MOST_RANGES) {
    const comma = text.indexOf(',', at)
    const end = comma < 0 ? text.length : comma
    const colon = text.indexOf(':', at)
    const single = colon < 0 || colon > end
    const first = numberIn(text, at, single ? end : colon)
    const last = single ? first : numberIn(text, colon + 1, end)
    if (first === undefined || last === undefined) return undefined
    ranges.push({ first, last })
    if (comma < 0) return ranges
    at = comma + 1
  }
  return undefined
}

/** The number or `*` of [from, to). */
function numberIn(text: string, from: number, to: number): number | undefined {
  if (to === from + 1 && text.charCodeAt(from) === 42) return LAST
  if (to <= from || to - from > 10) return undefined
  let number = 0
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return undefined
    number = number * 10 + digit
  }
  // RFC 9051 §9: an nz-number begins with no 0.
  return text.charCodeAt(from) === 48 || number > LARGEST ? undefined : number
}

/**
 * The numbers that a set means where `last` is the highest there is (0: there is none). `7:*` means the last one too where that
 * is below 7 (RFC 9051 §6.4.9).
 */
export function resolveSet(set: readonly WrittenRange[], last: number): NumberSet {
  const ranges: NumberRange[] = []
  for (const written of set) {
    const first = written.first === LAST ? last : written.first
    const end = written.last === LAST ? last : written.last
    const range = first <= end ? { first, last: end } : { first: end, last: first }
    // In an empty mailbox `*` is nothing, and `1:*` with it.
    if (range.first > 0) ranges.push(range)
  }
  return setOf(ranges)
}

/** As IMAP writes a set: `1:3,5`. Empty for an empty set, which IMAP cannot write. */
export function formatSet(set: NumberSet): string {
  let text = ''
  for (const { first, last } of set) {
    if (text !== '') text += ','
    text += first === last ? String(first) : `${first}:${last}`
  }
  return text
}
