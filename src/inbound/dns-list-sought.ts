import type { Stage } from '../contracts/policy.ts'
import { asciiDomain } from '../message/domain.ts'
import { reversedAddress } from './address-octets.ts'
import type { DnsListSubject, Sought } from './dns-list-zones.ts'
import { reverseNames } from './reverse-name.ts'

/** What lists are to be asked for a client and its sender. Never rejects. */
export async function soughtOfSender(
  wanted: (subject: DnsListSubject) => boolean, stage: Stage, signal: AbortSignal,
): Promise<Sought[]> {
  const { connection: { peer: { address }, hello }, envelope } = stage
  const sought: Sought[] = []
  if (address !== undefined && wanted('address')) {
    const asked = reversedAddress(address)
    if (asked !== undefined) sought.push({ subject: 'address', what: address, asked })
  }
  if (hello !== undefined && wanted('hello')) sought.push(...soughtOfName('hello', hello.name))
  if (envelope?.sender && wanted('sender')) sought.push(...soughtOfName('sender', envelope.sender.domain))
  if (address !== undefined && wanted('reverseName')) {
    const { name } = await reverseNames(address, stage.resolver, signal)
    if (name !== undefined) sought.push(...soughtOfName('reverseName', name))
  }
  return sought
}

/**
 * A name, and what is above it down to its last two labels of its last three: lists have the domains that people buy, and
 * which those are cannot be seen from a name. None for what is no domain.
 */
export function soughtOfName(subject: DnsListSubject, given: string): Sought[] {
  const what = asciiDomain(given)
  const labels = what.split('.')
  const isVisible = [...what].every((character) => character > ' ' && character < '\x7f')
  const isName = labels.length > 1 && what.length <= 253 && isVisible && labels.every((label) => label !== '')
  // Address literals, and numbers where a top level domain belongs.
  if (!isName || what.startsWith('[') || Number.isInteger(Number(labels.at(-1)))) return []
  const names = new Set([what, labels.slice(-3).join('.'), labels.slice(-2).join('.')])
  return [...names].map((asked) => ({ subject, what, asked }))
}
