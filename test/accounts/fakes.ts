import { memoryAccounts } from '../../src/adapters/memory/index.ts'
import { nodeCrypto } from '../../src/adapters/node/crypto.ts'
import type { AccountRecord, AccountRecords, AliasRecord, DomainRecord, Passwords } from '../../src/contracts/index.ts'

/** SCRAM as the tests want it: with few rounds. */
export const scram = { crypto: nodeCrypto, iterations: 4096 }

/** Passwords that cost nothing, and tell what was done. Hashes of version 1 are outdated. */
export class FakePasswords implements Passwords {
  readonly done: string[] = []

  async hash(password: string): Promise<string> {
    this.done.push('hash')
    return fakeHash(password, 2)
  }

  async verify(password: string, hash: string): Promise<boolean> {
    this.done.push('verify')
    return hash.split('$')[3] === password
  }

  outdated(hash: string): boolean {
    return hash.split('$')[2] === '1'
  }

  async pretend(): Promise<false> {
    this.done.push('pretend')
    return false
  }
}

/** The hash of a password. */
export function fakeHash(password: string, version = 2): string {
  return `$fake$${version}$${password}`
}

/** What to put into records: accounts are completed, domains may be names. */
export interface Filling {
  readonly accounts?: readonly (Partial<AccountRecord> & { readonly id: string })[]
  readonly domains?: readonly (DomainRecord | string)[]
  readonly aliases?: readonly AliasRecord[]
}

/** Records, in memory unless told otherwise, with this in them. An account has its id as its address unless told otherwise. */
export async function recordsOf(
  { accounts = [], domains = [], aliases = [] }: Filling,
  records = memoryAccounts(),
): Promise<AccountRecords> {
  for (const domain of domains) await records.setDomain(typeof domain === 'string' ? { name: domain } : domain)
  for (const alias of aliases) await records.setAlias(alias)
  for (const account of accounts) {
    await records.updateAccount(account.id, () => ({ addresses: [account.id], created: 0, ...account }))
  }
  return records
}

/** An address out of `local@domain`, cut at the last `@`. */
export function at(text: string): { local: string; domain: string } {
  const cut = text.lastIndexOf('@')
  return { local: text.slice(0, cut), domain: text.slice(cut + 1) }
}
