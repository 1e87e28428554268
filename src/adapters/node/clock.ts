import { performance } from 'node:perf_hooks'
import type { Alarm, Clock } from '../../protocol/session/clock.ts'

/** The longest delay that `setTimeout` takes; beyond it an alarm sleeps in stages. */
const longest = 0x7fff_ffff

class NodeAlarm implements Alarm {
  readonly #at: number
  readonly #ring: () => void
  #timer: NodeJS.Timeout

  constructor(at: number, ring: () => void) {
    this.#at = at
    this.#ring = ring
    this.#timer = this.#sleep()
  }

  cancel(): void {
    clearTimeout(this.#timer)
  }

  /** Unreferenced: what keeps a process alive are its sockets, never a deadline that nobody waits for. */
  #sleep(): NodeJS.Timeout {
    const delay = Math.ceil(this.#at - performance.now())
    return setTimeout(NodeAlarm.#woke, Math.min(Math.max(delay, 1), longest), this).unref()
  }

  /** Timers count whole milliseconds and may ring a fraction early, which would make a deadline look unreached. */
  static #woke = (alarm: NodeAlarm): void => {
    if (performance.now() < alarm.#at) alarm.#timer = alarm.#sleep()
    else alarm.#ring()
  }
}

/** Those who keep the process alive, and the timer that does it for all of them. */
let awake = 0
let keeper: NodeJS.Timeout | undefined

function stayAwake(): () => void {
  awake++
  keeper ??= setInterval(() => {}, longest)
  let isAsleep = false
  return () => {
    if (isAsleep) return
    isAsleep = true
    awake--
    if (awake > 0) return
    clearInterval(keeper)
    keeper = undefined
  }
}

/** The time of this machine. Alarms do not keep the process alive. */
export const nodeClock: Clock = {
  now: () => Date.now(),
  ticks: () => performance.now(),
  alarm: (at, ring) => new NodeAlarm(at, ring),
  stayAwake,
}
