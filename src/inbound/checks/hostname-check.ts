import type { Policy, Stage, Verdict } from '../../contracts/policy.ts'
import { aSwitch, checkOptions, texts } from '../../protocol/session/options.ts'
import { sameAddress } from '../../protocol/session/networks.ts'
import { reject } from '../verdict.ts'

/** What {@link hostnameCheck} asks of the name in EHLO. */
export interface HostnameCheckOptions {
  /** Names of this server's own: a stranger that uses them lies. */
  readonly own?: readonly string[]
  /** Ask for a name with a dot or an address literal (default true). */
  readonly qualified?: boolean
  /** Ask an address literal to be the client's own address (default true). */
  readonly literal?: boolean
}

/**
 * Looks at the name in EHLO: a bare word, somebody else's address, or our own name is what spam engines say. Clients with
 * an account are exempt.
 */
export function hostnameCheck(options: HostnameCheckOptions = {}): Policy {
  checkOptions('hostnameCheck', options, { own: texts, qualified: aSwitch, literal: aSwitch })
  const { qualified = true, literal = true } = options
  const own = new Set((options.own ?? []).map((name) => name.toLowerCase()))
  const judge = (stage: Stage): Verdict | undefined => {
    const { hello, account, peer } = stage.connection
    const name = hello?.name.toLowerCase()
    if (name === undefined || account !== undefined) return undefined
    if (own.has(name)) return reject(550, '5.7.1', 'That is my name, not yours')
    if (name.startsWith('[')) {
      const claimed = name.slice(1, -1).replace('ipv6:', '')
      const isOther = literal && peer.address !== undefined && !sameAddress(claimed, peer.address)
      return isOther ? reject(550, '5.7.1', 'That is not your address') : undefined
    }
    return qualified && !name.includes('.') ? reject(550, '5.7.1', 'Say EHLO with a full domain name') : undefined
  }
  // At MAIL rather than at EHLO: some clients try EHLO, are refused, and say HELO with the same name; and accounts come in
  // between.
  return { name: 'hostnameCheck', sender: (_, stage) => judge(stage) }
}
