import type { Policy } from '../../contracts/policy.ts'
import { MailError } from '../../protocol/session/errors.ts'

/**
 * Makes clients wait for the greeting. Those that speak first are refused by the session with 554 (S11), without being asked
 * anything: spam engines do not listen. A few seconds are enough; RFC 5321 §4.5.3.2.1 lets a client wait five minutes.
 */
export function earlyTalker(options: { readonly wait: number }): Policy {
  const { wait } = options
  if (!(wait > 0 && wait <= 60_000)) {
    throw new MailError('config', `earlyTalker: wait is ${wait}; it takes 1 to 60000 milliseconds.`)
  }
  return { name: 'earlyTalker', connect: (_, stage) => stage.wait(wait) }
}
