/** Milliseconds for which a record is believed without another look: what other processes change is seen that much later. */
const BELIEVED = 100

/** Records that are remembered. */
const MOST = 10_000

/**
 * Records that were read just now, and that there were none: who takes mail asks for the same domain thousands of times a second,
 * and for the same address several times a message.
 */
export class RecordMemory {
  readonly #now: () => number
  readonly #known = new Map<string, string | undefined>()
  #since = 0

  /** `now`: milliseconds on any clock. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** The record of a key as JSON, read where it is not remembered. */
  get(key: string, read: () => string | undefined): string | undefined {
    const now = this.#now()
    // All go together: nothing has to be kept of when each was read.
    if (Math.abs(now - this.#since) >= BELIEVED || this.#known.size >= MOST) this.forget()
    if (this.#known.size === 0) this.#since = now
    else if (this.#known.has(key)) return this.#known.get(key)
    const record = read()
    this.#known.set(key, record)
    return record
  }

  /** Something has changed. */
  forget(): void {
    this.#known.clear()
  }
}
