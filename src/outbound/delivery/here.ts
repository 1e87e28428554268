import type { Clock } from '../../protocol/session/clock.ts'
import type { Work } from './work.ts'

/** Messages that may be on their way into mailboxes here at a time. */
const MOST = 200
/** Milliseconds after which others go on, past those that take longer. */
const SLOW = 1_000

/**
 * Brings mail into mailboxes here. One that takes long keeps nobody waiting but, once there are too many of those, all that come
 * after it.
 */
export class Here {
  /** Messages on their way. */
  under = 0
  private readonly bring: (work: Work) => Promise<void>
  private readonly late: () => void
  private readonly clock: Clock
  private waiting: (() => void)[] = []

  /** `bring` puts a message into mailboxes and settles it, and never rejects; `late` hears when one has ended that took long. */
  constructor(bring: (work: Work) => Promise<void>, clock: Clock, late: () => void) {
    this.bring = bring
    this.clock = clock
    this.late = late
  }

  /** Begins to bring all of them, and resolves when the next may come. */
  async carry(works: readonly Work[]): Promise<void> {
    while (this.under >= MOST) await new Promise<void>((resolve) => this.waiting.push(resolve))
    let isWaited = true
    const all = works.map(async (work) => {
      this.under++
      await this.bring(work)
      this.under--
      this.wake()
      if (!isWaited) this.late()
    })
    await this.orSlow(Promise.all(all))
    isWaited = false
  }

  private async orSlow(all: Promise<unknown>): Promise<void> {
    const { clock } = this
    await new Promise<void>((resolve) => {
      const alarm = clock.alarm(clock.ticks() + SLOW, resolve)
      void all.then(() => {
        alarm.cancel()
        resolve()
      })
    })
  }

  private wake(): void {
    const { waiting } = this
    this.waiting = []
    for (const resolve of waiting) resolve()
  }
}
