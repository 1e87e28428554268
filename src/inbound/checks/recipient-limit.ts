import type { Policy, Stage } from '../../contracts/policy.ts'
import type { Recipient } from '../../contracts/received.ts'
import { aCountAboveZero, aFunction, checkOptions, required } from '../../protocol/session/options.ts'
import { defer } from '../verdict.ts'

/** How many recipients {@link recipientLimit} lets a message have. */
export interface RecipientLimitOptions {
  /** A number, or a function that tells it for whoever sends; its `undefined` is no limit. */
  readonly most: number | ((stage: Stage, to: Recipient) => number | undefined)
}

/**
 * Lets a message have so many recipients: those beyond hear `452 4.5.3`, upon which a client sends to them in another message
 * (RFC 5321 §4.5.3.1.10). The session has a limit of its own, for all alike (`limits.recipients`); this one may differ by who
 * sends.
 *
 * ```ts
 * import { recipientLimit } from 'posthorn'
 *
 * recipientLimit({ most: ({ connection }) => (connection.account === undefined ? 50 : undefined) })
 * ```
 */
export function recipientLimit(options: RecipientLimitOptions): Policy {
  const is = (value: unknown): boolean => aCountAboveZero.is(value) || aFunction.is(value)
  checkOptions('recipientLimit', options, { most: required({ takes: `${aCountAboveZero.takes} or a function`, is }) })
  const { most } = options
  return {
    name: 'recipientLimit',
    recipient: (to, stage) => {
      const limit = typeof most === 'function' ? most(stage, to) : most
      const named = stage.envelope?.recipients.length ?? 0
      return limit !== undefined && named >= limit ? defer(452, '4.5.3', 'Too many recipients, send another message') : undefined
    },
  }
}
