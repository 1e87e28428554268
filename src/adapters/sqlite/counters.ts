import type { Transaction } from './commit.ts'
import type { Connection, Statement } from './driver.ts'

/** Message ids taken from the database at a time. The rest of a block is lost with the process; there are 2^53. */
const BLOCK = 1000

/** A mailbox, with its row's numbers raised to what its last entry says. */
export const MAILBOX = `SELECT m.id, m.account, m.path, m.uid_validity,
  max(m.uid_next, ifnull(e.uid + 1, 0)) AS uid_next, max(m.mod_seq, ifnull(e.mod_seq, 0)) AS mod_seq
  FROM mailboxes AS m LEFT JOIN entries AS e ON e.mailbox = m.id AND e.uid = (SELECT max(uid) FROM entries WHERE mailbox = m.id)`

/** What is next in a mailbox. */
export interface Next {
  /** Its row id. */
  readonly row: number
  uid: number
  modSeq: number
}

/**
 * The numbers that transactions give out. Those of a mailbox are read once a transaction, however many messages it holds;
 * writing the entries is what moves them. What is rolled back was never given out.
 */
export class Counters implements Transaction {
  readonly #readMailbox: Statement
  readonly #readCounter: Statement
  readonly #writeCounter: Statement
  /** By mailbox id. */
  readonly #mailboxes = new Map<string, Next>()
  #nextMessage = 0
  #endOfBlock = 0
  /** Whether the block was taken in a transaction that is not committed. */
  #uncertain = false

  constructor(db: Connection) {
    this.#readMailbox = db.prepare(`${MAILBOX} WHERE m.id = ?`)
    this.#readCounter = db.prepare('SELECT value FROM counters WHERE name = ?')
    this.#writeCounter = db.prepare('UPDATE counters SET value = ? WHERE name = ?')
  }

  begun(): void {
    this.#mailboxes.clear()
    if (this.#uncertain) this.#nextMessage = this.#endOfBlock
    this.#uncertain = false
  }

  committed(): void {
    this.#uncertain = false
  }

  /** The numbers of a mailbox, to be counted up in place, or `undefined` when there is no such mailbox. */
  mailbox(id: string): Next | undefined {
    const known = this.#mailboxes.get(id)
    if (known) return known
    const row = rowId(id)
    const found = row === undefined ? undefined : this.#readMailbox.get(row)
    if (row === undefined || !found) return undefined
    const next = { row, uid: found['uid_next'] as number, modSeq: found['mod_seq'] as number }
    this.#mailboxes.set(id, next)
    return next
  }

  /** A row id for a message, never given out before. */
  message(): number {
    if (this.#nextMessage === this.#endOfBlock) {
      const first = this.#read('next_message')
      this.#writeCounter.run(first + BLOCK, 'next_message')
      this.#nextMessage = first
      this.#endOfBlock = first + BLOCK
      this.#uncertain = true
    }
    return this.#nextMessage++
  }

  /**
   * A UIDVALIDITY above all that were given out: the time in seconds, so that it also differs from those of a database that
   * was lost, or one more than the last (RFC 9051 §2.3.1.1).
   */
  uidValidity(now: number): number {
    const value = Math.max(Math.floor(now / 1000) || 0, this.#read('uid_validity') + 1)
    this.#writeCounter.run(value, 'uid_validity')
    return value
  }

  #read(name: string): number {
    return this.#readCounter.get(name)?.['value'] as number
  }
}

/** The row that an id names, or `undefined` for what was never an id of ours. */
export function rowId(id: string): number | undefined {
  const row = Number(id)
  return Number.isSafeInteger(row) && row > 0 && String(row) === id ? row : undefined
}
