import type { Policy } from '../../contracts/policy.ts'
import { asciiDomain } from '../../message/domain.ts'
import { aNumberAboveZero, checkOptions, type OptionKinds, oneOf } from '../../protocol/session/options.ts'
import { aConsequence, type Consequence, follow } from '../consequence.ts'
import { domainOf } from '../domain-exists.ts'
import { inTime } from '../in-time.ts'

/** What follows where no answer could reach the sender. */
export interface SenderDomainExistsOptions {
  /** The domain does not exist, or has neither mail servers nor addresses (default `reject`). */
  readonly missing?: Consequence
  /** It says that it takes no mail (default `reject`). */
  readonly nullMx?: Consequence
  /** The DNS does not say, or not in time (default `defer`). */
  readonly failing?: 'defer' | 'pass'
  /** Milliseconds for the answer (default 10,000). */
  readonly timeout?: number
}

const kinds: OptionKinds<SenderDomainExistsOptions> = {
  missing: aConsequence,
  nullMx: aConsequence,
  failing: oneOf('defer', 'pass'),
  timeout: aNumberAboveZero,
}

/**
 * Looks at MAIL whether mail could go back to the sender's domain. By default `550 5.1.8` where there is no such domain, and `550
 * 5.7.27` where it takes no mail (RFC 7505 §4.2); `451 4.4.3` where the DNS does not say. The null sender and address literals
 * pass; whoever has logged in is exempt.
 *
 * ```ts
 * import { senderDomainExists } from 'posthorn'
 *
 * senderDomainExists({ missing: 'reject', failing: 'pass' })
 * ```
 */
export function senderDomainExists(options: SenderDomainExistsOptions = {}): Policy {
  checkOptions('senderDomainExists', options, kinds)
  const { missing = 'reject', nullMx = 'reject', failing = 'defer', timeout = 10_000 } = options
  return {
    name: 'senderDomainExists',
    sender: async (sender, stage) => {
      const name = asciiDomain(sender?.domain ?? '')
      if (sender === null || name.startsWith('[') || stage.connection.account !== undefined) return undefined
      const found = await inTime(stage, timeout, (signal) => domainOf(name, stage.resolver, signal), () => 'failing' as const)
      if (found === 'missing') return follow(missing, { text: 'The domain of the sender does not exist', detail: '1.8' }, stage)
      if (found === 'null') return follow(nullMx, { text: 'The domain of the sender takes no mail', detail: '7.27' }, stage)
      if (found === 'exists' || failing === 'pass') return undefined
      return follow('defer', { text: 'The domain of the sender cannot be looked up', code: 451, detail: '4.3' }, stage)
    },
  }
}
