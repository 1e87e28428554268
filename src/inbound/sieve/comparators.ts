import { foldText } from '../../message/search-text.ts'
import { isAscii, utf8Octets } from '../../protocol/bytes/text.ts'
import type { ComparatorName, Relation } from './program.ts'

/** How texts are compared (RFC 4790). */
export interface Comparator {
  /** The form in which texts that count as the same are the same, and their parts are parts of it. */
  fold(text: string): string
  /** Below, at or above 0: the one folded text comes before, with or behind the other. */
  order(one: string, other: string): number
}

const byUnit = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
/** RFC 4790 §9.3: in the order of octets, which that of UTF-16 units is not. */
const byOctet = (one: string, other: string): number => byUnit(utf8Octets(one), utf8Octets(other))

const comparators: Readonly<Record<ComparatorName, Comparator>> = {
  'i;octet': { fold: (text) => text, order: byOctet },
  'i;ascii-casemap': { fold: upperAscii, order: byOctet },
  'i;ascii-numeric': { fold: numberOf, order: byNumber },
  // RFC 5051 §2: title case and decomposition; upper case makes the same ones equal.
  'i;unicode-casemap': { fold: foldText, order: byOctet },
}

/** The comparator of a name. */
export function comparatorOf(name: ComparatorName): Comparator {
  return comparators[name]
}

function upperAscii(text: string): string {
  return isAscii(text) ? text.toUpperCase() : text.replace(/[a-z]+/g, (letters) => letters.toUpperCase())
}

/** RFC 4790 §9.1.1: the digits that it begins with, without zeroes before them; `∞` for what begins with none. */
function numberOf(text: string): string {
  let from = 0
  let end = 0
  while (end < text.length && text[end]! >= '0' && text[end]! <= '9') end++
  if (end === 0) return '∞'
  while (from < end - 1 && text[from] === '0') from++
  return text.slice(from, end)
}

function byNumber(one: string, other: string): number {
  if (one === other) return 0
  if (one === '∞' || other === '∞') return one === '∞' ? 1 : -1
  return one.length - other.length || byUnit(one, other)
}

/** Whether an order is the one asked for (RFC 5231 §4). */
export function holds(relation: Relation, order: number): boolean {
  switch (relation) {
    case 'gt':
      return order > 0
    case 'ge':
      return order >= 0
    case 'lt':
      return order < 0
    case 'le':
      return order <= 0
    case 'eq':
      return order === 0
    case 'ne':
      return order !== 0
  }
}
