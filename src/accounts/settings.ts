import type { AccountRecord, AppPassword } from '../contracts/accounts.ts'
import type { Rights } from '../contracts/directory.ts'
import type { Quota } from '../contracts/mailbox.ts'
import { accountOf, type AccountDefaults } from './account.ts'

/** An app password without its secret. */
export type AppPasswordSettings = Omit<AppPassword, 'hash'>

/** What an administrator is shown of an account: plain JSON data without any secret, defaults filled in. */
export interface AccountSettings {
  readonly id: string
  /** The first is the main one. */
  readonly addresses: readonly string[]
  readonly logins: readonly string[]
  readonly disabled: boolean
  readonly rights: Rights
  /** `null`: no bound. */
  readonly quota: { readonly [K in keyof Quota]: number | null }
  readonly messageOctets?: number
  readonly attachmentOctets?: number
  readonly hasPassword: boolean
  readonly appPasswords: readonly AppPasswordSettings[]
  /** SHA-256, lower-case hex. */
  readonly certificates: readonly string[]
  /** Milliseconds since the Unix epoch. */
  readonly created: number
  readonly lastLogin?: number
  readonly data?: Readonly<Record<string, unknown>>
}

/** What there is to show of a record. */
export function settingsOf(record: AccountRecord, defaults: AccountDefaults): AccountSettings {
  const { id, addresses, logins = [], certificates = [], created, lastLogin, data } = record
  const { disabled, rights, quota, messageOctets, attachmentOctets } = accountOf(record, defaults)
  return {
    id,
    addresses,
    logins,
    disabled,
    rights,
    quota: { messages: finite(quota.messages), octets: finite(quota.octets) },
    ...(messageOctets !== undefined && { messageOctets }),
    ...(attachmentOctets !== undefined && { attachmentOctets }),
    hasPassword: record.password !== undefined,
    appPasswords: (record.appPasswords ?? []).map(withoutHash),
    certificates,
    created,
    ...(lastLogin !== undefined && { lastLogin }),
    ...(data !== undefined && { data }),
  }
}

/** A record without what lets somebody in, or could be made into it. */
export function withoutSecrets(record: AccountRecord): AccountWithoutSecrets {
  const { password: _password, scram: _scram, plainPassword: _plain, appPasswords, ...rest } = record
  return { ...rest, ...(appPasswords && { appPasswords: appPasswords.map(withoutHash) }) }
}

/** A record without its secrets. */
export type AccountWithoutSecrets = Omit<AccountRecord, 'password' | 'scram' | 'plainPassword' | 'appPasswords'> & {
  readonly appPasswords?: readonly AppPasswordSettings[]
}

function withoutHash({ hash: _hash, ...rest }: AppPassword): AppPasswordSettings {
  return rest
}

/** JSON has no Infinity. */
function finite(bound: number): number | null {
  return bound === Infinity ? null : bound
}
