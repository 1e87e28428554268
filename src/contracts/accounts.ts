import type { Rights } from './directory.ts'
import type { Durability } from './durability.ts'
import type { Quota } from './mailbox.ts'

/** How a password is kept. `scheme$...`, as its scheme writes it: `$scrypt$…`, `$argon2id$…`, `$2b$…`. */
export type PasswordHash = string

/** A password for one program, beside the account's own (which then need not be told to it). */
export interface AppPassword {
  /** Unique in the account, and how the password begins: so that of many hashes the right one alone is tried. */
  readonly id: string
  /** What for: `Thunderbird on the laptop`. */
  readonly label: string
  readonly hash: PasswordHash
  /** Milliseconds since the Unix epoch. */
  readonly created: number
  readonly lastUsed?: number
  /** What it may be used for; never more than the account may. */
  readonly rights?: Partial<Rights>
}

/** Keys for SCRAM, base64; made when the password is set. */
export interface KeptScramKeys {
  readonly salt: string
  readonly iterations: number
  readonly storedKey: string
  readonly serverKey: string
}

/** An account as it is kept. Plain JSON data. */
export interface AccountRecord {
  /** Never given to another. The main address in lower case, by custom. */
  readonly id: string
  /** Addresses that are the account's, in the directory's normal form (`addressKey`); the first is the main one. */
  readonly addresses: readonly string[]
  /** Names to log in with beside its addresses, in lower case. */
  readonly logins?: readonly string[]
  /** Absent: nobody can log in with a password. */
  readonly password?: PasswordHash
  readonly scram?: { readonly 'SHA-1'?: KeptScramKeys; readonly 'SHA-256'?: KeptScramKeys }
  /** The password itself, where CRAM-MD5 is wanted in spite of what that means. */
  readonly plainPassword?: string
  readonly appPasswords?: readonly AppPassword[]
  readonly disabled?: boolean
  /** Default: smtp and imap. */
  readonly rights?: Partial<Rights>
  /** Default: the directory's. `null` stands for no bound. */
  readonly quota?: { readonly [K in keyof Quota]?: number | null }
  readonly messageOctets?: number
  readonly attachmentOctets?: number
  /** Certificates to log in with: SHA-256 of each, lower-case hex. */
  readonly certificates?: readonly string[]
  readonly created: number
  readonly lastLogin?: number
  /** Whatever the host keeps beside it. */
  readonly data?: Readonly<Record<string, unknown>>
}

/** A domain of ours as it is kept. */
export interface DomainRecord {
  /** In lower case, A-labels. */
  readonly name: string
  /** Whose mail it is where nobody has the address: destinations as in an alias. */
  readonly catchAll?: readonly string[]
  /** What stands between name and tag (default `+`); empty for no tags. */
  readonly separator?: string
  /** Local parts differ by case (default false, S26). */
  readonly caseSensitive?: boolean
  /** Addresses here mean those of that domain. */
  readonly aliasOf?: string
  readonly disabled?: boolean
}

/** An address that stands for others. */
export interface AliasRecord {
  /** In the directory's normal form (`addressKey`). Comes before an account of this address. */
  readonly address: string
  /** Addresses, `local@domain`; here or outside. The alias itself among them: the account of this address. */
  readonly to: readonly string[]
  /** Accounts (ids) that may send as the alias; those it leads to always may. */
  readonly senders?: readonly string[]
  readonly disabled?: boolean
}

/**
 * Where accounts, domains and aliases are kept: plain records, no rules (those are `accountDirectory`'s). Each call is one step
 * and as safe as `traits.durability` says when it resolves. Keys are compared octet by octet; the caller has normalised them.
 *
 * Errors: `temporary`, `closed`; `permanent` where an address, login or certificate is another account's already.
 */
export interface AccountRecords {
  readonly traits: { readonly durability: Durability }
  /** The account of an id. */
  account(id: string): Promise<AccountRecord | undefined>
  /** The account that has the address, the login or the certificate (by its fingerprint). */
  accountNamed(name: string): Promise<AccountRecord | undefined>
  /**
   * Changes one account, or makes or removes it: `change` is given what is there and gives what is to be there; called anew where
   * another change came between. It must not throw for other reasons than to give up, and does no I/O. Gives what is there now.
   */
  updateAccount(
    id: string,
    change: (account: AccountRecord | undefined) => AccountRecord | undefined,
  ): Promise<AccountRecord | undefined>
  /** All, by id, in pages; `after` resumes behind an id. */
  accounts(after?: string): AsyncIterable<readonly AccountRecord[]>
  /** The domain of a name. */
  domain(name: string): Promise<DomainRecord | undefined>
  /** Puts a domain in, in place of one that has its name. */
  setDomain(record: DomainRecord): Promise<void>
  /** Whether it was there. */
  removeDomain(name: string): Promise<boolean>
  /** All, by name, in pages. */
  domains(): AsyncIterable<readonly DomainRecord[]>
  /** The alias of an address. */
  alias(address: string): Promise<AliasRecord | undefined>
  /** Puts an alias in, in place of one that has its address. */
  setAlias(record: AliasRecord): Promise<void>
  /** Whether it was there. */
  removeAlias(address: string): Promise<boolean>
  /** All, by address, in pages. */
  aliases(): AsyncIterable<readonly AliasRecord[]>
  /** Rejects later calls with `closed`; may be called again. */
  close?(): Promise<void>
}

/** Makes and checks password hashes, off the event loop's thread. */
export interface Passwords {
  /** With the scheme and parameters that are wanted now. */
  hash(password: string): Promise<PasswordHash>
  /** `false` too where the hash is of a scheme that is not known here, after about the same time. */
  verify(password: string, hash: PasswordHash): Promise<boolean>
  /** The hash is of a weaker scheme or weaker parameters than `hash` would take now. */
  outdated(hash: PasswordHash): boolean
  /** Takes as long as a `verify` of a hash of ours, and finds nothing: for names that are nobody's. */
  pretend(password: string): Promise<false>
}
