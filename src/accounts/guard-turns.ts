/** An attempt that was let in and has not ended. */
interface Turn {
  readonly id: string
  readonly keys: readonly string[]
  readonly until: number
}

/**
 * Milliseconds after which an attempt that nobody has told the end of is over: exchanges are broken off, directories fail. More
 * than any takes.
 */
const LONGEST = 120_000

/**
 * Attempts under way. Each of those made side by side counts as if those before it were going to fail: otherwise as many as
 * there are connections would pass a limit together.
 */
export class Turns {
  readonly #counts = new Map<string, number>()
  readonly #open = new Map<string, Turn[]>()
  /** In the order they began. */
  readonly #all = new Set<Turn>()

  /** One begins, with the keys it counts for. Gives how many of each were under way. */
  enter(id: string, keys: readonly string[], now: number): readonly number[] {
    for (const turn of this.#all) {
      if (turn.until > now) break
      this.#end(turn)
    }
    const turn = { id, keys, until: now + LONGEST }
    this.#all.add(turn)
    const same = this.#open.get(id)
    if (same) same.push(turn)
    else this.#open.set(id, [turn])
    const ahead = keys.map((key) => this.#counts.get(key) ?? 0)
    keys.forEach((key, i) => this.#counts.set(key, (ahead[i] as number) + 1))
    return ahead
  }

  /** The oldest with the id is over. */
  leave(id: string): void {
    const turn = this.#open.get(id)?.[0]
    if (turn) this.#end(turn)
  }

  #end(turn: Turn): void {
    this.#all.delete(turn)
    const same = (this.#open.get(turn.id) ?? []).filter((one) => one !== turn)
    if (same.length > 0) this.#open.set(turn.id, same)
    else this.#open.delete(turn.id)
    for (const key of turn.keys) {
      const left = (this.#counts.get(key) ?? 0) - 1
      if (left > 0) this.#counts.set(key, left)
      else this.#counts.delete(key)
    }
  }
}
