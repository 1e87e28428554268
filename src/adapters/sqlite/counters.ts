import type { Mailbox, Quota, SpecialUse, Usage } from '../../contracts/mailbox.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Transaction } from './commit.ts'
import type { Connection, Row, Statement } from './driver.ts'

/** Message ids taken from the database at a time. The rest of a block is lost with the process; there are 2^53. */
const BLOCK = 1000

/** Octets that each message is counted for beside its size: about what its entry and its facts take. */
export const OVERHEAD = 1024

/** The columns of a mailbox, for {@link mailboxOf}. */
export const MAILBOX_COLUMNS = 'id, account, path, uid_validity, uid_next, mod_seq, messages, unseen, deleted, octets,'
  + ' recent_from, use'

/** What a mailbox counts. */
export interface Tally {
  messages: number
  unseen: number
  deleted: number
  octets: number
}

/** A mailbox in a transaction: what it counts, and what is next in it. */
export interface Numbers extends Tally {
  readonly id: string
  /** Its row id. */
  readonly row: number
  readonly account: string
  uid: number
  modSeq: number
}

/** One that a transaction has looked at. */
interface Held {
  readonly numbers: Numbers
  /** As its row has it. */
  readonly written: Readonly<Numbers>
}

/**
 * The numbers that transactions give out and count. Those of a mailbox are read once a transaction and written once, before it
 * is committed: a group of appends to one mailbox costs one update of a row. What is rolled back was never given out.
 */
export class Counters implements Transaction {
  readonly #readMailbox: Statement
  readonly #writeMailbox: Statement
  readonly #sum: Statement
  readonly #readCounter: Statement
  readonly #writeCounter: Statement
  readonly #writeNames: Statement
  /** By mailbox id; `undefined` for those that are removed. */
  readonly #mailboxes = new Map<string, Held | undefined>()
  /** Those that were made, renamed or removed. */
  readonly #touched = new Set<string>()
  /** Accounts whose names or subscriptions were changed. */
  readonly #renamed = new Set<string>()
  readonly #usage = new Map<string, { messages: number; octets: number }>()
  #nextMessage = 0
  #endOfBlock = 0
  /** Whether the block was taken in a transaction that is not committed. */
  #uncertain = false

