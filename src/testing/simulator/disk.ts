import type { Clock } from '../../protocol/session/clock.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Draws } from './draws.ts'
import { type Life, never } from './life.ts'

/** How often calls go wrong: one in so many; 0: none does. */
export interface DiskFaults {
  readonly diskFails: number
  readonly diskCrashes: number
  readonly diskSlow: number
}

/** A call of a store or a queue. */
export interface DiskCall<T> {
  readonly method: string
  /** Writes: fails when the disk is full. */
  readonly writes: boolean
  readonly run: () => Promise<T>
  /** Told when whoever has called hears that it was done. */
  readonly answered?: () => void
  /** Told that it failed on purpose, before it was done or after it; or took so long that nobody may wait for it any more. */
  readonly failed?: (when: 'before' | 'after') => void
  /** Whoever makes it bears that it takes longer than anybody waits. */
  readonly mayStick: boolean
}

/**
 * Between a host and its store and queue: each call takes a while of virtual time, and may fail, crash the host, or take long. A
 * call is done at once and answered later, at a time that is known from the start: however long a database really takes, a run
 * is the same.
 */
export class Disk {
  /** Calls that are really being done. No virtual time passes meanwhile. */
  busy = 0
  /** Writes fail. */
  isFull = false
  /** All faults are healed. */
  isHealed = false
  private readonly clock: Clock
  private readonly draws: Draws
  private readonly faults: DiskFaults
  private readonly note: (what: string) => void

  constructor(clock: Clock, draws: Draws, faults: DiskFaults, note: (what: string) => void) {
    this.clock = clock
    this.draws = draws
    this.faults = faults
    this.note = note
  }

  /** Carries out a call. `crash`: ends the life that has made it. */
  call<T>(life: Life, crash: () => void, call: DiskCall<T>): Promise<T> {
    if (life.isOver) return never()
    const fate = this.fateOf(call)
    if (fate !== 'well') this.note(`${call.method} ${fate}`)
    if (fate === 'crashes before') crash()
    if (fate === 'crashes before') return never()
    if (fate === 'fails before' || fate === 'full') call.failed?.('before')
    if (fate === 'fails before') return this.later(life, Promise.reject(broken(call.method)), 1)
    if (fate === 'full') return this.later(life, Promise.reject(new MailError('quota', 'The disk is full')), 1)
    const done = this.doing(call.run())
    if (fate === 'crashes after') crash()
    if (fate === 'fails after') call.failed?.('after')
    const answered = fate === 'fails after' ? done.then(() => Promise.reject(broken(call.method))) : done
    if (fate === 'stuck') call.failed?.('after')
    const told = fate === 'fails after' ? undefined : call.answered
    return this.later(life, answered, this.draws.between(durations[fate][0], durations[fate][1]), told)
  }

  private fateOf({ writes, mayStick }: DiskCall<unknown>) {
    const { draws, faults } = this
    if (this.isHealed) return 'well'
    if (this.isFull && writes) return 'full'
    if (draws.oneIn(faults.diskCrashes)) return draws.pick(['crashes before', 'crashes after'] as const)
    if (draws.oneIn(faults.diskFails)) return draws.pick(['fails before', 'fails after'] as const)
    if (!draws.oneIn(faults.diskSlow)) return 'well'
    return mayStick && draws.oneIn(4) ? 'stuck' : 'slow'
  }

  /** Counts what is really being done. */
  doing<T>(done: Promise<T>): Promise<T> {
    this.busy++
    const over = (): void => void this.busy--
    done.then(over, over)
    return done
  }

  private later<T>(life: Life, answered: Promise<T>, milliseconds: number, told?: () => void): Promise<T> {
    // Nobody may be there to hear it.
    answered.catch(() => undefined)
    return new Promise((resolve) => life.clock.alarm(this.clock.ticks() + milliseconds, () => {
      told?.()
      resolve(answered)
    }))
  }
}

/** Milliseconds that calls take, at least and at most. Some servers wait five minutes for an answer of theirs. */
const durations = {
  'well': [1, 5],
  'fails after': [1, 5],
  'crashes after': [1, 5],
  'slow': [1_000, 40_000],
  'stuck': [100_000, 700_000],
} as const

const broken = (method: string): MailError => new MailError('temporary', `${method} failed on purpose`)
