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

/** A pattern of `:matches` (RFC 5228 §2.7.1): `*` any text, `?` any character, `\` before what stands for itself. */
export class Glob {
  readonly #pieces: readonly Piece[]
  readonly #octets: boolean

  /** `octets`: a character is one unit, whatever it is. */
  constructor(pattern: string, octets = false) {
    this.#pieces = piecesOf(pattern)
    this.#octets = octets
  }

  /**
   * What the wildcards stand for, as little as may be (RFC 5229 §3.2); `undefined`: no match. Pieces are looked for from left to
   * right, each where it first is: if there is any way to match, that is one, so nothing is ever tried again.
   */
  match(text: string, budget: Budget): Spans | undefined {
    const pieces = this.#pieces
    const [first] = pieces
    const spans: [number, number][] = []
    budget.spend(1 + (text.length >>> 6))
    let at = this.#at(text, 0, first!, spans, budget)
    if (pieces.length === 1 || at < 0) return at === text.length ? spans : undefined
    const last = pieces.at(-1)!
    const end = this.#startOfLast(text, last)
    if (end < at) return undefined
    for (let index = 1; index < pieces.length - 1; index++) {
      const found = this.#find(text, at, end, pieces[index]!, budget)
      if (found < 0) return undefined
      spans.push([at, found])
      at = this.#at(text, found, pieces[index]!, spans, budget)
    }
    spans.push([at, end])
    return this.#at(text, end, last, spans, budget) === text.length ? spans : undefined
  }

  /** Behind the piece, if it stands there; -1 otherwise. */
  #at(text: string, from: number, { units }: Piece, spans: [number, number][] | undefined, budget: Budget): number {
    let at = from
    let index = 0
    for (; index < units.length; index++) {
      if (at >= text.length) break
      const unit = units[index]!
      const next = unit === ANY ? this.#next(text, at) : at + 1
      if (unit === ANY) spans?.push([at, next])
      else if (text.charCodeAt(at) !== unit) break
      at = next
    }
    budget.spend(index >>> 3)
    return index === units.length ? at : -1
  }

  /** Where a piece first stands, ending at `end` or before. */
  #find(text: string, from: number, end: number, piece: Piece, budget: Budget): number {
    if (piece.text !== undefined) {
      const found = find(text, piece.text, from)
      return found >= 0 && found + piece.text.length <= end ? found : -1
    }
    for (let at = from; at <= end; at = this.#next(text, at)) {
      const behind = this.#at(text, at, piece, undefined, budget)
      if (behind >= 0 && behind <= end) return at
      budget.spend(1 / 8)
      if (at === text.length) break
    }
    return -1
  }

  /** Where the last piece has to begin to end with the text. */
  #startOfLast(text: string, { units }: Piece): number {
    let at = text.length
    for (let index = units.length - 1; index >= 0; index--) at -= units[index] === ANY && this.#isPairBefore(text, at) ? 2 : 1
    return at
  }

  #next(text: string, at: number): number {
    return !this.#octets && isHigh(text.charCodeAt(at)) && isLow(text.charCodeAt(at + 1)) ? at + 2 : at + 1
  }

  #isPairBefore(text: string, at: number): boolean {
    return !this.#octets && isLow(text.charCodeAt(at - 1)) && isHigh(text.charCodeAt(at - 2))
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

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000
}
