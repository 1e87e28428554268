import type { AccountRecords, Passwords } from '../contracts/accounts.ts'
import type { KeyValue } from '../contracts/key-value.ts'
import type { Awaitable } from '../contracts/policy.ts'
import type { MailStore } from '../contracts/store.ts'
import type { AccountDefaults } from './account.ts'
import type { DefaultMailbox } from './mailboxes.ts'
import type { ScramSettings } from './scram.ts'

/** What an administrator has done. Never a secret. */
export interface AuditRecord {
  /** Milliseconds since the Unix epoch. */
  readonly at: number
  readonly action:
    | 'account.create' | 'account.change' | 'account.disable' | 'account.enable' | 'account.remove' | 'account.export'
    | 'password.set' | 'password.remove' | 'app-password.add' | 'app-password.remove'
    | 'domain.set' | 'domain.remove' | 'alias.set' | 'alias.remove'
  /** The id of the account, the name of the domain, the address of the alias. */
  readonly subject: string
  /** What was given, or what there was: plain JSON data. */
  readonly details: Readonly<Record<string, unknown>>
}

/** What the parts of an administration share. */
export interface AdminParts {
  readonly records: AccountRecords
  readonly passwords: Passwords
  readonly store: MailStore | undefined
  readonly keyValue: KeyValue | undefined
  readonly scram: ScramSettings | undefined
  readonly keepPlain: boolean
  readonly random: (octets: number) => Uint8Array
  readonly now: () => number
  readonly defaults: AccountDefaults
  readonly mailboxes: readonly DefaultMailbox[]
  readonly audit: (action: AuditRecord['action'], subject: string, details?: AuditRecord['details']) => Awaitable<void>
}
