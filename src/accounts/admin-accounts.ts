import type { AccountRecord, AliasRecord, PasswordHash } from '../contracts/accounts.ts'
import type { Rights } from '../contracts/directory.ts'
import type { Quota } from '../contracts/mailbox.ts'
import { MailError } from '../protocol/session/errors.ts'
import { anObject, aText, checkOptions, type OptionKind, type OptionKinds, required, texts } from '../protocol/session/options.ts'
import {
  aBound, checkedCertificates, checkedLogins, checkedQuota, checkedRights, checkedText, keysOf, ownKey, refuse,
} from './admin-checks.ts'
import type { AdminParts } from './admin-parts.ts'
import { forgetAnnotations } from './annotations.ts'
import { findLogin } from './look-ups.ts'
import { makeMailboxes } from './mailboxes.ts'
import { type AccountSettings, type AccountWithoutSecrets, settingsOf, withoutSecrets } from './settings.ts'

/** What may be said of an account, and changed later. */
export interface AccountChanges {
  /** In domains of this server; the first is the main one. At least one. */
  readonly addresses?: readonly string[]
  /** Names to log in with beside the addresses. */
  readonly logins?: readonly string[]
  /** Those that are named; the others stay as they are. */
  readonly rights?: Partial<Rights>
  /** `null` in it for no bound; `null` for it: the default. */
  readonly quota?: { readonly [K in keyof Quota]?: number | null } | null
  /** Octets of a message and of an attachment; `null`: as the server has it. */
  readonly messageOctets?: number | null
  readonly attachmentOctets?: number | null
  /** Certificates to log in with: SHA-256 of each, in hexadecimal digits, colons between or not. */
  readonly certificates?: readonly string[]
  /** Plain JSON data of the host's own; `null` for none. */
  readonly data?: Readonly<Record<string, unknown>> | null
}

/** A new account. */
export interface NewAccount extends AccountChanges {
  readonly addresses: readonly string[]
  /** Default: the main address. Never changes. */
  readonly id?: string
  /** The password, or a hash that another program made of it. Default: none, so that nobody can log in with one. */
  readonly password?: string | { readonly hash: PasswordHash }
}

/** An account as a file: plain JSON data. With its secrets it can be put back as it is, by `records.updateAccount`. */
export interface ExportedAccount {
  readonly format: 'posthorn account'
  readonly version: 1
  /** Milliseconds since the Unix epoch. */
  readonly exported: number
  readonly account: AccountRecord | AccountWithoutSecrets
  /** Aliases that lead straight to one of its addresses, or that it may send as. */
  readonly aliases: readonly AliasRecord[]
}

const orNull = (kind: OptionKind): OptionKind => ({
  takes: `${kind.takes}, or null`,
  is: (value) => value === null || kind.is(value),
})

const changeKinds: OptionKinds<AccountChanges> = {
  addresses: texts,
  logins: texts,
  rights: anObject,
  quota: orNull(anObject),
  messageOctets: aBound,
  attachmentOctets: aBound,
  certificates: texts,
  data: orNull(anObject),
}

const newKinds: OptionKinds<NewAccount> = {
  ...changeKinds,
  addresses: required(texts),
  id: aText,
  password: { takes: 'a text, or { hash }', is: (value) => typeof value === 'string' || anObject.is(value) },
}

/** Accounts as an administrator sees them. */
export class AdminOfAccounts {
  readonly #with: AdminParts

  constructor(parts: AdminParts) {
    this.#with = parts
  }

  /** Makes an account. `secrets`: what is kept of its password. */
  async create(given: NewAccount, secrets: (given: NewAccount) => Promise<Partial<AccountRecord>>): Promise<AccountSettings> {
    checkOptions('create', given, newKinds)
    const { records, store, mailboxes, now, audit } = this.#with
    const parts = await this.#checked(given)
    const id = given.id === undefined ? parts.addresses![0]! : checkedText('id', given.id)
    const record = changed({ id, addresses: [], created: now() }, { ...parts, ...(await secrets(given)) })
    if (await records.account(id)) throw exists(id)
    for (const name of [...record.addresses, ...(record.logins ?? []), ...(record.certificates ?? [])]) {
      const owner = await records.accountNamed(name)
      if (owner) throw new MailError('permanent', `${name} is taken by the account ${owner.id}. Take it away there first.`)
    }
    // Before the account: nobody logs in to one that has no inbox. What fails here is made good by another `create`.
    if (store) await makeMailboxes(store, id, mailboxes)
    const made = await records.updateAccount(id, (there) => {
      if (there) throw exists(id)
      return record
    })
    await audit('account.create', id, { addresses: record.addresses })
    return this.#shown(made ?? record)
  }

  async get(id: string): Promise<AccountSettings | undefined> {
    const record = await this.#with.records.account(id)
    return record && this.#shown(record)
  }

