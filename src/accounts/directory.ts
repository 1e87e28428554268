import type { AccountRecords, Passwords } from '../contracts/accounts.ts'
import type { Account, Destination, Directory, Login, Resolution } from '../contracts/directory.ts'
import type { Address } from '../message/address.ts'
import { MailError } from '../protocol/session/errors.ts'
import type { ClientCertificate } from '../protocol/session/tls.ts'
import {
  aFunction, anObject, aSwitch, aText, checkOptions, having, oneOf, type OptionKinds, orFalse, required,
} from '../protocol/session/options.ts'
import { accountOf, type AccountDefaults } from './account.ts'
import { findCertificate } from './certificate.ts'
import { readAddress } from './address.ts'
import { appPasswordOf } from './app-passwords.ts'
import { expand, type ExpansionRules } from './expand.ts'
import { findKey, findLogin } from './look-ups.ts'
import { passwordText } from './password-text.ts'
import { keptScram, type ScramSettings } from './scram.ts'
import { Upkeep } from './upkeep.ts'

/** Settings of {@link accountDirectory}. */
export interface AccountDirectoryOptions {
  readonly records: AccountRecords
  readonly passwords: Passwords
  /** What accounts have whose records do not say: 1 GiB; smtp and imap. */
  readonly defaults?: AccountDefaults
  /** An address: where mail for `postmaster` goes in each domain that has none of its own (RFC 5321 §4.5.1). */
  readonly postmaster?: string
  /** SCRAM is wanted: keys are served, and made at the next log-in where an account has none. Default: not. */
  readonly scram?: ScramSettings | false
  /** Passwords that records keep in plain are served, for CRAM-MD5. Default false. */
  readonly plainPasswords?: boolean
  /**
   * Whose certificate it is: the account that has its `fingerprint` among its certificates; or, with `address`, also the account
   * one of whose addresses is in it. Then whoever gives out certificates gives out accounts. Default: nobody's.
   */
  readonly certificates?: 'fingerprint' | 'address' | false
  /** Addresses that are looked at for one, aliases followed; 1000 by default. */
  readonly mostAddresses?: number
  /** Told of what failed behind a log-in that succeeded (a new hash, the time of the log-in), and of whose. Default: nobody. */
  readonly onError?: (error: unknown, account: string) => void
}

const kinds: OptionKinds<AccountDirectoryOptions> = {
  records: required(having('account records', 'account', 'accountNamed', 'updateAccount')),
  passwords: required(having('passwords', 'hash', 'verify', 'pretend')),
  defaults: anObject,
  postmaster: aText,
  scram: orFalse(anObject),
  plainPasswords: aSwitch,
  certificates: orFalse(oneOf('fingerprint', 'address')),
  mostAddresses: { takes: 'a whole number from 1 on', is: (value) => Number.isSafeInteger(value) && (value as number) > 0 },
  onError: aFunction,
}

/**
 * The directory over account records: aliases, tags, catch-alls, app passwords, and the rules that go with them.
 *
 * `scramKeys`, `password` and `certificate` are there only if the options ask for them. Whatever somebody types, and whoever it
 * is, a log-in that fails computes one password hash.
 *
 * @throws MailError `config` that names the option
 */
export function accountDirectory(options: AccountDirectoryOptions): Directory {
  checkOptions('accountDirectory', options, kinds)
  const { records, passwords, defaults = {}, mostAddresses: most = 1000, onError = () => {} } = options
  const { plainPasswords = false, certificates = false } = options
  const scram = options.scram || undefined
  const upkeep = new Upkeep({ records, passwords, scram, onError })
  const who = new Who(records, passwords, defaults, { most, postmaster: postmasterOf(options) }, upkeep)
  return {
    resolve: (address) => who.resolve(address),
    account: (id) => who.account(id),
    verify: (login) => who.verify(login),
    maySendAs: (account, address) => who.maySendAs(account, address),
    named: (login) => who.named(login),
    loggedIn: ({ id }, { now }) => upkeep.loggedIn(id, now),
    ...(scram && { scramKeys: async (username, hash) => keptScram(await findLogin(records, username), hash) }),
    ...(plainPasswords && { password: async (username) => (await findLogin(records, username))?.plainPassword }),
    ...(certificates && { certificate: (login) => who.certificate(login, certificates === 'address') }),
  }
}

