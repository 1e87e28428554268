/** The turn of one who came after others. */
export interface Turn {
  /** Resolves when the turns of those before are over. */
  readonly before: Promise<unknown>
  /** The next one may go on. May be called again. */
  readonly over: () => void
}

/** Keeps the order in which callers came, though what they have to do first takes them more or less time. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** The next turn of a queue. */
  next(queue: string): Turn {
    const before = this.#last.get(queue) ?? Promise.resolve()
    let over = (): void => undefined
    const own = new Promise<void>((resolve) => (over = resolve))
    const both = Promise.all([before, own])
    this.#last.set(queue, both)
    void both.then(() => {
      if (this.#last.get(queue) === both) this.#last.delete(queue)
    })
    return { before, over }
  }
}
