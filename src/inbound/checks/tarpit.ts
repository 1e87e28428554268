import type { Policy, Stage } from '../../contracts/policy.ts'
import type { Envelope } from '../../contracts/received.ts'
import { aNumber, checkOptions, required } from '../../protocol/session/options.ts'

/** How much {@link tarpit} slows a client down, and from when on. */
export interface TarpitOptions {
  /** Milliseconds before each answer. */
  readonly delay: number
  /** Recipients of a message that are answered at once (default 5). */
  readonly after?: number
}

/**
 * Slows a client down that names one recipient after the other: answers come late from the sixth on. Combine with `when` to
 * choose whom.
 */
export function tarpit(options: TarpitOptions): Policy {
  const is = (value: unknown): boolean => typeof value === 'number' && value > 0 && value < 60_000
  checkOptions('tarpit', options, { delay: required({ takes: '1 to 59999 milliseconds', is }), after: aNumber })
  const { delay, after = 5 } = options
  const asked = new WeakMap<Envelope, number>()
  const count = (stage: Stage): number => {
    const recipients = (asked.get(stage.envelope!) ?? 0) + 1
    asked.set(stage.envelope!, recipients)
    return recipients
  }
  return { name: 'tarpit', recipient: (_, stage) => (count(stage) > after ? stage.wait(delay) : undefined) }
}
