import type { Lease, MailQueue, Settlement } from '../../contracts/queue.ts'
import type { Alarm, Clock } from '../../protocol/session/clock.ts'
import { isMailError } from '../../protocol/session/errors.ts'
import { pause } from './pause.ts'

/** Milliseconds after which a settlement is tried again that the queue could not take; the last of them for ever. */
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
  private isOver = false

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
    if (this.held.size > 0 && !this.isOver) this.alarm ??= this.nextProlonging()
    return fresh
  }

  /**
   * Ends the work on a job. `false`: somebody else has it now, or the queue takes it no more. As long as the queue fails it is
   * tried again, and the lease prolonged: what has gone out must not go out twice. Rejects with `quota` alone, where the queue
   * has no room for what is to be enqueued: the lease lasts.
   */
  async settle(lease: Lease, settlement: Settlement): Promise<boolean> {
    for (let tries = 0; ; tries++) {
      const held = this.held.get(lease.job) ?? lease
      try {
        const settled = await this.queue.settle(held, settlement)
        const newer = this.held.get(lease.job)
        // The clock has jumped, and somebody here was given the job again meanwhile: it is still the same work.
        if (!settled && newer !== undefined && newer.token !== held.token) continue
        this.drop(lease.job)
        if (settled && newer !== undefined && newer.token !== held.token) await this.giveBack(newer)
        return settled
      } catch (error) {
        const isFull = isMailError(error) && error.code === 'quota'
        if (isFull && settlement.enqueue !== undefined && settlement.enqueue.length > 0) throw error
        if (this.stopped.aborted || (isMailError(error) && error.code !== 'temporary' && !isFull)) {
          this.drop(lease.job)
          this.failed('settle', error)
          return false
        }
        if (tries >= AGAIN.length) this.failed('settle', error)
        await pause(AGAIN[tries] ?? AGAIN.at(-1)!, this.clock, this.stopped)
      }
    }
  }

  /** Nothing is prolonged any more. */
  end(): void {
    this.isOver = true
    this.alarm?.cancel()
  }

  /** The job was due again as soon as it was settled, and leased before we knew: nobody is at work on it. */
  private async giveBack(lease: Lease): Promise<void> {
    const now = this.clock.now()
    try {
      await this.queue.settle(lease, { now, outcomes: [], counts: false, due: now })
    } catch (error) {
      this.failed('settle', error)
    }
  }

  private drop(job: string): void {
    this.held.delete(job)
    if (this.held.size > 0) return
    this.alarm?.cancel()
    this.alarm = undefined
  }

  private nextProlonging(): Alarm {
    return this.clock.alarm(this.clock.ticks() + this.lasting / 3, () => void this.prolong())
  }

  private async prolong(): Promise<void> {
    this.alarm = this.nextProlonging()
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
