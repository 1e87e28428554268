import type { Resolution } from '../contracts/directory.ts'
import type { Address } from '../message/address.ts'

/** The part of a directory that knows addresses. */
export interface Addresses {
  /**
   * As `Directory.resolve`. `sender`: whose mail it is, for addresses that only bounces come back by; `undefined`: that does not
   * matter any more.
   */
  resolve(address: Address, sender?: Address | null): Promise<Resolution>
}

/**
 * Addresses among which there is always a postmaster (RFC 5321 §4.5.1): mail for `postmaster` in any domain of the directory
 * where nobody has that address, and under the name of the host, which stands for none, goes to `postmaster`.
 */
export function withPostmaster(directory: Addresses, hostname: string, postmaster: Address): Addresses {
  const host = hostname.toLowerCase()
  return {
    async resolve(address, sender) {
      const found = await directory.resolve(address, sender)
      const isMissing = found.kind === 'unknown' || (found.kind === 'elsewhere' && address.domain === host)
      return isMissing && address.local.toLowerCase() === 'postmaster' ? directory.resolve(postmaster) : found
    },
  }
}
