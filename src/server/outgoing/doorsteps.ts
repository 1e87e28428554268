import type { Tried } from '../../outbound/delivery/tried.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import { MailError } from '../../protocol/session/errors.ts'

/** Milliseconds that mailboxes may take for one recipient; then it is tried again later. */
const PATIENCE = 300_000
/** Milliseconds after which nothing more is begun for the same address. */
const SLOW = 5_000
/** Milliseconds after which what has not ended is believed never to end. */
const LOST = 3_600_000
/** Recipients of whom it is remembered that they got a message when nobody waited any more. */
const MOST_LATE = 10_000

/** Something under way. */
interface Step {
  /** Ticks when it began. */
  readonly began: number
  /** Whose mail it is. */
  readonly address: string
}

/**
 * Mail on its way into mailboxes: a store that does not answer keeps back those alone whose mail it is. What it says late counts
 * when the message comes again, so that nobody gets it twice.
 */
export class Doorsteps {
  private readonly clock: Clock
  /** By message and recipient, in the order in which they began. */
  private readonly steps = new Map<string, Step>()
  private readonly late = new Map<string, Tried>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  /**
   * Does the work for a recipient of a message, `key`; `undefined`: it takes too long, or other mail to the same address does.
   * `work` must not reject, and is told when nobody waits for it any more.
   */
  async attempt(key: string, address: string, work: (signal: AbortSignal) => Promise<Tried>): Promise<Tried | undefined> {
    const late = this.late.get(key)
    this.late.delete(key)
    if (late) return late
    if (this.isStuck(address)) return undefined
    const step: Step = { began: this.clock.ticks(), address }
    this.steps.set(key, step)
    return this.inTime(key, step, work)
  }

  private inTime(key: string, step: Step, work: (signal: AbortSignal) => Promise<Tried>): Promise<Tried | undefined> {
    const { clock, steps } = this
    const controller = new AbortController()
    return new Promise((resolve) => {
      const alarm = clock.alarm(step.began + PATIENCE, () => {
        controller.abort(new MailError('temporary', 'The mailbox does not answer'))
        resolve(undefined)
      })
      void work(controller.signal).then((tried) => {
        alarm.cancel()
        if (steps.get(key) === step) steps.delete(key)
        if (controller.signal.aborted) this.note(key, tried)
        resolve(tried)
      })
    })
  }

  /** Whether mail to an address is under way that should have ended. */
  private isStuck(address: string): boolean {
    const now = this.clock.ticks()
    for (const [key, step] of this.steps) {
      if (now - step.began < SLOW) return false
      if (now - step.began >= LOST) this.steps.delete(key)
      else if (step.address === address) return true
    }
    return false
  }

  private note(key: string, tried: Tried): void {
    if (!tried.taken) return
    this.late.set(key, tried)
    const [oldest] = this.late.keys()
    if (this.late.size > MOST_LATE) this.late.delete(oldest!)
  }
}
