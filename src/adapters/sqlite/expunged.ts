import type { UidSet } from '../../contracts/mailbox.ts'
import { bytesIn, type Connection, type Statement } from './driver.ts'
import { setOf } from '../../protocol/bytes/number-set.ts'
import { packUids, unpackUids } from './uid-set.ts'

/** Expunges that are remembered one by one, and how many of the oldest are put together when there are more. */
const MOST_ROWS = 128
const TOGETHER = 64

/** Octets of UIDs that are put together, at most: about 16 000 ranges, all else being scattered. */
const MOST_OCTETS = 32 * 1024

/** UIDs that were expunged at once. */
export interface Expunge {
  readonly modSeq: number
  readonly uids: UidSet
}

/**
 * What was expunged from mailboxes. Older expunges are told as one, as if all of them had happened with the last: who asks for
 * what came between hears of UIDs that he knows to be gone, or never saw. In time they are few ranges, since what lies between
 * the messages that are there is gone; where they are too many after all, they are forgotten.
 */
export class Expunged {
  readonly #insert: Statement
  readonly #count: Statement
  readonly #oldest: Statement
  readonly #delete: Statement
  readonly #forget: Statement

  constructor(db: Connection) {
    this.#insert = db.prepare('INSERT INTO expunged (mailbox, mod_seq, uids) VALUES (?, ?, ?)')
    this.#count = db.prepare('SELECT count(*) AS count FROM expunged WHERE mailbox = ?')
    this.#oldest = db.prepare('SELECT mod_seq, uids FROM expunged WHERE mailbox = ? ORDER BY mod_seq LIMIT +?')
    this.#delete = db.prepare('DELETE FROM expunged WHERE mailbox = ? AND mod_seq <= ?')
    this.#forget = db.prepare('UPDATE mailboxes SET forgotten = ? WHERE id = ?')
  }

  /** Remembers, inside a transaction. */
  add(mailbox: number, modSeq: number, uids: UidSet): void {
    this.#insert.run(mailbox, modSeq, packUids(uids))
    if ((this.#count.get(mailbox)?.['count'] as number) > MOST_ROWS) this.#compact(mailbox)
  }

  #compact(mailbox: number): void {
    const oldest = this.#oldest.all(mailbox, TOGETHER)
    const modSeq = oldest.at(-1)?.['mod_seq'] as number
    const uids = packUids(setOf(oldest.flatMap((row) => unpackUids(bytesIn(row, 'uids')))))
    this.#delete.run(mailbox, modSeq)
    if (uids.length <= MOST_OCTETS) this.#insert.run(mailbox, modSeq, uids)
    else this.#forget.run(modSeq, mailbox)
  }
}
