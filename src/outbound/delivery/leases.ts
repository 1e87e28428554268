import type { Lease, MailQueue, Settlement } from '../../contracts/queue.ts'
import type { Alarm, Clock } from '../../protocol/session/clock.ts'
import { isMailError } from '../../protocol/session/errors.ts'
import { pause } from './pause.ts'

/** Milliseconds after which a settlement is tried again that the queue could not take. */
const AGAIN = [1_000, 5_000, 15_000, 60_000]

/**
 * The jobs that this process is at work on. Prolongs their leases while that lasts, and settles them; so that a clock that jumps,
 * after which the queue hands out again what somebody is at work on, makes nothing go out twice.
 */
export class Leases {
  private readonly queue: MailQueue
  private readonly clock: Clock
  private readonly lasting: number
  private readonly failed: (what: string, error: unknown) => void
  private readonly stopped: AbortSignal
  private readonly held = new Map<string, Lease>()
  private alarm: Alarm | undefined

  /** `lasting`: milliseconds that a lease lasts. `stopped`: there is no more time to wait for a queue that fails. */
  constructor(
    queue: MailQueue, clock: Clock, lasting: number, failed: (what: string, error: unknown) => void, stopped: AbortSignal,
  ) {
    this.queue = queue
    this.clock = clock
    this.lasting = lasting
    this.failed = failed
    this.stopped = stopped
  }

  /** Jobs that are being worked on. */
  get size(): number {
    return this.held.size
  }

  /** Leases jobs for a destination: those that nobody here is at work on. */
  async take(destination: string, limit: number): Promise<readonly Lease[]> {
    const now = this.clock.now()
    const leases = await this.queue.lease({ destination, now, until: now + this.lasting, limit })
    const fresh = leases.filter(({ job }) => !this.held.has(job))
    // Whoever is at work on it goes on with the newer lease.
    for (const lease of leases) this.held.set(lease.job, lease)
    if (this.held.size > 0) this.alarm ??= this.clock.alarm(this.clock.ticks() + this.lasting / 3, () => void this.prolong())
    return fresh
  }

  /** Ends the work on a job. `false`: somebody else has it now. */
  async settle(lease: Lease, settlement: Settlement): Promise<boolean> {
    for (const wait of [...AGAIN, undefined]) {
      try {
        const settled = await this.queue.settle(this.held.get(lease.job) ?? lease, settlement)
        this.drop(lease.job)
        return settled
      } catch (error) {
        if (wait === undefined || (isMailError(error) && error.code !== 'temporary')) {
          this.drop(lease.job)
          this.failed('settle', error)
          return false
        }
        await pause(wait, this.clock, this.stopped)
      }
    }
    return false
  }

  private drop(job: string): void {
    this.held.delete(job)
    if (this.held.size > 0) return
    this.alarm?.cancel()
    this.alarm = undefined
  }

  private async prolong(): Promise<void> {
    this.alarm = this.clock.alarm(this.clock.ticks() + this.lasting / 3, () => void this.prolong())
    const until = this.clock.now() + this.lasting
    for (const lease of [...this.held.values()]) {
      try {
        await this.queue.extend(lease, until)
      } catch (error) {
        this.failed('extend', error)
      }
    }
  }
}