  constructor(db: Connection) {
    this.#readMailbox = db.prepare('SELECT account, uid_next, mod_seq, messages, unseen, deleted, octets'
      + ' FROM mailboxes WHERE id = ?')
    this.#writeMailbox = db.prepare('UPDATE mailboxes SET uid_next = ?, mod_seq = ?, messages = ?, unseen = ?, deleted = ?,'
      + ' octets = ? WHERE id = ?')
    this.#sum = db.prepare('SELECT sum(messages) AS messages, sum(octets) AS octets FROM mailboxes WHERE account = ?')
    this.#readCounter = db.prepare('SELECT value FROM counters WHERE name = ?')
    this.#writeCounter = db.prepare('UPDATE counters SET value = ? WHERE name = ?')
    this.#writeNames = db.prepare('INSERT INTO name_changes (account, change) VALUES (?, ?)'
      + ' ON CONFLICT (account) DO UPDATE SET change = excluded.change')
  }

  begun(): void {
    this.#mailboxes.clear()
    this.#usage.clear()
    this.#touched.clear()
    this.#renamed.clear()
    if (this.#uncertain) this.#nextMessage = this.#endOfBlock
    this.#uncertain = false
  }

  ending(): void {
    for (const held of this.#mailboxes.values()) {
      if (!held || !differs(held)) continue
      const { uid, modSeq, messages, unseen, deleted, octets, row } = held.numbers
      this.#writeMailbox.run(uid, modSeq, messages, unseen, deleted, octets, row)
    }
    if (this.#renamed.size === 0) return
    const change = this.#read('name_change') + 1
    this.#writeCounter.run(change, 'name_change')
    for (const account of this.#renamed) this.#writeNames.run(account, change)
  }

  committed(): void {
    this.#uncertain = false
  }

  /** The mailboxes in which the transaction that was committed has changed something. */
  changed(): ReadonlySet<string> {
    const changed = new Set(this.#touched)
    for (const [id, held] of this.#mailboxes) if (held && differs(held)) changed.add(id)
    return changed
  }

  /** The accounts in which it has. */
  changedAccounts(): ReadonlySet<string> {
    const changed = new Set(this.#renamed)
    for (const held of this.#mailboxes.values()) if (held && differs(held)) changed.add(held.numbers.account)
    return changed
  }

  /** Something else than numbers was changed of a mailbox. */
  touch(id: string, account: string): void {
    this.#touched.add(id)
    this.rename(account)
  }

  /** Names of an account's mailboxes were changed, or its subscriptions. */
  rename(account: string): void {
    this.#renamed.add(account)
  }

  /** The numbers of a mailbox, to be counted up in place, or `undefined` when there is no such mailbox. */
  mailbox(id: string): Numbers | undefined {
    if (this.#mailboxes.has(id)) return this.#mailboxes.get(id)?.numbers
    const row = rowId(id)
    const found = row === undefined ? undefined : this.#readMailbox.get(row)
    if (row === undefined || !found) return undefined
    const numbers: Numbers = {
      id,
      row,
      account: found['account'] as string,
      uid: found['uid_next'] as number,
      modSeq: found['mod_seq'] as number,
      messages: found['messages'] as number,
      unseen: found['unseen'] as number,
      deleted: found['deleted'] as number,
      octets: found['octets'] as number,
    }
    this.#mailboxes.set(id, { numbers, written: { ...numbers } })
    return numbers
  }

  /** The same for one that has to be there: throws `permanent` where it is not. */
  existing(id: string): Numbers {
    const numbers = this.mailbox(id)
    if (!numbers) throw new MailError('permanent', `There is no mailbox ${id}`)
    return numbers
  }

  /** The mailbox was removed in this transaction. */
  removed(id: string, account: string): void {
    this.#usage.clear()
    this.#mailboxes.set(id, undefined)
    this.touch(id, account)
  }

  /** Counts messages into a mailbox, or out of it where the numbers are negative. */
  count(numbers: Numbers, { messages, unseen, deleted, octets }: Readonly<Tally>): void {
    numbers.messages += messages
    numbers.unseen += unseen
    numbers.deleted += deleted
    numbers.octets += octets
    const usage = this.#usage.get(numbers.account)
    if (usage) {
      usage.messages += messages
      usage.octets += octets + messages * OVERHEAD
    }
  }

  /** What an account holds at this point of the transaction: the sum over its mailboxes, so that there is one truth. */
  usage(account: string): Usage {
    const known = this.#usage.get(account)
    if (known) return known
    const usage = usageOf(this.#sum.get(account))
    for (const held of this.#mailboxes.values()) {
      if (held?.numbers.account !== account) continue
      const messages = held.numbers.messages - held.written.messages
      usage.messages += messages
      usage.octets += held.numbers.octets - held.written.octets + messages * OVERHEAD
    }
    this.#usage.set(account, usage)
    return usage
  }

  /** Throws `quota` unless there is room for so many messages of so many octets in all; what is no more needs none. */
  check(account: string, messages: number, octets: number, quota: Quota): void {
    // Sums cost more than all else that an append looks up.
    if (quota.octets === Infinity && quota.messages === Infinity) return
    const usage = this.usage(account)
    const more = octets + messages * OVERHEAD
    const over = (messages > 0 && usage.messages + messages > quota.messages) || (more > 0 && usage.octets + more > quota.octets)
    if (!over) return
    throw new MailError('quota', `${account} would hold more than it may`)
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

function differs({ numbers, written }: Held): boolean {
  return numbers.modSeq !== written.modSeq || numbers.messages !== written.messages || numbers.unseen !== written.unseen
    || numbers.deleted !== written.deleted || numbers.octets !== written.octets || numbers.uid !== written.uid
}

/** What an account holds, of the sums over its mailboxes. */
export function usageOf(sums: Row | undefined): { messages: number; octets: number } {
  const messages = (sums?.['messages'] as number | null | undefined) ?? 0
  return { messages, octets: ((sums?.['octets'] as number | null | undefined) ?? 0) + messages * OVERHEAD }
}

/** The mailbox that a row describes. */
export function mailboxOf(row: Row): Mailbox {
  const use = row['use'] as SpecialUse | null
  return {
    id: String(row['id']),
    account: row['account'] as string,
    path: JSON.parse(row['path'] as string) as string[],
    uidValidity: row['uid_validity'] as number,
    uidNext: row['uid_next'] as number,
    modSeq: row['mod_seq'] as number,
    messages: row['messages'] as number,
    unseen: row['unseen'] as number,
    deleted: row['deleted'] as number,
    octets: row['octets'] as number,
    ...(use === null ? {} : { use }),
    recentFrom: row['recent_from'] as number,
  }
}

/** The row that an id names, or `undefined` for what was never an id of ours. */
export function rowId(id: string): number | undefined {
  const row = Number(id)
  return Number.isSafeInteger(row) && row > 0 && String(row) === id ? row : undefined
}
