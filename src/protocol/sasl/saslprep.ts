import { LEFT_TO_RIGHT, MAPPED_TO_NOTHING, OTHER_SPACES, PROHIBITED, RIGHT_TO_LEFT } from './stringprep-tables.ts'

/** A set of code points: the first of each range, then the first behind it, and so on. */
type Ranges = readonly number[]

const read = new Map<string, Ranges>()

/** A table, taken apart on first use: most names and passwords are ASCII and need none. */
function ranges(table: string): Ranges {
  const known = read.get(table)
  if (known) return known
  const bounds: number[] = []
  let at = 0
  for (const word of table.split(' ')) {
    const [gap = '', more = '0'] = word.split(':')
    const from = at + Number.parseInt(gap, 36)
    at = from + Number.parseInt(more, 36) + 1
    bounds.push(from, at)
  }
  read.set(table, bounds)
  return bounds
}

function isIn(set: Ranges, point: number): boolean {
  let low = 0
  let high = set.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (set[middle]! <= point) low = middle + 1
    else high = middle
  }
  // Behind the beginning of a range and not behind its end.
  return low % 2 === 1
}

/**
 * A name or password in the form that SASL compares (SASLprep, RFC 4013): odd spaces are spaces, what cannot be seen is gone,
 * compatibility forms are composed (NFKC). `undefined` where it holds what is prohibited, or mixes directions of writing.
 *
 * Code points that Unicode 3.2 did not assign are let through (a "query" of RFC 3454 §7), in passwords to be stored too: a strict
 * reading would forbid every emoji. NFKC is the platform's, whose Unicode is younger.
 */
export function saslprep(text: string): string | undefined {
  if (isPlain(text)) return text
  const nothing = ranges(MAPPED_TO_NOTHING)
  const spaces = ranges(OTHER_SPACES)
  let mapped = ''
  for (const character of text) {
    const point = character.codePointAt(0)!
    if (isIn(spaces, point)) mapped += ' '
    else if (!isIn(nothing, point)) mapped += character
  }
  const normal = mapped.normalize('NFKC')
  return isAllowed(normal) ? normal : undefined
}

/** Printable ASCII alone: nothing to do. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 32 || unit > 126) return false
  }
  return true
}

function isAllowed(text: string): boolean {
  const prohibited = ranges(PROHIBITED)
  const rightToLeft = ranges(RIGHT_TO_LEFT)
  const leftToRight = ranges(LEFT_TO_RIGHT)
  let right = false
  let left = false
  let firstIsRight = false
  let lastIsRight = false
  let first = true
  for (const character of text) {
    const point = character.codePointAt(0)!
    if (isIn(prohibited, point)) return false
    lastIsRight = isIn(rightToLeft, point)
    if (first) firstIsRight = lastIsRight
    first = false
    right ||= lastIsRight
    left ||= isIn(leftToRight, point)
  }
  // RFC 3454 §6.
  return !right || (!left && firstIsRight && lastIsRight)
}
