/** Entries that may stay because they were used while one is looked for that was not. */
const MOST_LOOKS = 16

interface Entry<T> {
  value: T
  /** Since it was last looked at for being forgotten. */
  used: boolean
}

/** A map of so many entries: for a new one, one goes that was not used lately. */
export class Recent<T> {
  readonly #entries = new Map<string, Entry<T>>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    entry.used = true
    return entry.value
  }

  set(key: string, value: T): void {
    const entry = this.#entries.get(key)
    if (entry !== undefined) {
      entry.value = value
      return
    }
    if (this.#entries.size >= this.#most) this.#forgetOne()
    this.#entries.set(key, { value, used: false })
  }

  /**
   * Makes room: goes through the entries in the order they came, lets those that were used stay for another round, and takes the
   * first that was not. (Putting each last when it is used would be exact, and make garbage that lives long with every message.)
   */
  #forgetOne(): void {
    let looks = MOST_LOOKS
    for (const [key, entry] of this.#entries) {
      this.#entries.delete(key)
      if (!entry.used || --looks === 0) return
      entry.used = false
      this.#entries.set(key, entry)
    }
  }
}
