import type { QueueOrder, QueuedJob } from '../../contracts/queue.ts'
import { REPORT } from '../../outbound/delivery/reporting.ts'
import type { Draws } from './draws.ts'
import type { SimulatedHost } from './host.ts'

/** Somebody who looks after the queues, and interferes. */
export class Operator {
  private readonly draws: Draws
  private readonly note: (what: string) => void

  constructor(draws: Draws, note: (what: string) => void) {
    this.draws = draws
    this.note = note
  }

  /** Gives an order on one job that waits, if there is one. */
  async interfere(host: SimulatedHost): Promise<void> {
    // A report that is dropped leaves somebody in the dark, as was ordered: nothing to be learned from that.
    const jobs = (await this.jobs(host, 'waiting')).filter(({ destination }) => destination !== REPORT)
    if (jobs.length === 0) return
    const order = this.draws.pick<QueueOrder>([
      { kind: 'retry' },
      { kind: 'retry' },
      { kind: 'hold', why: 'a look at it' },
      { kind: 'bounce', why: 'It is too old' },
      { kind: 'drop' },
    ])
    await this.carryOut(host, this.draws.pick(jobs), order)
  }

  /** Releases what is held. */
  async release(host: SimulatedHost): Promise<void> {
    for (const job of await this.jobs(host, 'held')) await this.carryOut(host, job, { kind: 'release' })
  }

  private async jobs({ queue, clock, disk }: SimulatedHost, state: QueuedJob['state']): Promise<readonly QueuedJob[]> {
    const found = await disk.doing(queue.jobs({ state, limit: 1000, now: clock.now() }))
    return found.jobs
  }

  private async carryOut(host: SimulatedHost, job: QueuedJob, order: QueueOrder): Promise<void> {
    const { queue, clock, disk, books, plan } = host
    const about = await disk.doing(queue.message(job.message))
    if ((await host.order([job.job], order, clock.now())) === 0) return
    this.note(`${plan.domain} ${job.message} ${job.destination}: ${order.kind}`)
    books.ordered(job, about?.message.facts.messageId, order.kind)
  }
}
