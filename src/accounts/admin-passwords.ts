import type { AccountRecord, PasswordHash } from '../contracts/accounts.ts'
import type { Rights } from '../contracts/directory.ts'
import { anObject, aText, checkOptions, type OptionKinds, required } from '../protocol/session/options.ts'
import type { AdminOfAccounts } from './admin-accounts.ts'
import { checkedPassword, checkedRights, checkedText, refuse } from './admin-checks.ts'
import type { AdminParts } from './admin-parts.ts'
import { newAppPassword } from './app-passwords.ts'
import { makeScram } from './scram.ts'

/** An app password to be made. */
export interface NewAppPassword {
  /** What for: `Thunderbird on the laptop`. */
  readonly label: string
  /** What it may be used for. Default: all that the account may but `admin`. */
  readonly rights?: Partial<Rights>
}

const appKinds: OptionKinds<NewAppPassword> = { label: required(aText), rights: anObject }

/** App passwords of an account, at most. */
const MOST_APPS = 100
const MOST_HASH = 1000

/** Passwords as an administrator sets them. */
export class AdminOfPasswords {
  readonly #with: AdminParts
  readonly #accounts: AdminOfAccounts

  constructor(parts: AdminParts, accounts: AdminOfAccounts) {
    this.#with = parts
    this.#accounts = accounts
  }

  /** What is kept of a password: its hash, and what other mechanisms need. */
  async secretsOf(password: string | { readonly hash: PasswordHash } | undefined): Promise<Partial<AccountRecord>> {
    if (password === undefined) return {}
    if (typeof password !== 'string') return { password: checkedHash(password.hash) }
    const { passwords, scram, keepPlain } = this.#with
    const text = checkedPassword(password)
    return {
      password: await passwords.hash(text),
      ...(scram && { scram: await makeScram(text, scram) }),
      ...(keepPlain && { plainPassword: text }),
    }
  }

  async set(id: string, password: string | { readonly hash: PasswordHash }): Promise<void> {
    const secrets = await this.secretsOf(password)
    await this.#accounts.update(id, (record) => ({ ...withoutPassword(record), ...secrets }))
    await this.#with.audit('password.set', id)
  }

  async remove(id: string): Promise<void> {
    await this.#accounts.update(id, withoutPassword)
    await this.#with.audit('password.remove', id)
  }

  async addApp(id: string, given: NewAppPassword): Promise<{ readonly id: string; readonly password: string }> {
    checkOptions('addAppPassword', given, appKinds)
    const label = checkedText('label', given.label)
    const rights = given.rights && checkedRights('rights', given.rights)
    const { records, passwords, random, now, audit } = this.#with
    const taken = new Set((await records.account(id))?.appPasswords?.map((one) => one.id))
    let made = newAppPassword(random)
    for (let tries = 0; taken.has(made.id) && tries < MOST_APPS; tries++) made = newAppPassword(random)
    const app = { id: made.id, label, hash: await passwords.hash(made.hashed), created: now(), ...(rights && { rights }) }
    await this.#accounts.update(id, (record) => {
      const { appPasswords = [] } = record
      if (appPasswords.length >= MOST_APPS) refuse('addAppPassword', id, `has ${MOST_APPS} of them. Remove one first.`)
      if (appPasswords.some((one) => one.id === app.id)) refuse('addAppPassword', app.id, 'was made twice at once. Try again.')
      return { ...record, appPasswords: [...appPasswords, app] }
    })
    await audit('app-password.add', id, { id: app.id, label, ...(rights && { rights }) })
    return { id: app.id, password: made.shown }
  }

  async removeApp(id: string, app: string): Promise<boolean> {
    let found = false
    await this.#accounts.update(id, (record) => {
      const left = record.appPasswords?.filter((one) => one.id !== app)
      found = left !== undefined && left.length !== record.appPasswords?.length
      return found ? { ...record, appPasswords: left! } : record
    })
    if (found) await this.#with.audit('app-password.remove', id, { id: app })
    return found
  }
}

function withoutPassword({ password: _password, scram: _scram, plainPassword: _plain, ...record }: AccountRecord): AccountRecord {
  return record
}

/** Whether the scheme is known is for the hashes to say, at the first log-in; a password by mistake is caught here. */
function checkedHash(hash: unknown): PasswordHash {
  if (typeof hash === 'string' && hash.length <= MOST_HASH && /^\$[\x21-\x7e]+$/.test(hash)) return hash
  return refuse('password.hash', 'what was given', 'is no hash. Give it as its scheme writes it: $2b$…, $argon2id$…, $scrypt$….')
}
