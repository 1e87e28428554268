import type { Budgets } from './budgets.ts'
import type { Oddities } from './oddities.ts'
import { MOST_BOUNDARY, type OpenPart } from './open-part.ts'

const LF = 10
const CR = 13
const DASH = 45

/** Octets behind the two dashes of a line that tell whether it is a delimiter: the longest boundary, two dashes, CR, LF. */
const MOST_TELLING = MOST_BOUNDARY + 4

/** Octets that may be compared before the budget counts. */
const FREE_WORK = 65_536

/** Whether a line is a delimiter; `unknown`: more octets are needed to tell. */
export type Told = 'delimiter' | 'text' | 'unknown'

/**
 * The delimiters that count at a place of a message: those of the multiparts that are open there. A line is a delimiter if it
 * begins with two dashes and a boundary, as Dovecot has it (RFC 2046 §5.1.1 wants nothing but blanks behind); the longest
 * boundary that fits counts, of equals the innermost.
 */
export class Delimiters {
  /** Octets compared so far. */
  work = 0
  /** A budget ran out: no line is a delimiter any more. */
  stopped = false
  /** The multipart whose delimiter was told last, and whether that delimiter is its last. */
  found: OpenPart | undefined
  last = false
  /** From the outermost. */
  readonly #parts: OpenPart[] = []
  readonly #budgets: Budgets
  readonly #oddities: Oddities

  constructor(budgets: Budgets, oddities: Oddities) {
    this.#budgets = budgets
    this.#oddities = oddities
  }

  /** Whether there is anything to look for. */
  get any(): boolean {
    return this.#parts.length > 0 && !this.stopped
  }

  /** The delimiters of `part` count from now on. */
  add(part: OpenPart): void {
    this.#parts.push(part)
  }

  /** The delimiter that was told is passed: those inside do not count any more, nor does itself if it was the last. */
  pass(): void {
    while (this.#parts.at(-1) !== this.found) this.#parts.pop()
    if (this.last) this.#parts.pop()
  }

  /** Octets of the delimiter that was told, without what stands behind it on its line. */
  get length(): number {
    return 2 + this.found!.boundary!.length + (this.last ? 2 : 0)
  }

  /**
   * Looks at the line that begins at `bytes[start]`, which is octet `place` of the message; `final`: nothing comes behind
   * `bytes`. `parts`: how many the message has so far.
   */
  tell(bytes: Uint8Array, start: number, final: boolean, place: number, parts: number): Told {
    const told = this.any ? this.#tell(bytes, start, final) : 'text'
    if (this.work > FREE_WORK + this.#budgets.work * place && !this.stopped) {
      this.stopped = true
      this.#oddities.note('over-work', place)
    }
    if (told !== 'delimiter' || parts < this.#budgets.parts) return told
    this.#oddities.note('over-parts', place)
    return 'text'
  }

  #tell(bytes: Uint8Array, start: number, final: boolean): Told {
    const from = start + 2
    if (start < bytes.length && bytes[start] !== DASH) return 'text'
    if (from > bytes.length) return final ? 'text' : 'unknown'
    if (bytes[start + 1] !== DASH) return 'text'
    const most = Math.min(bytes.length, from + MOST_TELLING)
    let to = from
    while (to < most && bytes[to] !== LF) to++
    if (to === bytes.length && to < from + MOST_TELLING && !final) return 'unknown'
    const ended = to < most
    if (ended && to > from && bytes[to - 1] === CR) to--
    const found = this.#longest(bytes, from, to, ended && to > from + 2 && bytes[to - 1] === DASH && bytes[to - 2] === DASH)
    if (!found) return 'text'
    const behind = from + found.boundary!.length
    this.found = found
    this.last = behind + 1 < bytes.length && bytes[behind] === DASH && bytes[behind + 1] === DASH
    return 'delimiter'
  }

  /** The part whose boundary stands at `from`, in a line up to `to`. `dashes`: the line ends in two dashes. */
  #longest(bytes: Uint8Array, from: number, to: number, dashes: boolean): OpenPart | undefined {
    const length = to - from
    let best: OpenPart | undefined
    let bestLength = -1
    for (let index = this.#parts.length - 1; index >= 0; index--) {
      const part = this.#parts[index]!
      const boundary = part.boundary!
      if (boundary.length > length || boundary.length <= bestLength) continue
      let at = 0
      while (at < boundary.length && bytes[from + at] === boundary.charCodeAt(at)) at++
      this.work += at + 1
      if (at < boundary.length) continue
      best = part
      bestLength = at
      // Nothing fits better than all of the line.
      if (at === length || (dashes && at === length - 2)) break
    }
    return best
  }
}
