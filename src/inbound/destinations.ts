import type { Account, Destination } from '../contracts/directory.ts'
import type { Address } from '../message/address.ts'

/** Where a message goes: each place once, in the order in which it was first named. */
export interface Destinations {
  readonly accounts: readonly Account[]
  /** At other servers. */
  readonly outside: readonly Address[]
}

/** What several recipients come to. */
export function destinationsOf(several: readonly (readonly Destination[])[]): Destinations {
  const accounts = new Map<string, Account>()
  const outside = new Map<string, Address>()
  for (const destinations of several) {
    for (const destination of destinations) {
      if (destination.kind === 'account') {
        if (!accounts.has(destination.account.id)) accounts.set(destination.account.id, destination.account)
        continue
      }
      const { address } = destination
      const key = `${address.local}@${address.domain}`
      if (!outside.has(key)) outside.set(key, address)
    }
  }
  return { accounts: [...accounts.values()], outside: [...outside.values()] }
}
