import type { Policy } from '../../contracts/policy.ts'
import { checkOptions, required } from '../../protocol/session/options.ts'

/**
 * Makes clients wait for the greeting. Those that speak first are refused by the session with 554 (S11), without being asked
 * anything: spam engines do not listen. A few seconds are enough; RFC 5321 §4.5.3.2.1 lets a client wait five minutes, and the
 * server's `answer` time-out, one minute by default, must be longer.
 */
export function earlyTalker(options: { readonly wait: number }): Policy {
  const is = (value: unknown): boolean => typeof value === 'number' && value > 0 && value < 300_000
  checkOptions('earlyTalker', options, { wait: required({ takes: 'milliseconds, more than 0 and less than five minutes', is }) })
  const { wait } = options
  return { name: 'earlyTalker', waits: { connect: wait }, connect: (_, stage) => stage.wait(wait) }
}
