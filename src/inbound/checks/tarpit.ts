import type { Policy, Stage } from '../../contracts/policy.ts'
import type { Envelope } from '../../contracts/received.ts'
import { aCount, checkOptions, required } from '../../protocol/session/options.ts'

/** How much {@link tarpit} slows a client down, and from when on. */
export interface TarpitOptions {
  /** Milliseconds before each answer. */
  readonly delay: number
  /** Recipients of a message that are answered at once (default 5). */
  readonly after?: number
}

/** What {@link tarpit} knows of a transaction. */
interface Asked {
  recipients: number
  /** When the answer to the latest of them is due: milliseconds since the Unix epoch. */
  due: number
}

/** The longest that an answer is kept back for those before it, in milliseconds: no client may be driven to give up. */
const MOST = 30_000

/**
 * Slows a client down that names one recipient after the other: answers come late from the sixth on. Those to recipients that
 * were sent in one go come one after the other, each `delay` later than the one before, but none more than 30 seconds after its
 * question (or `delay`, where that is longer). Combine with `when` to choose whom.
 */
export function tarpit(options: TarpitOptions): Policy {
  const is = (value: unknown): boolean => typeof value === 'number' && value > 0 && value < 300_000
  const aDelay = { takes: 'milliseconds, more than 0 and less than five minutes', is }
  checkOptions('tarpit', options, { delay: required(aDelay), after: aCount })
  const { delay, after = 5 } = options
  const most = Math.max(delay, MOST)
  const transactions = new WeakMap<Envelope, Asked>()
  /** How long the answer to the recipient at hand is kept back. */
  const wait = ({ envelope, now }: Stage): number => {
    const asked = transactions.get(envelope!) ?? { recipients: 0, due: 0 }
    transactions.set(envelope!, asked)
    if (++asked.recipients <= after) return 0
    asked.due = Math.min(Math.max(asked.due, now) + delay, now + most)
    return asked.due - now
  }
  const recipient = (stage: Stage): Promise<void> | undefined => {
    const milliseconds = wait(stage)
    return milliseconds > 0 ? stage.wait(milliseconds) : undefined
  }
  return { name: 'tarpit', waits: { recipient: most }, recipient: (_, stage) => recipient(stage) }
}
