import { setImmediate as turn } from 'node:timers/promises'
import type { AccountRecord, AccountRecords, AliasRecord, DomainRecord } from '../../contracts/accounts.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { ChangeAccount, ChangingAccounts, recordText } from './accounts-write.ts'
import { closedError, type GroupCommit } from './commit.ts'
import { type Connection, type Statement, storageError } from './driver.ts'
import { RecordMemory } from './record-memory.ts'

/** Records read at a time. */
const PAGE = 200

/** One table of records. */
interface Table {
  readonly get: Statement
  readonly page: Statement
  readonly set: Statement
  readonly remove: Statement
}

/** Accounts, domains and aliases in a database. Writes share the transactions of the mail store. */
export class SqliteAccounts implements AccountRecords {
  readonly traits = { durability: 'disk' } as const
  readonly #commits: GroupCommit | undefined
  readonly #isOpen: () => boolean
  readonly #memory: RecordMemory
  readonly #close: () => Promise<void>
  readonly #changing: ChangingAccounts
  readonly #named: Statement
  readonly #accounts: Statement
  readonly #domains: Table
  readonly #aliases: Table

  /** `commits` is missing where the database is for reading only; `close` lets go of the whole of it. `now`: milliseconds. */
  constructor(
    db: Connection,
    commits: GroupCommit | undefined,
    isOpen: () => boolean,
    close: () => Promise<void>,
    now: () => number,
  ) {
    this.#commits = commits
    this.#isOpen = isOpen
    this.#memory = new RecordMemory(now)
    this.#close = close
    this.#changing = new ChangingAccounts(db)
    this.#named = db.prepare('SELECT a.record FROM account_names AS n JOIN accounts AS a ON a.id = n.account WHERE n.name = ?')
    this.#accounts = db.prepare(`SELECT id AS key, record FROM accounts WHERE id > ? ORDER BY id LIMIT ${PAGE}`)
    this.#domains = table(db, 'domains', 'name')
    this.#aliases = table(db, 'aliases', 'address')
  }

  async account(id: string): Promise<AccountRecord | undefined> {
    return this.#get('id', this.#changing.read, id)
  }

  async accountNamed(name: string): Promise<AccountRecord | undefined> {
    return this.#get('name', this.#named, name)
  }

  async updateAccount(
    id: string,
    change: (account: AccountRecord | undefined) => AccountRecord | undefined,
  ): Promise<AccountRecord | undefined> {
    const commits = this.#writing()
    return new Promise((resolve, reject) => {
      const changed = (record: AccountRecord | undefined): void => {
        this.#memory.forget()
        resolve(record)
      }
      commits.add(new ChangeAccount(id, change, this.#changing, { resolve: changed, reject }))
    })
  }

  accounts(after = ''): AsyncIterable<readonly AccountRecord[]> {
    return this.#pages(this.#accounts, after)
  }

  async domain(name: string): Promise<DomainRecord | undefined> {
    return this.#get('domain', this.#domains.get, name)
  }

  async setDomain(record: DomainRecord): Promise<void> {
    await this.#run(this.#domains.set, record.name, recordText(record))
  }

  async removeDomain(name: string): Promise<boolean> {
    return (await this.#run(this.#domains.remove, name)) > 0
  }

  domains(): AsyncIterable<readonly DomainRecord[]> {
    return this.#pages(this.#domains.page, '')
  }

  async alias(address: string): Promise<AliasRecord | undefined> {
    return this.#get('alias', this.#aliases.get, address)
  }

  async setAlias(record: AliasRecord): Promise<void> {
    await this.#run(this.#aliases.set, record.address, recordText(record))
  }

  async removeAlias(address: string): Promise<boolean> {
    return (await this.#run(this.#aliases.remove, address)) > 0
  }

  aliases(): AsyncIterable<readonly AliasRecord[]> {
    return this.#pages(this.#aliases.page, '')
  }

  close(): Promise<void> {
    return this.#close()
  }

  #get<T>(what: string, statement: Statement, key: string): T | undefined {
    if (!this.#isOpen()) throw closedError()
    const text = this.#memory.get(`${what} ${key}`, () => this.#read(() => statement.get(key))?.['record'] as string | undefined)
    // For each asker anew: what one does to a record is nothing to another.
    return text === undefined ? undefined : (JSON.parse(text) as T)
  }

  async *#pages<T>(statement: Statement, from: string): AsyncGenerator<readonly T[], void, undefined> {
    for (let after = from; ;) {
      const rows = this.#read(() => statement.all(after))
      if (rows.length > 0) yield rows.map(({ record }) => JSON.parse(record as string) as T)
      if (rows.length < PAGE) return
      after = rows[rows.length - 1]!['key'] as string
      // Nothing above waits for anything: without this a long list would be one long turn.
      await turn()
    }
  }

  async #run(statement: Statement, ...parameters: readonly string[]): Promise<number> {
    const changes = await this.#writing().work(() => Number(statement.run(...parameters).changes))
    this.#memory.forget()
    return changes
  }

  #read<T>(query: () => T): T {
    if (!this.#isOpen()) throw closedError()
    try {
      return query()
    } catch (error) {
      throw storageError(error, 'reading')
    }
  }

  #writing(): GroupCommit {
    if (!this.#isOpen()) throw closedError()
    if (!this.#commits) throw new MailError('misuse', 'The database was opened with readonly: true')
    return this.#commits
  }
}

function table(db: Connection, name: string, key: string): Table {
  return {
    get: db.prepare(`SELECT record FROM ${name} WHERE ${key} = ?`),
    page: db.prepare(`SELECT ${key} AS key, record FROM ${name} WHERE ${key} > ? ORDER BY ${key} LIMIT ${PAGE}`),
    set: db.prepare(`INSERT INTO ${name} VALUES (?, ?) ON CONFLICT (${key}) DO UPDATE SET record = excluded.record`),
    remove: db.prepare(`DELETE FROM ${name} WHERE ${key} = ?`),
  }
}
