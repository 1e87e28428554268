import type { IprevFinding } from '../contracts/authentication.ts'
import type { Resolver } from '../contracts/resolver.ts'
import { isSameAddress, reverseTreeName } from './address-octets.ts'

/** Names of an address that are looked at: RFC 7208 §4.6.4 lets SPF look at as many. */
const MOST_NAMES = 10

/** A finding of iprev, with all names that the address has. */
export interface ReverseNames extends IprevFinding {
  /** In lower case; at most ten. */
  readonly names: readonly string[]
}

/**
 * Whether a name of the address leads back to it (RFC 8601 §3): `pass`; `fail`, none of them does; `permerror`, it has no name;
 * `temperror`, the DNS does not say; `none`, it is no address. At most eleven questions. Never rejects for what the DNS does.
 *
 * ```ts
 * import { type Policy, reverseNames } from 'posthorn'
 *
 * const policy: Policy = {
 *   name: 'dynamic',
 *   connect: async ({ peer }, stage) => {
 *     const { name = '' } = await reverseNames(peer.address ?? '', stage.resolver, stage.signal)
 *     if (name.includes('dynamic')) stage.notes.score(2, `${name} looks like a dial-up line`)
 *   },
 * }
 * ```
 */
export async function reverseNames(address: string, resolver: Resolver, signal?: AbortSignal): Promise<ReverseNames> {
  const tree = reverseTreeName(address)
  if (tree === undefined) return { result: 'none', name: undefined, names: [] }
  let names: readonly string[]
  try {
    const { records } = await resolver.resolve(tree, 'PTR', signal)
    names = records.filter((name) => name !== '').slice(0, MOST_NAMES)
  } catch {
    return { result: 'temperror', name: undefined, names: [] }
  }
  if (names.length === 0) return { result: 'permerror', name: undefined, names }
  const found = await Promise.all(names.map((name) => leadsTo(name, address, resolver, signal)))
  const back = found.indexOf(true)
  if (back >= 0) return { result: 'pass', name: names[back], names }
  return { result: found.includes(undefined) ? 'temperror' : 'fail', name: names[0], names }
}

/** Whether the address is one of the name's; `undefined`: the DNS does not say. */
export async function leadsTo(
  name: string, address: string, resolver: Resolver, signal?: AbortSignal,
): Promise<boolean | undefined> {
  const isIpv6 = (reverseTreeName(address) ?? '').endsWith('.ip6.arpa')
  try {
    const { records } = await resolver.resolve(name, isIpv6 ? 'AAAA' : 'A', signal)
    return records.some((record) => isSameAddress(record, address))
  } catch {
    return undefined
  }
}
