import type { Alarm, Clock } from '../../protocol/session/clock.ts'
import { MailError } from '../../protocol/session/errors.ts'

/** Questions that have just been asked: a server of the usual size of buffer bears that many in one burst. */
const MOST_AT_ONCE = 100

/**
 * Milliseconds after which a question is no part of a burst any more: its place goes to another, so that somebody whose name
 * servers never answer keeps nobody else waiting. A server that is up has answered most by then.
 */
const SLOW = 250

/** All that are open: each has a socket. */
const MOST_OPEN = 1000

interface Flight {
  readonly answer: Promise<unknown>
  readonly over: AbortController
  waiting: number
}

/** A question that is open. */
interface Place {
  /** On the clock's ticks. */
  readonly began: number
}

/** Questions that are under way: alike ones are asked once, and what nobody waits for any more is given up. */
export class Flights {
  readonly #clock: Clock
  readonly #flights = new Map<string, Flight>()
  /** Those that wait for a place, each by what lets it go. */
  readonly #queue: ((place: Place) => void)[] = []
  /** Those that have just been asked, and the others; the oldest first. */
  readonly #fresh = new Set<Place>()
  readonly #slow = new Set<Place>()
  /** Rings when the oldest of the fresh ones is fresh no more; set only while somebody waits. */
  #alarm: Alarm | undefined
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

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
    const free = this.#place()
    const place = free instanceof Promise ? await free : free
    try {
      if (signal.aborted) throw this.#closed ? closed() : unwanted('a question')
      return await ask(signal)
    } catch (error) {
      throw this.#closed ? closed() : error
    } finally {
      this.#fresh.delete(place)
      this.#slow.delete(place)
      this.#admit()
    }
  }

  #place(): Place | Promise<Place> {
    if (this.#hasRoom()) return this.#take()
    return new Promise((resolve) => {
      this.#queue.push(resolve)
      this.#watch()
    })
  }

  #hasRoom(): boolean {
    return this.#fresh.size < MOST_AT_ONCE && this.#fresh.size + this.#slow.size < MOST_OPEN
  }

  #take(): Place {
    const place = { began: this.#clock.ticks() }
    this.#fresh.add(place)
    return place
  }

  /** Gives places to those who wait, as far as there are some. */
  #admit(): void {
    while (this.#queue.length > 0 && this.#hasRoom()) this.#queue.shift()!(this.#take())
    if (this.#queue.length > 0) return this.#watch()
    this.#alarm?.cancel()
    this.#alarm = undefined
  }

  #watch(): void {
    const [oldest] = this.#fresh
    if (this.#alarm !== undefined || oldest === undefined) return
    this.#alarm = this.#clock.alarm(oldest.began + SLOW, () => {
      this.#alarm = undefined
      for (const place of this.#fresh) {
        if (place.began + SLOW > this.#clock.ticks()) break
        this.#fresh.delete(place)
        this.#slow.add(place)
      }
      this.#admit()
    })
  }
}

const closed = (): MailError => new MailError('closed', 'The resolver is closed.')

const unwanted = (what: string): MailError => new MailError('temporary', `DNS: ${what}: the answer is not wanted any more`)
