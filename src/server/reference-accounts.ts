import { addressKey } from '../accounts/address.ts'
import { type AccountAdmin, accountAdmin } from '../accounts/admin.ts'
import type { AuditRecord } from '../accounts/admin-parts.ts'
import { accountDirectory } from '../accounts/directory.ts'
import { makeMailboxes } from '../accounts/mailboxes.ts'
import type { ScramSettings } from '../accounts/scram.ts'
import { nodeCrypto, randomBytes } from '../adapters/node/index.ts'
import type { AccountRecords, Passwords } from '../contracts/accounts.ts'
import type { Directory } from '../contracts/directory.ts'
import type { KeyValue } from '../contracts/key-value.ts'
import type { Awaitable } from '../contracts/policy.ts'
import type { MailStore } from '../contracts/store.ts'
import type { Address } from '../message/address.ts'
import type { Clock } from '../protocol/session/clock.ts'
import { encodeMailbox } from '../protocol/smtp/index.ts'

/** Somebody whose mail is kept here. */
export interface ReferenceUser extends Address {
  readonly password: string
}

const scram: ScramSettings = { crypto: nodeCrypto }

/** Where the reference server keeps who is here. */
export interface ReferencePlaces {
  readonly records: AccountRecords
  readonly passwords: Passwords
  readonly store: MailStore
  readonly keyValue: KeyValue
}

/** Who there is to be at least. */
export interface ReferencePeople {
  /** In lower case. */
  readonly domains: readonly string[]
  /** Of these domains. */
  readonly users: readonly ReferenceUser[]
}

/**
 * Makes the domains and accounts that are missing, with their mailboxes. What is there stays as it is: a password that was
 * changed since is not set back.
 */
export async function makePeople(
  places: ReferencePlaces, people: ReferencePeople, clock: Clock, audit: (record: AuditRecord) => Awaitable<void>,
): Promise<void> {
  const { records, store } = places
  const admin = referenceAdmin(places, clock, audit)
  for (const name of people.domains) if (!(await records.domain(name))) await admin.domains.set({ name })
  for (const { local, domain, password } of people.users) {
    const address = encodeMailbox({ local, domain })
    const key = addressKey({ local, domain })
    const there = (await records.account(key)) ?? (await records.accountNamed(key))
    if (there) await makeMailboxes(store, there.id)
    else await admin.create({ addresses: [address], password })
  }
}

/** Administers the accounts of the reference server; `audit` hears of what was done. */
export function referenceAdmin(
  places: ReferencePlaces, clock: Clock, audit: (record: AuditRecord) => Awaitable<void>,
): AccountAdmin {
  return accountAdmin({ ...places, scram, random: randomBytes, now: () => clock.now(), audit })
}

/** What goes with the directory of the reference server. */
export interface ReferenceRules {
  /** Octets of each account that has no quota of its own. */
  readonly quota: number
  /** People may log in with certificates that have one of their addresses in them. */
  readonly certificates: boolean
  /** Told of what failed behind a log-in that succeeded. */
  readonly onError: (error: unknown, account: string) => void
}

/** The directory of the reference server. */
export function referenceDirectory({ records, passwords }: ReferencePlaces, rules: ReferenceRules): Directory {
  return accountDirectory({
    records,
    passwords,
    defaults: { quota: { octets: rules.quota } },
    scram,
    certificates: rules.certificates ? 'address' : false,
    onError: rules.onError,
  })
}
