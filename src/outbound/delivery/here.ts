import type { Clock } from '../../protocol/session/clock.ts'
import type { Work } from './work.ts'

/** Messages that may be on their way into mailboxes here at a time. */
const MOST = 200
/** Milliseconds after which others go on, past those that take longer. */
const SLOW = 1_000

/** What {@link Here} works with. */
export interface HereTerms {
  /** Puts a message into mailboxes and settles it. Never rejects. */
  readonly bring: (work: Work) => Promise<void>
  /** Gives a job back as it was. Never rejects. */
  readonly release: (work: Work) => Promise<void>
  /** A message that took long has ended. */
  readonly late: () => void
  /** Nothing more is begun. */
  readonly stopped: AbortSignal
  readonly clock: Clock
}

/**
 * Brings mail into mailboxes here. One that takes long keeps nobody waiting but, once there are too many of those, all that come
 * after it.
 */
export class Here {
  /** Messages on their way. */
  under = 0
  private readonly terms: HereTerms
  private waiting: (() => void)[] = []

  constructor(terms: HereTerms) {
    this.terms = terms
    terms.stopped.addEventListener('abort', () => this.wake())
  }

  /** Begins to bring all of them, and resolves when the next may come. */
  async carry(works: readonly Work[]): Promise<void> {
    const { bring, release, late, stopped } = this.terms
    while (this.under >= MOST && !stopped.aborted) await new Promise<void>((resolve) => this.waiting.push(resolve))
    if (stopped.aborted) return void (await Promise.all(works.map(release)))
    let isWaited = true
    const all = works.map(async (work) => {
      this.under++
      await bring(work)
      this.under--
      this.wake()
      if (!isWaited) late()
    })
    await this.orSlow(Promise.all(all))
    isWaited = false
  }

  private async orSlow(all: Promise<unknown>): Promise<void> {
    const { clock } = this.terms
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
