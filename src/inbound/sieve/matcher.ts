import { foldText } from '../../message/search-text.ts'
import { decodeText } from '../../message/charset.ts'
import { isAscii, octets, utf8Octets } from '../../protocol/bytes/text.ts'
import { type Comparator, comparatorOf, holds } from './comparators.ts'
import { find } from './find.ts'
import { Glob, type IsInside, type Spans } from './glob.ts'
import type { Matching } from './program.ts'
import type { Budget } from './steps.ts'

/** What a match of `:matches` found: the whole at 0, then what each wildcard stands for. */
export type Captures = readonly string[]

/** Holds values against keys (RFC 5228 §2.7). */
export class Matcher {
  readonly #match: Matching
  readonly #comparator: Comparator
  readonly #keys: readonly string[]
  readonly #globs: readonly Glob[]
  readonly #budget: Budget

  constructor(match: Matching, keys: readonly string[], budget: Budget) {
    this.#match = match
    this.#budget = budget
    this.#comparator = comparatorOf(match.comparator)
    for (const key of keys) budget.spend(1 + (key.length >>> 6))
    const isOctet = match.comparator === 'i;octet'
    const isGlob = match.type === 'matches'
    this.#globs = isGlob ? keys.map((key) => new Glob(isOctet ? utf8Octets(key) : this.#fold(key))) : []
    this.#keys = isGlob ? [] : keys.map((key) => this.#comparator.fold(key))
  }

  /** Whether any key fits; for `:matches` what the wildcards of the first one that does stand for. */
  test(value: string): Captures | boolean {
    if (this.#match.type === 'matches') return this.#glob(value)
    const budget = this.#budget
    const cost = 1 + (value.length >>> 6)
    budget.spend(this.#match.comparator === 'i;unicode-casemap' && !isAscii(value) ? value.length : cost)
    const folded = this.#comparator.fold(value)
    const { type, relation = 'eq' } = this.#match
    for (const key of this.#keys) {
      budget.spend(type === 'is' ? 1 : cost + (key.length >>> 6))
      const fits = type === 'is'
        ? folded === key
        : type === 'contains' ? find(folded, key) >= 0 : this.#holds(relation, folded, key)
      if (fits) return true
    }
    return false
  }

  /** Whether a number of things is in the relation to any key (RFC 5231 §4.2). */
  count(number: number): boolean {
    const folded = this.#comparator.fold(String(number))
    return this.#keys.some((key) => this.#holds(this.#match.relation ?? 'eq', folded, key))
  }

  #holds(relation: NonNullable<Matching['relation']>, one: string, other: string): boolean {
    return holds(relation, this.#comparator.order(one, other))
  }

  /** Character by character, so that what comes out of a match can be found in the text. */
  #fold(text: string): string {
    return this.#match.comparator === 'i;unicode-casemap' ? foldedUnits(text).text : this.#comparator.fold(text)
  }

  #glob(value: string): Captures | false {
    const { comparator } = this.#match
    // Characters that are not ASCII are taken one by one.
    const isCheap = comparator === 'i;ascii-casemap' || isAscii(value)
    this.#budget.spend(1 + (isCheap ? value.length >>> 5 : comparator === 'i;octet' ? value.length >>> 3 : value.length))
    const units = comparator === 'i;unicode-casemap' ? foldedUnits(value) : undefined
    const text = units?.text ?? (comparator === 'i;octet' ? utf8Octets(value) : this.#comparator.fold(value))
    const { starts } = units ?? {}
    // What a character becomes, be it several, is one for `?`; with octets each is one.
    const isInside: IsInside | undefined = starts
      ? (_, at) => starts[at] === starts[at - 1]
      : comparator === 'i;octet' ? () => false : undefined
    for (const glob of this.#globs) {
      const spans = glob.match(text, this.#budget, isInside)
      if (!spans) continue
      if (comparator === 'i;octet') return captured(spans, value, (from, to) => decodeText(octets(text.slice(from, to)), 'utf-8'))
      return captured(spans, value, (from, to) => (starts ? value.slice(starts[from], starts[to]) : value.slice(from, to)))
    }
    return false
  }
}

/** Match variables are a hundred at most: a pattern of stars alone would make as many texts. */
const MOST_CAPTURES = 99

function captured(spans: Spans, value: string, cut: (from: number, to: number) => string): Captures {
  return [value, ...spans.slice(0, MOST_CAPTURES).map(([from, to]) => cut(from, to))]
}

/** A text folded for RFC 5051, and where in it each unit of that comes from; no places where they are the same. */
function foldedUnits(text: string): { readonly text: string; readonly starts: readonly number[] | undefined } {
  if (isAscii(text)) return { text: text.toUpperCase(), starts: undefined }
  const starts: number[] = []
  const pieces: string[] = []
  // A text has few different characters.
  const known = new Map<string, string>()
  let at = 0
  for (const character of text) {
    let folded = known.get(character)
    if (folded === undefined) known.set(character, (folded = foldText(character)))
    for (let unit = 0; unit < folded.length; unit++) starts.push(at)
    pieces.push(folded)
    at += character.length
  }
  starts.push(at)
  return { text: pieces.join(''), starts }
}