function postmasterOf({ postmaster }: AccountDirectoryOptions): Address | undefined {
  if (postmaster === undefined) return undefined
  const address = readAddress(postmaster)
  if (address) return address
  throw new MailError('config', `accountDirectory: postmaster is ${JSON.stringify(postmaster)}; it takes an address.`)
}

class Who {
  readonly #records: AccountRecords
  readonly #passwords: Passwords
  readonly #defaults: AccountDefaults
  readonly #rules: ExpansionRules
  readonly #upkeep: Upkeep

  constructor(records: AccountRecords, passwords: Passwords, defaults: AccountDefaults, rules: ExpansionRules, upkeep: Upkeep) {
    this.#records = records
    this.#passwords = passwords
    this.#defaults = defaults
    this.#rules = rules
    this.#upkeep = upkeep
  }

  async resolve(address: Address): Promise<Resolution> {
    const expanded = await expand(this.#records, address, this.#rules)
    if (typeof expanded === 'string') return { kind: expanded }
    const destinations = expanded.map((one): Destination =>
      one.kind === 'outside' ? one : { kind: 'account', account: accountOf(one.record, this.#defaults), tag: one.tag })
    return { kind: 'here', destinations }
  }

  async account(id: string): Promise<Account | undefined> {
    const record = await this.#records.account(id)
    return record && accountOf(record, this.#defaults)
  }

  /**
   * One hash is computed, whoever is asked for and whatever the outcome: that an account is disabled, lacks the right or has no
   * password takes the time of a wrong password.
   */
  async verify({ username, password, right, now }: Login & { readonly password: string }): Promise<Account | undefined> {
    const record = await findLogin(this.#records, username)
    const typed = passwordText(password)
    const found = record && typed !== undefined ? appPasswordOf(record, typed) : undefined
    const text = found?.hashed ?? typed ?? ''
    const hash = found?.app.hash ?? record?.password
    const isRight = hash === undefined || typed === undefined
      ? await this.#passwords.pretend(text)
      : await this.#passwords.verify(text, hash)
    if (!isRight || !record) return undefined
    const account = this.#allowed(accountOf(record, this.#defaults, found?.app), right)
    if (account) this.#upkeep.passwordWasRight({ record, app: found?.app, text, now })
    return account
  }

  async named({ username, right }: Login): Promise<Account | undefined> {
    const record = await findLogin(this.#records, username)
    return record && this.#allowed(accountOf(record, this.#defaults), right)
  }

  async certificate(
    { certificate, username, right }: Login & { readonly certificate: ClientCertificate },
    byAddress: boolean,
  ): Promise<Account | undefined> {
    const record = await findCertificate(this.#records, certificate, username, byAddress)
    return record && this.#allowed(accountOf(record, this.#defaults), right)
  }

  /**
   * Whoever gets the mail for an address may send as it: its own addresses and their tags, aliases and catch-alls that lead to
   * it. Others may where the alias names them.
   */
  async maySendAs({ id }: Account, address: Address): Promise<boolean> {
    const expanded = await expand(this.#records, address, this.#rules)
    if (typeof expanded === 'string') {
      // An alias may lead to nobody and still be a name to write under; but not one that is disabled.
      if (expanded === 'elsewhere') return false
    } else if (expanded.some((one) => one.kind === 'account' && one.record.id === id)) return true
    const alias = await this.#records.alias(await findKey(this.#records, address))
    return alias !== undefined && !alias.disabled && (alias.senders?.includes(id) ?? false)
  }

  #allowed(account: Account, right: Login['right']): Account | undefined {
    return account.disabled || !account.rights[right] ? undefined : account
  }
}
