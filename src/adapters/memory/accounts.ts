import type { AccountRecord, AccountRecords, AliasRecord, DomainRecord } from '../../contracts/accounts.ts'
import { MailError } from '../../protocol/session/errors.ts'

/** Records in a page. */
const PAGE = 200

/**
 * Accounts, domains and aliases in memory: the reference for what records do. Gone with the process, so for tests and for servers
 * that are told who is there at each start.
 */
export function memoryAccounts(): AccountRecords {
  return new MemoryAccounts()
}

/** Records as JSON, so that neither the giver nor a taker changes them for others. */
class MemoryAccounts implements AccountRecords {
  readonly traits = { durability: 'none' } as const
  readonly #accounts = new Map<string, string>()
  /** Ids by address, login and certificate. */
  readonly #names = new Map<string, string>()
  readonly #domains = new Map<string, string>()
  readonly #aliases = new Map<string, string>()
  #closed = false

  async account(id: string): Promise<AccountRecord | undefined> {
    return this.#get(this.#accounts, id)
  }

  async accountNamed(name: string): Promise<AccountRecord | undefined> {
    this.#check()
    const id = this.#names.get(name)
    return id === undefined ? undefined : this.#get(this.#accounts, id)
  }

  async updateAccount(
    id: string,
    change: (account: AccountRecord | undefined) => AccountRecord | undefined,
  ): Promise<AccountRecord | undefined> {
    const before = this.#get<AccountRecord>(this.#accounts, id)
    // Nothing is awaited up to the end: no other change can come between.
    const after = change(before)
    if (after === before) return after
    if (after !== undefined && after.id !== id) throw new MailError('misuse', `The account ${id} cannot become ${after.id}`)
    const text = after && json(after)
    const names = new Set(after ? namesOf(after) : [])
    for (const name of names) {
      if ((this.#names.get(name) ?? id) !== id) throw new MailError('permanent', `${name} is taken by another account`)
    }
    for (const name of before ? namesOf(before) : []) this.#names.delete(name)
    for (const name of names) this.#names.set(name, id)
    if (text === undefined) this.#accounts.delete(id)
    else this.#accounts.set(id, text)
    return this.#get(this.#accounts, id)
  }

  accounts(after = ''): AsyncIterable<readonly AccountRecord[]> {
    return this.#pages(this.#accounts, after)
  }

  async domain(name: string): Promise<DomainRecord | undefined> {
    return this.#get(this.#domains, name)
  }

  async setDomain(record: DomainRecord): Promise<void> {
    this.#check()
    this.#domains.set(record.name, json(record))
  }

  async removeDomain(name: string): Promise<boolean> {
    this.#check()
    return this.#domains.delete(name)
  }

  domains(): AsyncIterable<readonly DomainRecord[]> {
    return this.#pages(this.#domains, '')
  }

  async alias(address: string): Promise<AliasRecord | undefined> {
    return this.#get(this.#aliases, address)
  }

  async setAlias(record: AliasRecord): Promise<void> {
    this.#check()
    this.#aliases.set(record.address, json(record))
  }

  async removeAlias(address: string): Promise<boolean> {
    this.#check()
    return this.#aliases.delete(address)
  }

  aliases(): AsyncIterable<readonly AliasRecord[]> {
    return this.#pages(this.#aliases, '')
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #get<T>(from: ReadonlyMap<string, string>, key: string): T | undefined {
    this.#check()
    const text = from.get(key)
    return text === undefined ? undefined : (JSON.parse(text) as T)
  }

  async *#pages<T>(from: ReadonlyMap<string, string>, after: string): AsyncGenerator<readonly T[], void, undefined> {
    this.#check()
    const keys = [...from.keys()].filter((key) => key > after).sort()
    for (let at = 0; at < keys.length; at += PAGE) {
      const page = keys.slice(at, at + PAGE).flatMap((key): T[] => {
        const found = this.#get<T>(from, key)
        return found === undefined ? [] : [found]
      })
      if (page.length > 0) yield page
    }
  }

  #check(): void {
    if (this.#closed) throw new MailError('closed', 'The account records were closed')
  }
}

/** What finds an account, beside its id. */
function namesOf({ addresses, logins = [], certificates = [] }: AccountRecord): readonly string[] {
  return [...addresses, ...logins, ...certificates]
}

function json(record: object): string {
  try {
    return JSON.stringify(record)
  } catch (cause) {
    throw new MailError('misuse', 'An account record is plain JSON data', { cause })
  }
}
