import { type SeededRandom, seededRandom } from '../random.ts'

/**
 * Chance of one kind, drawn from a seed. Each kind has a stream of its own: whatever else is drawn, it stays the same, so that a
 * run of which one kind of fault is changed is otherwise the run that it was.
 */
export class Draws implements SeededRandom {
  private readonly random: SeededRandom

  /** `name`: of the stream. */
  constructor(seed: number, name: string) {
    // FNV-1a over the name, begun at the seed.
    let hash = (0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1)) | 0
    for (const letter of name) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193)
    this.random = seededRandom(hash)
  }

  octets(count: number): Uint8Array {
    return this.random.octets(count)
  }

  below(bound: number): number {
    return this.random.below(bound)
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  /** True one time in so many; never, with 0. */
  oneIn(times: number): boolean {
    return times > 0 && this.below(times) === 0
  }

  /** One of them. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }
}
