import { MailError } from '../../protocol/session/errors.ts'

/**
 * A few lanes for heavy work, and a queue before them: first come, first served. What finds the queue full is turned away at
 * once, which costs nothing: in a storm those who were let in are answered in bounded time, and memory is bounded by the lanes.
 */
export class Lanes {
  readonly #lanes: number
  readonly #most: number
  readonly #waiting: (() => void)[] = []
  #busy = 0

  /** `lanes` at a time, `most` waiting for them. */
  constructor(lanes: number, most: number) {
    this.#lanes = lanes
    this.#most = most
  }

  /**
   * Runs it when its turn comes.
   *
   * @throws MailError `temporary` where too many wait; otherwise what the work rejects with
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy < this.#lanes) this.#busy++
    else await this.#turn()
    try {
      return await work()
    } finally {
      // The lane goes to the first who waits without being free in between: nobody who comes now gets before.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#busy--
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#most) {
      throw new MailError('temporary', 'Too many passwords wait to be checked, try again later')
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}
