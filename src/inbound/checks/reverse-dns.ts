import type { Policy } from '../../contracts/policy.ts'
import { aNumberAboveZero, checkOptions, type OptionKinds } from '../../protocol/session/options.ts'
import { aConsequence, type Consequence, follow } from '../consequence.ts'
import { inTime } from '../in-time.ts'
import { type ReverseNames, reverseNames } from '../reverse-name.ts'

/** What {@link reverseDns} asks of a client, and what follows where it is not so. */
export interface ReverseDnsOptions {
  /** Its address has no name (default `reject`). */
  readonly missing?: Consequence
  /** No name of its address leads back to it (default 0, nothing). */
  readonly unconfirmed?: Consequence
  /** The DNS does not say, or not in time (default 0, nothing; `reject` would turn away mail for a fault of somebody else). */
  readonly unknown?: Exclude<Consequence, 'reject'>
  /** Milliseconds for the answer (default 10,000). */
  readonly timeout?: number
}

const kinds: OptionKinds<ReverseDnsOptions> = {
  missing: aConsequence,
  unconfirmed: aConsequence,
  unknown: { takes: "'defer', 'quarantine' or a number of points", is: (value) => value !== 'reject' && aConsequence.is(value) },
  timeout: aNumberAboveZero,
}

/**
 * Looks at MAIL whether the client's address has a name, and whether that leads back to it (RFC 8601 §3): servers have one,
 * hijacked machines often have none. By default who has none is refused by `550 5.7.25` (RFC 7372 §3.3). Whoever has logged in
 * is exempt, and a client whose address is not known.
 *
 * ```ts
 * import { reverseDns } from 'posthorn'
 *
 * reverseDns({ missing: 'reject', unconfirmed: 2 })
 * ```
 */
export function reverseDns(options: ReverseDnsOptions = {}): Policy {
  checkOptions('reverseDns', options, kinds)
  const { missing = 'reject', unconfirmed = 0, unknown = 0, timeout = 10_000 } = options
  return {
    name: 'reverseDns',
    sender: async (_, stage) => {
      const { account, peer: { address } } = stage.connection
      if (account !== undefined || address === undefined) return undefined
      const late: ReverseNames = { result: 'temperror', name: undefined, names: [] }
      const { result } = await inTime(stage, timeout, (signal) => reverseNames(address, stage.resolver, signal), () => late)
      const [detail, elsewhere] = ['7.25', 'The name of your address does not lead back to it']
      if (result === 'permerror') return follow(missing, { text: 'Your address has no name in the DNS', detail }, stage)
      if (result === 'fail') return follow(unconfirmed, { text: elsewhere, detail }, stage)
      if (result === 'temperror') return follow(unknown, { text: 'The name of your address cannot be looked up', detail }, stage)
      return undefined
    },
  }
}
