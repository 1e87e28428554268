import type { AccountRecords, AliasRecord, DomainRecord, PasswordHash, Passwords } from '../contracts/accounts.ts'
import type { Awaitable } from '../contracts/policy.ts'
import type { KeyValue } from '../contracts/key-value.ts'
import type { MailStore } from '../contracts/store.ts'
import {
  aFunction, aList, anObject, aSwitch, checkOptions, having, type OptionKinds, orFalse, required,
} from '../protocol/session/options.ts'
import type { AccountDefaults } from './account.ts'
import { type AccountChanges, AdminOfAccounts, type ExportedAccount, type NewAccount } from './admin-accounts.ts'
import { AdminOfAliases, AdminOfDomains } from './admin-domains.ts'
import type { AdminParts, AuditRecord } from './admin-parts.ts'
import { AdminOfPasswords, type NewAppPassword } from './admin-passwords.ts'
import { type DefaultMailbox, defaultMailboxes } from './mailboxes.ts'
import type { ScramSettings } from './scram.ts'
import type { AccountSettings } from './settings.ts'

/** Settings of {@link accountAdmin}. */
export interface AccountAdminOptions {
  readonly records: AccountRecords
  readonly passwords: Passwords
  /** Octets nobody can guess, for app passwords: `randomBytes` of `node:crypto`. */
  readonly random: (octets: number) => Uint8Array
  /** Milliseconds since the Unix epoch: `Date.now`. */
  readonly now: () => number
  /** Where the mail is: new accounts get their mailboxes there, and what is removed is erased there. */
  readonly store?: MailStore
  /** Where servers keep what is noted of mailboxes (IMAP METADATA): what is removed is erased there too. */
  readonly keyValue?: KeyValue
  /** Default: INBOX, Drafts, Sent, Trash, Spam, Archive. */
  readonly mailboxes?: readonly DefaultMailbox[]
  /** The same as the directory has: what is shown of an account that its record does not say. */
  readonly defaults?: AccountDefaults
  /** SCRAM is wanted: keys are made whenever a password is set. */
  readonly scram?: ScramSettings | false
  /** Keeps passwords themselves, for CRAM-MD5. Whoever reads the records then has them all. Default false. */
  readonly plainPasswords?: boolean
  /** Told of everything that was done, before it resolves. Where it fails, so does what was done, which may be done again. */
  readonly audit?: (record: AuditRecord) => Awaitable<void>
}

/**
 * Administration of accounts, domains and aliases.
 *
 * Errors: `misuse` for what cannot be (the message says what to give instead); `config` for options that do not exist;
 * `permanent` for what is taken, needed or not there; and what records, passwords and store reject with.
 */
export interface AccountAdmin {
  /** Makes an account, with its mailboxes where there is a store. */
  create(account: NewAccount): Promise<AccountSettings>
  /** The account of an id. */
  account(id: string): Promise<AccountSettings | undefined>
  /** The account that an id, an address in any spelling or a login names. */
  find(name: string): Promise<AccountSettings | undefined>
  /** All, by id, in pages; `after` resumes behind an id. */
  accounts(after?: string): AsyncIterable<readonly AccountSettings[]>
  /** Changes what is given, in one step, and leaves the rest. */
  change(id: string, changes: AccountChanges): Promise<AccountSettings>
  /** From now on nobody logs in, and mail is refused. What there is stays. */
  disable(id: string): Promise<AccountSettings>
  /** Takes mail and log-ins again. */
  enable(id: string): Promise<AccountSettings>
  /** Sets the password (1 to 1024 octets, SASLprep, no control characters), or a hash that another program made of it. */
  setPassword(id: string, password: string | { readonly hash: PasswordHash }): Promise<void>
  /** Nobody logs in with the account's own password any more. App passwords and certificates stay. */
  removePassword(id: string): Promise<void>
  /** Makes an app password, such as `4kfx-9z2m-…` (100 secret bits). It is told here, once, and kept as a hash. */
  addAppPassword(id: string, app: NewAppPassword): Promise<{ readonly id: string; readonly password: string }>
  /** `false`: there is none of that id. */
  removeAppPassword(id: string, app: string): Promise<boolean>
  /** Removes an account, and erases its mail where there is a store. `false`: there was none. Fails halfway? Call it again. */
  remove(id: string): Promise<boolean>
  /** The account as JSON data: without password hashes and keys unless `secrets`. */
  export(id: string, options?: { readonly secrets?: boolean }): Promise<ExportedAccount | undefined>
  readonly domains: {
    /** Adds a domain, or puts another record in its place. */
    set(domain: DomainRecord): Promise<DomainRecord>
    /** `permanent` while anybody has an address in it. */
    remove(name: string): Promise<boolean>
    /** All, in pages. */
    list(): AsyncIterable<readonly DomainRecord[]>
  }
  readonly aliases: {
    /**
     * Adds an alias, or puts another in its place. Of an account's own address too: it then comes first, and the account gets a
     * copy if the alias names that address itself.
     */
    set(alias: AliasRecord): Promise<AliasRecord>
    /** Whether it was there. */
    remove(address: string): Promise<boolean>
    /** All, in pages. */
    list(): AsyncIterable<readonly AliasRecord[]>
  }
}

const kinds: OptionKinds<AccountAdminOptions> = {
  records: required(having('account records', 'account', 'accountNamed', 'updateAccount')),
  passwords: required(having('passwords', 'hash', 'verify', 'pretend')),
  random: required(aFunction),
  now: required(aFunction),
  store: having('a mail store', 'create', 'mailboxes', 'erase'),
  keyValue: having('a key-value store', 'list', 'remove'),
  mailboxes: aList,
  defaults: anObject,
  scram: orFalse(anObject),
  plainPasswords: aSwitch,
  audit: aFunction,
}

/**
 * The administration over account records: what {@link accountDirectory} then finds.
 *
 * @throws MailError `config` that names the option
 */
export function accountAdmin(options: AccountAdminOptions): AccountAdmin {
  checkOptions('accountAdmin', options, kinds)
  const { records, passwords, random, now, store, mailboxes = defaultMailboxes, defaults = {}, audit } = options
  const parts: AdminParts = {
    records,
    passwords,
    store,
    keyValue: options.keyValue,
    scram: options.scram || undefined,
    keepPlain: options.plainPasswords ?? false,
    random,
    now,
    defaults,
    mailboxes,
    audit: (action, subject, details = {}) => audit?.({ at: now(), action, subject, details }),
  }
  const accounts = new AdminOfAccounts(parts)
  const words = new AdminOfPasswords(parts, accounts)
  const domains = new AdminOfDomains(parts)
  const aliases = new AdminOfAliases(parts)
  return {
    create: (account) => accounts.create(account, ({ password }) => words.secretsOf(password)),
    account: (id) => accounts.get(id),
    find: (name) => accounts.find(name),
    accounts: (after) => accounts.list(after),
    change: (id, changes) => accounts.change(id, changes),
    disable: (id) => accounts.setDisabled(id, true),
    enable: (id) => accounts.setDisabled(id, false),
    setPassword: (id, password) => words.set(id, password),
    removePassword: (id) => words.remove(id),
    addAppPassword: (id, app) => words.addApp(id, app),
    removeAppPassword: (id, app) => words.removeApp(id, app),
    remove: (id) => accounts.remove(id),
    export: (id, { secrets = false } = {}) => accounts.export(id, secrets),
    domains: { set: (domain) => domains.set(domain), remove: (name) => domains.remove(name), list: () => records.domains() },
    aliases: { set: (alias) => aliases.set(alias), remove: (address) => aliases.remove(address), list: () => records.aliases() },
  }
}