  async find(name: string): Promise<AccountSettings | undefined> {
    const { records } = this.#with
    const record = (await records.account(name)) ?? (await findLogin(records, name))
    return record && this.#shown(record)
  }

  async *list(after?: string): AsyncGenerator<readonly AccountSettings[], void, undefined> {
    for await (const page of this.#with.records.accounts(after)) yield page.map((record) => this.#shown(record))
  }

  async change(id: string, changes: AccountChanges): Promise<AccountSettings> {
    checkOptions('change', changes, changeKinds)
    const parts = await this.#checked(changes)
    const settings = await this.update(id, (record) => changed(record, parts))
    // What the host keeps beside it may be anything, secrets too.
    const { data, ...told } = changes
    await this.#with.audit('account.change', id, { ...told, ...(data !== undefined && { data: 'changed' }) })
    return settings
  }

  async setDisabled(id: string, disabled: boolean): Promise<AccountSettings> {
    const settings = await this.update(id, ({ disabled: _disabled, ...record }) => (disabled ? { ...record, disabled } : record))
    await this.#with.audit(disabled ? 'account.disable' : 'account.enable', id)
    return settings
  }

  /** Changes an account that is there. */
  async update(id: string, change: (record: AccountRecord) => AccountRecord): Promise<AccountSettings> {
    const record = await this.#with.records.updateAccount(id, (there) => {
      if (!there) throw new MailError('permanent', `There is no account ${id}. find(address) tells whose an address is.`)
      return change(there)
    })
    return this.#shown(record as AccountRecord)
  }

  /**
   * Disabled first, so that nothing new comes in; the account goes last, so that what fails can be done again. The mail is erased
   * twice: a delivery may have been under way.
   */
  async remove(id: string): Promise<boolean> {
    const { records, store, keyValue, now, audit } = this.#with
    const record = await records.updateAccount(id, (there) => there && { ...there, disabled: true })
    if (!record) return false
    const held = await store?.usage(id)
    await store?.erase(id)
    await this.#forgetSender(id)
    const { addresses, logins, created } = record
    await audit('account.remove', id, { addresses, ...(logins && { logins }), created, ...(held && { erased: held }) })
    await store?.erase(id)
    if (keyValue) await forgetAnnotations(keyValue, id, now())
    await records.updateAccount(id, () => undefined)
    return true
  }

  async export(id: string, withSecrets: boolean): Promise<ExportedAccount | undefined> {
    const { records, now, audit } = this.#with
    const record = await records.account(id)
    if (!record) return undefined
    const aliases: AliasRecord[] = []
    for await (const page of records.aliases()) {
      for (const alias of page) {
        if (alias.senders?.includes(id) || alias.to.some((to) => record.addresses.includes(to))) aliases.push(alias)
      }
    }
    await audit('account.export', id, { secrets: withSecrets })
    const account = withSecrets ? record : withoutSecrets(record)
    return { format: 'posthorn account', version: 1, exported: now(), account, aliases }
  }

  /** Whoever gets the id next, by getting the address, is not to write under the names of this one. */
  async #forgetSender(id: string): Promise<void> {
    const { records } = this.#with
    for await (const page of records.aliases()) {
      for (const alias of page) {
        if (alias.senders?.includes(id)) await records.setAlias({ ...alias, senders: alias.senders.filter((one) => one !== id) })
      }
    }
  }

  async #checked(given: AccountChanges): Promise<Checked> {
    const { records } = this.#with
    const { addresses, logins, rights, quota, messageOctets, attachmentOctets, certificates, data } = given
    if (addresses?.length === 0) refuse('addresses', addresses, 'is empty. Give one at least.')
    return {
      ...(addresses && { addresses: await keysOf(records, 'addresses', addresses, ownKey) }),
      ...(logins && { logins: checkedLogins(logins) }),
      ...(rights && { rights: checkedRights('rights', rights) }),
      ...(quota !== undefined && { quota: quota && checkedQuota(quota) }),
      ...(messageOctets !== undefined && { messageOctets }),
      ...(attachmentOctets !== undefined && { attachmentOctets }),
      ...(certificates && { certificates: checkedCertificates(certificates) }),
      ...(data !== undefined && { data }),
    }
  }

  #shown(record: AccountRecord): AccountSettings {
    return settingsOf(record, this.#with.defaults)
  }
}

/** Changes that were looked at; `null` takes away. */
type Checked = { readonly [K in keyof AccountRecord]?: AccountRecord[K] | null }

function changed(record: AccountRecord, { rights, ...parts }: Checked): AccountRecord {
  const merged: Record<string, unknown> = { ...record, ...parts, ...(rights && { rights: { ...record.rights, ...rights } }) }
  for (const [name, value] of Object.entries(merged)) if (value === null) delete merged[name]
  return merged as unknown as AccountRecord
}

function exists(id: string): MailError {
  return new MailError('permanent', `There is an account ${id} already. Change it, or give the new one another id.`)
}
