import type { Policy, Stage } from '../../contracts/policy.ts'
import { asciiDomain } from '../../message/domain.ts'
import { aNumberAboveZero, checkOptions, type OptionKinds } from '../../protocol/session/options.ts'
import { aConsequence, type Consequence, follow } from '../consequence.ts'
import { domainOf } from '../domain-exists.ts'
import { inTime } from '../in-time.ts'
import { leadsTo } from '../reverse-name.ts'

/** What {@link helo} asks of the name in EHLO, and what follows where it is not so. */
export interface HeloOptions {
  /** The DNS does not know the name: neither addresses nor mail servers (default `reject`). */
  readonly unknown?: Consequence
  /**
   * None of its addresses is the client's (default 0, nothing). Many sound servers say so, and RFC 5321 §4.1.4 forbids to refuse
   * mail for that alone: give points.
   */
  readonly mismatch?: Consequence
  /** Milliseconds for the answer (default 10,000); whatever comes later passes. */
  readonly timeout?: number
}

const kinds: OptionKinds<HeloOptions> = { unknown: aConsequence, mismatch: aConsequence, timeout: aNumberAboveZero }

/**
 * Looks the name in EHLO up in the DNS, at MAIL. How the name is written is the affair of {@link hostnameCheck}, which asks
 * nobody: what is no domain name passes here. By default a name that does not exist is refused by `550 5.7.1`. Where the DNS does
 * not say, it passes. Whoever has logged in is exempt.
 *
 * ```ts
 * import { helo, hostnameCheck } from 'posthorn'
 *
 * const policies = [hostnameCheck({ own: ['mx.example.org'] }), helo({ unknown: 'reject', mismatch: 1 })]
 * ```
 */
export function helo(options: HeloOptions = {}): Policy {
  checkOptions('helo', options, kinds)
  const { unknown = 'reject', mismatch = 0, timeout = 10_000 } = options
  const found = async (name: string, stage: Stage, signal: AbortSignal): Promise<'fine' | 'unknown' | 'mismatch'> => {
    const { peer: { address } } = stage.connection
    // One question is enough for most.
    if (address !== undefined && (await leadsTo(name, address, stage.resolver, signal)) === true) return 'fine'
    if ((await domainOf(name, stage.resolver, signal)) === 'missing') return 'unknown'
    return address !== undefined && (await leadsTo(name, address, stage.resolver, signal)) === false ? 'mismatch' : 'fine'
  }
  return {
    name: 'helo',
    sender: async (_, stage) => {
      const { hello, account } = stage.connection
      const name = asciiDomain(hello?.name ?? '')
      if (account !== undefined || name.startsWith('[') || !name.includes('.')) return undefined
      const result = await inTime(stage, timeout, (signal) => found(name, stage, signal), () => 'fine' as const)
      if (result === 'unknown') return follow(unknown, { text: 'The name in your greeting does not exist' }, stage)
      if (result === 'mismatch') return follow(mismatch, { text: 'The name in your greeting is not that of your address' }, stage)
      return undefined
    },
  }
}
