import type { AccountRecord, AccountRecords, DomainRecord } from '../contracts/accounts.ts'
import type { Address } from '../message/address.ts'
import { asciiDomain } from '../message/domain.ts'
import { encodeUtf8, hasControl } from '../protocol/bytes/text.ts'
import { addressKey, foldCase, readAddress } from './address.ts'

/** What is asked of the records to find out what an address or a name means. */
export type LookUps = Pick<AccountRecords, 'domain' | 'alias' | 'accountNamed'>

/** A domain with what it is an alias of, if anything: the record that has the rules. */
export type FoundDomain = DomainRecord | 'disabled' | 'elsewhere' | 'broken'

/** Domains that stand for domains, in a row. The first points to the real one, by rights. */
const MOST_HOPS = 5

/** What a domain is here, domain aliases followed. `name` may be in any form. */
export async function findDomain(lookUps: Pick<LookUps, 'domain'>, name: string): Promise<FoundDomain> {
  let next = asciiDomain(name)
  for (let hop = 0; hop <= MOST_HOPS; hop++) {
    const record = await lookUps.domain(next)
    if (!record) return hop === 0 ? 'elsewhere' : 'broken'
    if (record.disabled) return 'disabled'
    if (record.aliasOf === undefined) return record
    next = record.aliasOf
  }
  return 'broken'
}

/** The key of a local part in a domain of ours. */
export function keyIn(domain: DomainRecord, local: string): string {
  return addressKey({ local, domain: domain.name }, domain.caseSensitive)
}

/** The normal form of an address, by the rules of its domain: that of the real domain, if it is one of ours. */
export async function findKey(lookUps: Pick<LookUps, 'domain'>, address: Address): Promise<string> {
  const domain = await findDomain(lookUps, address.domain)
  return typeof domain === 'object' ? keyIn(domain, address.local) : addressKey(address)
}

/** Octets of a name that somebody logs in with. */
const MOST_NAME = 255

/**
 * The account that a login name means, whether or not it is disabled: one of its addresses, in any spelling and under alias
 * domains, or one of its logins. Never a tagged address: one account, one name for the guard to count by.
 */
export async function findLogin(lookUps: LookUps, username: string): Promise<AccountRecord | undefined> {
  if (username === '' || username.length > MOST_NAME || hasControl(username)) return undefined
  if (encodeUtf8(username).length > MOST_NAME) return undefined
  const address = username.includes('@') ? readAddress(username) : undefined
  if (address) {
    const domain = await findDomain(lookUps, address.domain)
    if (domain === 'disabled' || domain === 'broken') return undefined
    const key = domain === 'elsewhere' ? addressKey(address) : keyIn(domain, address.local)
    const record = await lookUps.accountNamed(key)
    if (record?.addresses.includes(key)) return record
  }
  const login = foldCase(username)
  const record = await lookUps.accountNamed(login)
  return record?.logins?.includes(login) ? record : undefined
}
