import type { Address } from '../message/address.ts'
import { flattenAddresses, parseAddressList } from '../message/addresses.ts'
import type { Headers } from '../message/headers.ts'

/** `Delivered-To` fields that are looked at: a message that has been in more mailboxes than that is stopped by its hops. */
const MOST_FIELDS = 100

/**
 * To whom the message has been delivered before, as its `Delivered-To` fields say; the first `own` of them are not counted: those
 * that this delivery has put there itself. Addresses in the form that {@link loopKey} gives.
 */
export function deliveredTo(headers: Headers, own: number): ReadonlySet<string> {
  const fields = headers.all('delivered-to')
  if (fields.length <= own) return NOBODY
  const found = new Set<string>()
  for (const { value } of fields.slice(own, own + MOST_FIELDS)) {
    for (const { address } of flattenAddresses(parseAddressList(value, 1))) if (address) found.add(loopKey(address))
  }
  return found
}

/** Which recipients' filters the message was redirected by, as the fields say that are put there then, the last one first. */
export function redirectedBy(headers: Headers): readonly string[] {
  return headers.all('x-sieve-redirected-from').slice(0, MOST_FIELDS).flatMap(({ value }) => {
    return flattenAddresses(parseAddressList(value, 1)).flatMap(({ address }) => (address ? [loopKey(address)] : []))
  })
}

const NOBODY: ReadonlySet<string> = new Set()

/** An address for comparison with those of `Delivered-To`: without case, since forwarders write addresses as they like. */
export function loopKey({ local, domain }: Address): string {
  return `${local}@${domain}`.toLowerCase()
}
