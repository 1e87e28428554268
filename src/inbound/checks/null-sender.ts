import type { Policy, Verdict } from '../../contracts/policy.ts'
import { aSwitch, checkOptions } from '../../protocol/session/options.ts'
import { defer, reject } from '../verdict.ts'

/** What {@link nullSender} asks of messages from the null sender. */
export interface NullSenderOptions {
  /**
   * Refuse it from whoever has logged in (default true): programs report on mail that they got, and those of people do so only
   * for receipts (RFC 8098 §3); where these are to go out, `false`.
   */
  readonly refuseLogins?: boolean
}

const one: Verdict = defer(452, '4.5.3', 'One recipient at a time for the null sender')
const noLogins: Verdict = reject(550, '5.7.1', 'Messages from people need a sender')

/**
 * What comes from the null sender reports on one message to the one who sent it (RFC 5321 §4.5.5, §6.1), so it has one
 * recipient: further ones hear `452 4.5.3`, and a sound client sends to them one by one. Nobody who has logged in has reports
 * to make: `550 5.7.1`.
 *
 * ```ts
 * import { nullSender } from 'posthorn'
 *
 * nullSender()
 * ```
 */
export function nullSender(options: NullSenderOptions = {}): Policy {
  checkOptions('nullSender', options, { refuseLogins: aSwitch })
  const { refuseLogins = true } = options
  return {
    name: 'nullSender',
    sender: (sender, { connection }) =>
      (sender === null && refuseLogins && connection.account !== undefined ? noLogins : undefined),
    recipient: (_, { envelope }) => (envelope?.sender === null && envelope.recipients.length > 0 ? one : undefined),
  }
}
