import type { KeyValue } from '../contracts/key-value.ts'

/** What was counted in the present window and in the one before. */
export interface Counted {
  readonly present: number
  readonly before: number
}

/**
 * Counters over a sliding window, two for each: the count of the present stretch of time, and that of the one before as far as it
 * still reaches into the window. A counter goes when neither is needed any more.
 */
export class SlidingCounts {
  readonly #keyValue: KeyValue
  readonly #length: number

  /** `length` of the window is in milliseconds. */
  constructor(keyValue: KeyValue, length: number) {
    this.#keyValue = keyValue
    this.#length = length
  }

  /** The end of the last window that counts something of now. */
  until(now: number): number {
    return (Math.floor(now / this.#length) + 2) * this.#length
  }

  /** Counts. Gives the count of the present stretch. */
  add(what: string, amount: number, now: number): Promise<number> {
    return this.#keyValue.add(this.#key(what, now), amount, { now, until: this.until(now) })
  }

  async read(what: string, now: number): Promise<Counted> {
    const [present, before] = await Promise.all(this.#keys(what, now).map((key) => this.#keyValue.get(key, now)))
    return { present: atLeast0(present), before: atLeast0(before) }
  }

  /**
   * Takes all of a counter back. Gives what it was, for the present stretch and the one before, each with a moment in it: to
   * whoever comes first, where several do at once.
   */
  async take(what: string, now: number): Promise<{ readonly count: number; readonly at: number }[]> {
    const taken: { count: number; at: number }[] = []
    for (const at of [now, now - this.#length]) {
      const key = this.#key(what, at)
      const found = await this.#keyValue.get(key, now)
      if (found === undefined) continue
      if (await this.#keyValue.swap(key, found, undefined, { now })) taken.push({ count: Number(found), at })
    }
    return taken
  }

  /** Takes so much of a counter back, of the stretch that `at` lies in. */
  async takeBack(what: string, count: number, at: number, now: number): Promise<void> {
    await this.#keyValue.add(this.#key(what, at), -count, { now, until: this.until(at) })
  }

  /** Forgets a counter. */
  async forget(what: string, now: number): Promise<void> {
    await Promise.all(this.#keys(what, now).map((key) => this.#keyValue.remove(key, now)))
  }

  /** How many in the window that ends at `now`. */
  total({ present, before }: Counted, now: number): number {
    return present + before * (1 - (now % this.#length) / this.#length)
  }

  /** After how many milliseconds the total will be below `limit`, if nothing is added. */
  below(limit: number, { present, before }: Counted, now: number): number {
    const [length, passed] = [this.#length, now % this.#length]
    if (present < limit) return Math.max(0, Math.ceil(length * (1 - (limit - present) / before) - passed) + 1)
    return Math.ceil(length - passed + length * (1 - limit / present)) + 1
  }

  #keys(what: string, now: number): [string, string] {
    return [this.#key(what, now), this.#key(what, now - this.#length)]
  }

  #key(what: string, at: number): string {
    return `guard:${what}\n${Math.floor(at / this.#length)}`
  }
}

function atLeast0(text: string | undefined): number {
  return Math.max(0, Number(text ?? 0))
}
