/*
 * What came in a report, of which nothing is known to be as it should: plain data, as a parser gives it. Of XML each element is
 * an object of its children, each child a list of all with that name, and an element of text alone is that text.
 */

/** The members of an object; none where it is none. */
function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

/** A member of its own, not of its prototype. */
export function member(value: unknown, name: string): unknown {
  const members = membersOf(value)
  return Object.hasOwn(members, name) ? members[name] : undefined
}

/** The items of a list, `most` at the most; none where it is none. */
export function itemsOf(value: unknown, most: number): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, most) : []
}

/** Characters of a text that are kept. */
const MOST_TEXT = 1000

/** A text, without space around it; `undefined` where it is none or empty. A number counts as its digits. */
export function textIn(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string') return undefined
  const trimmed = text.slice(0, MOST_TEXT).trim()
  return trimmed === '' ? undefined : trimmed
}

/** A whole number from 0 on, exact; `undefined` where it is none. */
export function countIn(value: unknown): number | undefined {
  const text = textIn(value)
  if (text === undefined || text.length > 15 || ![...text].every((digit) => digit >= '0' && digit <= '9')) return undefined
  return Number(text)
}

/** One of some words, in any letter case. */
export function wordIn<Word extends string>(value: unknown, words: readonly Word[]): Word | undefined {
  const text = textIn(value)?.toLowerCase()
  return words.find((word) => word === text)
}
