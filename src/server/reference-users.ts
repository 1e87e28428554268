import type { Recipient } from '../contracts/received.ts'
import type { Address } from '../message/address.ts'
import { reject } from '../inbound/verdict.ts'
import type { Claimed } from './reception.ts'

/** Somebody whose mail is kept here. */
export interface ReferenceUser extends Address {
  readonly password: string
}

const noUser = reject(550, '5.1.1', 'No such user here')
const noRelay = reject(550, '5.7.1', 'Relaying denied: that domain is not one of mine')

/** The account of a user: the address, whose local part is compared without case here, as the directory may decide (S26). */
function accountOf({ local, domain }: Address): string {
  return `${local.toLowerCase()}@${domain}`
}

/** Who is who: the users, their domains, and the postmaster of each. Domains are in lower case. */
export class LocalUsers {
  /** Each once, in the order given. */
  readonly accounts: readonly string[]
  private readonly known: ReadonlySet<string>
  private readonly domains: ReadonlySet<string>
  private readonly hostname: string

  constructor(users: readonly ReferenceUser[], domains: readonly string[], hostname: string) {
    this.accounts = [...new Set(users.map(accountOf))]
    this.known = new Set(this.accounts)
    this.domains = new Set(domains)
    this.hostname = hostname
  }

  /** Whose mail it is, if anybody's: `Alice+lists@…` is Alice's, a postmaster's the first user's. */
  find(to: Recipient): string | undefined {
    const local = to.local.toLowerCase()
    const isLocal = this.domains.has(to.domain)
    if (isLocal) {
      const exact = `${local}@${to.domain}`
      if (this.known.has(exact)) return exact
      const base = `${to.user.toLowerCase()}@${to.domain}`
      if (this.known.has(base)) return base
    }
    // RFC 5321 §4.5.1: postmaster in each domain, and without any, which stands here under the name of the host.
    return local === 'postmaster' && (isLocal || to.domain === this.hostname) ? this.accounts[0] : undefined
  }

  /** Whether mail for the address is taken, or why not. */
  claim(to: Recipient): Claimed {
    if (this.find(to) !== undefined) return true
    return this.domains.has(to.domain) ? noUser : noRelay
  }
}
