import type { Mailbox } from '../../contracts/store.ts'
import type { MailError } from '../../protocol/session/errors.ts'
import type { Settle } from './append.ts'
import type { Write } from './commit.ts'
import { type Counters, MAILBOX, type Next } from './counters.ts'
import type { Connection, Row, Statement } from './driver.ts'

/** The statements that make a mailbox. */
export class Creating {
  readonly counters: Counters
  readonly find: Statement
  readonly insert: Statement

  constructor(db: Connection, counters: Counters) {
    this.counters = counters
    this.find = db.prepare(`${MAILBOX} WHERE m.account = ? AND m.path = ?`)
    this.insert = db.prepare('INSERT INTO mailboxes (account, path, uid_validity, uid_next, mod_seq) VALUES (?, ?, ?, 1, 0)')
  }
}

/** One mailbox to be made, unless it is there, waiting for its transaction. */
export class CreateMailbox implements Write {
  readonly octets = 0
  readonly #account: string
  readonly #path: string
  readonly #now: number
  readonly #with: Creating
  readonly #settle: Settle<Mailbox>
  #row: Row = {}
  #next: Next | undefined

  /** `path` is the JSON of it, `now` in milliseconds since the Unix epoch. */
  constructor(account: string, path: string, now: number, creating: Creating, settle: Settle<Mailbox>) {
    this.#account = account
    this.#path = path
    this.#now = now
    this.#with = creating
    this.#settle = settle
  }

  apply(): void {
    const { find, insert, counters } = this.#with
    let row = find.get(this.#account, this.#path)
    if (!row) {
      insert.run(this.#account, this.#path, counters.uidValidity(this.#now))
      row = find.get(this.#account, this.#path) as Row
    }
    this.#row = row
    this.#next = counters.mailbox(String(row['id']))
  }

  committed(): void {
    // With what the appends of the same transaction have added.
    const { uid, modSeq } = this.#next as Next
    this.#settle.resolve({ ...mailboxOf(this.#row), uidNext: uid, modSeq })
  }

  failed(error: MailError): void {
    this.#settle.reject(error)
  }
}

/** The mailbox that a row describes. */
export function mailboxOf(row: Row): Mailbox {
  return {
    id: String(row['id']),
    account: row['account'] as string,
    path: JSON.parse(row['path'] as string) as string[],
    uidValidity: row['uid_validity'] as number,
    uidNext: row['uid_next'] as number,
    modSeq: row['mod_seq'] as number,
  }
}
