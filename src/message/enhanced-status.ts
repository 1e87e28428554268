/** A status code of RFC 3463 among text: where it stands, and what it is. */
export interface FoundStatus {
  /** `5.1.1`. */
  readonly status: string
  readonly from: number
  readonly to: number
}

/** RFC 3463 §2: subject and detail have three digits at most. */
const MOST_DIGITS = 3

/**
 * The first status code (RFC 3463 §2: `2`, `4` or `5`, then subject and detail) at or behind `from`. What is part of something
 * longer is none: `192.5.1.1`, `5.1.1.2`, `v5.1.1`.
 */
export function findStatus(text: string, from = 0): FoundStatus | undefined {
  for (let at = from; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (!isClass(unit) || text.charCodeAt(at + 1) !== 46 || joins(text.charCodeAt(at - 1))) continue
    const subject = digitsEnd(text, at + 2)
    if (subject === at + 2 || text.charCodeAt(subject) !== 46) continue
    const to = digitsEnd(text, subject + 1)
    const next = text.charCodeAt(to)
    // A full stop behind it ends a sentence.
    const goesOn = isWord(next) || (next === 46 && isWord(text.charCodeAt(to + 1)))
    if (to > subject + 1 && !goesOn) return { status: text.slice(at, to), from: at, to }
  }
  return undefined
}

function isClass(unit: number): boolean {
  return unit === 50 || unit === 52 || unit === 53
}

/** Whether what follows this is no beginning. */
function joins(unit: number): boolean {
  return unit === 46 || isWord(unit)
}

function isWord(unit: number): boolean {
  return (unit >= 48 && unit <= 57) || ((unit | 32) >= 97 && (unit | 32) <= 122)
}

function digitsEnd(text: string, from: number): number {
  let at = from
  while (at < from + MOST_DIGITS && text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57) at++
  return at
}
