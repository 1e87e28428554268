import type { AccountRecord } from '../../contracts/accounts.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Write } from './commit.ts'
import type { Connection, Statement } from './driver.ts'
import type { Settle } from './placing.ts'

/** The statements that change accounts. */
export class ChangingAccounts {
  readonly read: Statement
  readonly owner: Statement
  readonly set: Statement
  readonly remove: Statement
  readonly name: Statement
  readonly forget: Statement

  constructor(db: Connection) {
    this.read = db.prepare('SELECT record FROM accounts WHERE id = ?')
    this.owner = db.prepare('SELECT account FROM account_names WHERE name = ?')
    this.set = db.prepare('INSERT INTO accounts VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record')
    this.remove = db.prepare('DELETE FROM accounts WHERE id = ?')
    this.name = db.prepare('INSERT INTO account_names VALUES (?, ?)')
    this.forget = db.prepare('DELETE FROM account_names WHERE name = ? AND account = ?')
  }
}

/** One change of an account, waiting for its transaction: there it reads, decides and writes, and nobody else between. */
export class ChangeAccount implements Write {
  readonly octets = 1024
  readonly #id: string
  readonly #change: (account: AccountRecord | undefined) => AccountRecord | undefined
  readonly #with: ChangingAccounts
  readonly #settle: Settle<AccountRecord | undefined>
  #text: string | undefined
  #gaveUp: { readonly error: unknown } | undefined

  constructor(
    id: string,
    change: (account: AccountRecord | undefined) => AccountRecord | undefined,
    changing: ChangingAccounts,
    settle: Settle<AccountRecord | undefined>,
  ) {
    this.#id = id
    this.#change = change
    this.#with = changing
    this.#settle = settle
  }

  apply(): void {
    const kept = this.#with.read.get(this.#id)?.['record'] as string | undefined
    const before = kept === undefined ? undefined : (JSON.parse(kept) as AccountRecord)
    const names = before ? namesOf(before) : new Set<string>()
    this.#text = kept
    this.#gaveUp = undefined
    let after: AccountRecord | undefined
    try {
      after = this.#change(before)
      if (after === before) return
      this.#text = after && textOf(this.#id, after)
    } catch (error) {
      // The caller's reason, told to the caller as it is; nothing is wrong with the database.
      this.#gaveUp = { error }
      return
    }
    this.#write(names, after)
  }

  committed(): void {
    if (this.#gaveUp) this.#settle.reject(this.#gaveUp.error as Error)
    else this.#settle.resolve(this.#text === undefined ? undefined : (JSON.parse(this.#text) as AccountRecord))
  }

  failed(error: MailError): void {
    this.#settle.reject(error)
  }

  /** `before`: the names it has. Those that stay are not touched: a log-in writes one row. */
  #write(before: ReadonlySet<string>, after: AccountRecord | undefined): void {
    const { owner, set, remove, name, forget } = this.#with
    if (after === undefined) {
      remove.run(this.#id)
      return
    }
    const wanted = namesOf(after)
    const added = [...wanted].filter((one) => !before.has(one))
    for (const one of added) {
      const taken = owner.get(one)?.['account']
      if (taken !== undefined && taken !== this.#id) throw new MailError('permanent', `${one} is taken by another account`)
    }
    set.run(this.#id, this.#text as string)
    for (const one of before) if (!wanted.has(one)) forget.run(one, this.#id)
    for (const one of added) name.run(one, this.#id)
  }
}

/** What finds an account, beside its id. */
function namesOf({ addresses, logins = [], certificates = [] }: AccountRecord): ReadonlySet<string> {
  return new Set([...addresses, ...logins, ...certificates])
}

function textOf(id: string, record: AccountRecord): string {
  if (record.id !== id) throw new MailError('misuse', `The account ${id} cannot become ${record.id}`)
  return recordText(record)
}

/**
 * A record as it is kept.
 *
 * @throws MailError `misuse` where it is not JSON data
 */
export function recordText(record: object): string {
  try {
    return JSON.stringify(record)
  } catch (cause) {
    throw new MailError('misuse', 'An account record is plain JSON data', { cause })
  }
}
