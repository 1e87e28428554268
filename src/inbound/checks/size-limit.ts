import type { Policy, Stage } from '../../contracts/policy.ts'
import type { ReceivedMessage } from '../../contracts/received.ts'
import { aCountAboveZero, aFunction, checkOptions, required } from '../../protocol/session/options.ts'
import { reject } from '../verdict.ts'

/** How large {@link sizeLimit} lets a message be. */
export interface SizeLimitOptions {
  /** Octets, or a function that tells them for whoever sends; its `undefined` is no limit. */
  readonly most: number | ((stage: Stage) => number | undefined)
}

const tooLarge = reject(552, '5.3.4', 'Message too large')

/**
 * Refuses messages that are too large, by `552 5.3.4`: at MAIL by the size that the client announces (RFC 1870 §6.1), otherwise
 * once they are there. The session has a limit of its own, which EHLO tells (`limits.messageOctets`), for all alike; this one may
 * differ by who sends, and be no more than that.
 *
 * ```ts
 * import { sizeLimit } from 'posthorn'
 *
 * sizeLimit({ most: ({ connection }) => (connection.account === undefined ? 10_000_000 : undefined) })
 * ```
 */
export function sizeLimit(options: SizeLimitOptions): Policy {
  const is = (value: unknown): boolean => aCountAboveZero.is(value) || aFunction.is(value)
  checkOptions('sizeLimit', options, { most: required({ takes: `${aCountAboveZero.takes} or a function`, is }) })
  const { most } = options
  const limitFor = (stage: Stage): number => (typeof most === 'function' ? most(stage) : most) ?? Infinity
  return {
    name: 'sizeLimit',
    sender: (_, stage) => ((stage.envelope?.size ?? 0) > limitFor(stage) ? tooLarge : undefined),
    message: (message, stage) => (sentOctets(message) > limitFor(stage) ? tooLarge : undefined),
  }
}

/** Those that the client has sent: the field that this server puts before them is not its affair. */
function sentOctets({ octets, headers }: ReceivedMessage): number {
  const [first] = headers.fields
  const isOurs = first?.start === 0 && first.name.toLowerCase() === 'received'
  return isOurs ? octets - (first.end - first.start) : octets
}
