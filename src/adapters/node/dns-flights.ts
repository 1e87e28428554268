import { MailError } from '../../protocol/session/errors.ts'

/** Questions under way at once: each has a socket, and a server of the usual size of buffer bears that many in one burst. */
const MOST_AT_ONCE = 100

interface Flight {
  readonly answer: Promise<unknown>
  readonly over: AbortController
  waiting: number
}

/** Questions that are under way: alike ones are asked once, and what nobody waits for any more is given up. */
export class Flights {
  readonly #flights = new Map<string, Flight>()
  /** Those that wait for another to end, each by what lets it go. */
  readonly #queue: (() => void)[] = []
  #running = 0
  #closed = false

  /** Throws where there is no point in asking: `closed`, or `temporary` where `signal` has been aborted. */
  check(key: string, signal: AbortSignal | undefined): void {
    if (this.#closed) throw closed()
    if (signal?.aborted) throw unwanted(key)
  }

  /** Shares in the question `key`; `ask` begins it where nobody has. Throws as `check` does. */
  join(key: string, ask: (signal: AbortSignal) => Promise<unknown>, signal: AbortSignal | undefined): Promise<unknown> {
    this.check(key, signal)
    const flight = this.#flights.get(key) ?? this.#begin(key, ask)
    flight.waiting++
    return new Promise((resolve, reject) => {
      const leave = (): void => signal?.removeEventListener('abort', abort)
      const abort = (): void => {
        reject(unwanted(key))
        if (--flight.waiting > 0) return
        // Who comes now asks anew.
        if (this.#flights.get(key) === flight) this.#flights.delete(key)
        flight.over.abort()
      }
      signal?.addEventListener('abort', abort, { once: true })
      flight.answer.then(
        (answer) => {
          leave()
          resolve(answer)
        },
        (error: unknown) => {
          leave()
          reject(error)
        },
      )
    })
  }

  /** Gives everything up. */
  close(): void {
    this.#closed = true
    for (const { over } of [...this.#flights.values()]) over.abort()
  }

  #begin(key: string, ask: (signal: AbortSignal) => Promise<unknown>): Flight {
    const over = new AbortController()
    const flight: Flight = { answer: this.#run(ask, over.signal), over, waiting: 0 }
    this.#flights.set(key, flight)
    const end = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
    flight.answer.then(end, end)
    return flight
  }

  async #run(ask: (signal: AbortSignal) => Promise<unknown>, signal: AbortSignal): Promise<unknown> {
    // Whoever ends hands the place over.
    if (this.#running >= MOST_AT_ONCE) await new Promise<void>((resolve) => this.#queue.push(resolve))
    else this.#running++
    try {
      if (signal.aborted) throw this.#closed ? closed() : unwanted('a question')
      return await ask(signal)
    } catch (error) {
      throw this.#closed ? closed() : error
    } finally {
      const next = this.#queue.shift()
      if (next) next()
      else this.#running--
    }
  }
}

const closed = (): MailError => new MailError('closed', 'The resolver is closed.')

const unwanted = (what: string): MailError => new MailError('temporary', `DNS: ${what}: the answer is not wanted any more`)
