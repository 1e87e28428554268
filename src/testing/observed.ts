/** Something that changes. `until` waits for a change after which a condition holds: no polling, no sleeping. */
export class Observed {
  readonly #waiting = new Set<() => void>()

  /** To be called after each change. */
  protected changed(): void {
    for (const look of [...this.#waiting]) look()
  }

  /** Resolves when the condition holds; at once if it does. Rejects with what it throws. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        try {
          if (!condition()) return
          resolve()
        } catch (error) {
          reject(error as Error)
        }
        this.#waiting.delete(look)
      }
      this.#waiting.add(look)
      look()
    })
  }
}
