import { find } from './find.ts'
import type { Budget } from './steps.ts'

/** A piece of a pattern that stands between two stars: units, or ANY for `?`. */
interface Piece {
  readonly units: readonly number[]
  /** The same as a text, where it has no `?`. */
  readonly text: string | undefined
}

const ANY = -1

/** Where each wildcard of a pattern found what it stands for: spans of the text that was matched. */
export type Spans = readonly (readonly [from: number, to: number])[]

/** Whether a place in a text is inside a character: no character begins there. */
export type IsInside = (text: string, at: number) => boolean

/** A pattern of `:matches` (RFC 5228 §2.7.1): `*` any text, `?` any character, `\` before what stands for itself. */
export class Glob {
  readonly #pieces: readonly Piece[]

  constructor(pattern: string) {
    this.#pieces = piecesOf(pattern)
  }

  /**
   * What the wildcards stand for, as little as may be (RFC 5229 §3.2); `undefined`: no match. Pieces are looked for from left
   * to right, each where it first is: if there is any way to match, that is one, so nothing is ever tried again.
   */
  match(text: string, budget: Budget, isInside: IsInside = isInsidePair): Spans | undefined {
    budget.spend(1 + (text.length >>> 6))
    return new Match(text, budget, isInside).of(this.#pieces)
  }
}

/** One text, held against a pattern. */
class Match {
  readonly #text: string
  readonly #budget: Budget
  readonly #isInside: IsInside
  readonly #spans: [number, number][] = []

  constructor(text: string, budget: Budget, isInside: IsInside) {
    this.#text = text
    this.#budget = budget
    this.#isInside = isInside
  }

  of(pieces: readonly Piece[]): Spans | undefined {
    const { length } = this.#text
    let at = this.#at(0, pieces[0]!, true)
    if (pieces.length === 1 || at < 0) return at === length ? this.#spans : undefined
    const last = pieces.at(-1)!
    const end = this.#startOfLast(last)
    if (end < at) return undefined
    for (let index = 1; index < pieces.length - 1; index++) {
      const found = this.#find(at, end, pieces[index]!)
      if (found < 0) return undefined
      this.#spans.push([at, found])
      at = this.#at(found, pieces[index]!, true)
    }
    this.#spans.push([at, end])
    return this.#at(end, last, true) === length ? this.#spans : undefined
  }

  /** Behind the piece, if it stands there; -1 otherwise. */
  #at(from: number, { units }: Piece, noted: boolean): number {
    const text = this.#text
    let at = from
    let index = 0
    for (; index < units.length && at < text.length; index++) {
      const unit = units[index]!
      const next = unit === ANY ? this.#next(at) : at + 1
      if (unit !== ANY && text.charCodeAt(at) !== unit) break
      if (unit === ANY && noted) this.#spans.push([at, next])
      at = next
    }
    this.#budget.spend(index / 8)
    return index === units.length ? at : -1
  }

  /** Where a piece first stands, ending at `end` or before. */
  #find(from: number, end: number, piece: Piece): number {
    if (piece.text !== undefined) {
      const found = find(this.#text, piece.text, from)
      return found >= 0 && found + piece.text.length <= end ? found : -1
    }
    for (let at = from; at <= end; at = this.#next(at)) {
      const behind = this.#at(at, piece, false)
      if (behind >= 0 && behind <= end) return at
      this.#budget.spend(1 / 8)
    }
    return -1
  }

  /** Where the last piece has to begin to end with the text. */
  #startOfLast({ units }: Piece): number {
    let at = this.#text.length
    for (let index = units.length - 1; index >= 0; index--) {
      at--
      while (units[index] === ANY && at > 0 && this.#isInside(this.#text, at)) at--
    }
    return at
  }

  /** Behind the character that begins here. */
  #next(from: number): number {
    let at = from + 1
    while (at < this.#text.length && this.#isInside(this.#text, at)) at++
    return at
  }
}

function piecesOf(pattern: string): Piece[] {
  const pieces: Piece[] = []
  let units: number[] = []
  const finish = (): void => {
    const text = units.includes(ANY) ? undefined : units.map((unit) => String.fromCharCode(unit)).join('')
    pieces.push({ units, text })
    units = []
  }
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!
    if (character === '*') finish()
    else if (character === '?') units.push(ANY)
    else units.push(pattern.charCodeAt(character === '\\' && at + 1 < pattern.length ? ++at : at))
  }
  finish()
  return pieces
}

function isInsidePair(text: string, at: number): boolean {
  const [before, unit] = [text.charCodeAt(at - 1), text.charCodeAt(at)]
  return unit >= 0xdc00 && unit < 0xe000 && before >= 0xd800 && before < 0xdc00
}
