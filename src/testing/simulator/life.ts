import type { Alarm, Clock } from '../../protocol/session/clock.ts'

/** The clock of a host: the time of all, and a date of its own, which somebody may set. */
export class HostClock implements Clock {
  /** Milliseconds that its date is ahead. */
  ahead = 0
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  now(): number {
    return this.clock.now() + this.ahead
  }

  ticks(): number {
    return this.clock.ticks()
  }

  alarm(at: number, ring: () => void): Alarm {
    return this.clock.alarm(at, ring)
  }
}

/**
 * The life of a process, from its start to its crash. What it waits for when it is over never comes, and what it does then has no
 * effect: no code of it runs to an end that the crash has cut off.
 */
export class Life {
  isOver = false
  /** For all that runs in it. */
  readonly clock: Clock
  private readonly alarms = new Set<Alarm>()

  constructor(clock: Clock) {
    this.clock = {
      now: () => clock.now(),
      ticks: () => clock.ticks(),
      alarm: (at, ring) => this.alarm(clock, at, ring),
    }
  }

  /** It is over. */
  end(): void {
    this.isOver = true
    for (const alarm of this.alarms) alarm.cancel()
    this.alarms.clear()
  }

  private alarm(clock: Clock, at: number, ring: () => void): Alarm {
    if (this.isOver) return { cancel: () => undefined }
    const alarm = clock.alarm(at, () => {
      this.alarms.delete(alarm)
      if (!this.isOver) ring()
    })
    this.alarms.add(alarm)
    return {
      cancel: () => {
        this.alarms.delete(alarm)
        alarm.cancel()
      },
    }
  }
}

/** What never comes. */
export const never = <T>(): Promise<T> => new Promise<T>(() => undefined)
