/** More than this many are not waited for: a flush shared by 16 is a small part of each, and waiting has its own price. */
const ENOUGH = 16

/** How many flushes a lesson is remembered for at most. */
const LONGEST = 256

/**
 * How many usually write at a time, so that a group can wait for the rest of them.
 *
 * Ten sessions that are answered together do not come back together: without waiting they fall into three or four groups, and
 * each group's flush is a full one. So the first of them wait, for a moment at most, until all are there. Who they are is
 * learned from what each flush shows: those who ask in the very turn of the event loop after a flush did so while it ran, so
 * they are others than the ones it served. (Now and then one of those served is as quick as that; then the wait is in vain,
 * the lesson is remembered, twice as long each time.) A single writer is never kept waiting.
 */
export class Crowd {
  #size = 1
  /** What a wait in vain has shown that there are, while {@link #holds}. */
  #ceiling = Infinity
  #holds = 0
  #backoff = 1

  /** A flush served `served`, and `here` more asked in the turn after it. */
  seen(served: number, here: number): void {
    if (this.#holds > 0 && --this.#holds === 0) this.#ceiling = Infinity
    this.#size = Math.min(Math.max(this.#size, served + here), this.#ceiling)
  }

  /** Whether `here` are as many as to expect. */
  complete(here: number): boolean {
    if (here > this.#ceiling) this.#backoff = 1
    return here >= Math.min(this.#size, ENOUGH)
  }

  /** The others did not come. */
  missed(here: number): void {
    this.#size = this.#ceiling = here
    this.#holds = this.#backoff
    this.#backoff = Math.min(this.#backoff * 2, LONGEST)
  }
}
