import { turn } from '../adapters/node/event-loop.ts'
import type { Alarm, Clock } from '../protocol/session/clock.ts'
import { MailError } from '../protocol/session/errors.ts'

/** A clock that stands still until a test moves it. */
export interface VirtualClock extends Clock {
  /** Alarms that are set. */
  readonly pending: number
  /**
   * Lets so many milliseconds pass: alarms ring in the order of their times, those of one time in the order they were set, and
   * before and after each everything happens that can happen without the machine (promises settle, links deliver).
   */
  advance(milliseconds: number): Promise<void>
  /** Goes to the next alarm, and tells by how much the time went on; `undefined` where none is set. */
  next(): Promise<number | undefined>
  /**
   * Goes from alarm to alarm until the promise settles, and gives its value: waiting takes no time. For what depends on
   * nothing but the clock; while files or sockets are at work, alarms would ring too early.
   */
  until<T>(promise: Promise<T>): Promise<T>
  /** Sets the date, as an operator or NTP does; deadlines are not touched. */
  setDate(now: number): void
}

/** When virtual time begins unless told otherwise: a Thursday noon. */
const epoch = Date.UTC(2026, 0, 1, 12)

/**
 * A clock for tests. `now` is its date in milliseconds since the Unix epoch (default: noon of 2026-01-01, UTC); its ticks
 * begin at 0.
 */
export function virtualClock(options: { readonly now?: number } = {}): VirtualClock {
  return new Virtual(options.now ?? epoch)
}

interface SetAlarm extends Alarm {
  readonly at: number
  readonly ring: () => void
}

class Virtual implements VirtualClock {
  #ticks = 0
  #offset: number
  /** In the order in which they ring. */
  readonly #alarms: SetAlarm[] = []
  /** Whoever moves the clock comes after those who do already. */
  #moving: Promise<unknown> = Promise.resolve()

  constructor(now: number) {
    this.#offset = now
  }

  get pending(): number {
    return this.#alarms.length
  }

  now(): number {
    return this.#offset + this.#ticks
  }

  ticks(): number {
    return this.#ticks
  }

  alarm(at: number, ring: () => void): Alarm {
    const alarm: SetAlarm = {
      at,
      ring,
      cancel: () => {
        const index = this.#alarms.indexOf(alarm)
        if (index >= 0) this.#alarms.splice(index, 1)
      },
    }
    let index = this.#alarms.length
    while (index > 0 && this.#alarms[index - 1]!.at > at) index--
    this.#alarms.splice(index, 0, alarm)
    // What is due already needs nobody to move the clock.
    if (at <= this.#ticks) void Promise.resolve().then(() => this.#ringIfSet(alarm))
    return alarm
  }

  advance(milliseconds: number): Promise<void> {
    if (!(milliseconds >= 0)) {
      throw new MailError('misuse', `advance(${milliseconds}): time goes forward; setDate() changes the date.`)
    }
    return this.#move(async () => {
      const end = this.#ticks + milliseconds
      await turn()
      while ((this.#alarms[0]?.at ?? Infinity) <= end) await this.#ringFirst()
      this.#ticks = end
      await turn()
    })
  }

  next(): Promise<number | undefined> {
    return this.#move(async () => {
      await turn()
      if (this.#alarms.length === 0) return undefined
      const before = this.#ticks
      await this.#ringFirst()
      return this.#ticks - before
    })
  }

  until<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const settle = (): void => {
      settled = true
    }
    promise.then(settle, settle)
    return this.#move(async () => {
      await turn()
      while (!settled && this.#alarms.length > 0) await this.#ringFirst()
    }).then(() => promise)
  }

  setDate(now: number): void {
    this.#offset = now - this.#ticks
  }

  #move<T>(run: () => Promise<T>): Promise<T> {
    const moved = this.#moving.then(run)
    this.#moving = moved.catch(() => undefined)
    return moved
  }

  async #ringFirst(): Promise<void> {
    const alarm = this.#alarms[0]!
    this.#ticks = Math.max(this.#ticks, alarm.at)
    this.#ringIfSet(alarm)
    await turn()
  }

  #ringIfSet(alarm: SetAlarm): void {
    const index = this.#alarms.indexOf(alarm)
    if (index < 0) return
    this.#alarms.splice(index, 1)
    alarm.ring()
  }
}
