import type { Mailbox, MailboxId, SpecialUse, Usage } from '../../contracts/mailbox.ts'
import { isAtOrBelow } from '../../contracts/mailbox-path.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { GroupCommit } from './commit.ts'
import { type Counters, MAILBOX_COLUMNS, mailboxOf, type Numbers } from './counters.ts'
import type { Connection, Row, Statement } from './driver.ts'
import type { Entries } from './entries.ts'
import { LAST_UID } from './uid-set.ts'

/** Entries that are counted at a time when an account is counted anew. */
const COUNTED = 20_000

/** What happens to mailboxes as a whole. */
export class MailboxWrites {
  readonly #commits: GroupCommit
  readonly #counters: Counters
  readonly #entries: Entries
  readonly #now: () => number
  readonly #find: Statement
  readonly #used: Statement
  readonly #insert: Statement
  readonly #all: Statement
  readonly #rename: Statement
  readonly #delete: Statement
  readonly #removed: Statement
  readonly #former: Statement
  readonly #formerly: Statement
  readonly #forget: readonly Statement[]
  readonly #recent: Statement
  readonly #claim: Statement
  readonly #subscribe: Statement
  readonly #unsubscribe: Statement

  constructor(db: Connection, commits: GroupCommit, counters: Counters, entries: Entries, now: () => number) {
    this.#commits = commits
    this.#counters = counters
    this.#entries = entries
    this.#now = now
    this.#find = db.prepare(`SELECT ${MAILBOX_COLUMNS} FROM mailboxes WHERE account = ? AND path = ?`)
    this.#used = db.prepare('SELECT 1 FROM mailboxes WHERE account = ? AND use = ?')
    this.#insert = db.prepare('INSERT INTO mailboxes (account, path, uid_validity, uid_next, mod_seq, use)'
      + ' VALUES (?, ?, ?, 1, 1, ?)')
    this.#all = db.prepare('SELECT id, path, uid_validity FROM mailboxes WHERE account = ?')
    this.#rename = db.prepare('UPDATE mailboxes SET path = ?, uid_validity = ? WHERE id = ?')
    this.#delete = db.prepare('DELETE FROM mailboxes WHERE id = ?')
    this.#removed = db.prepare('INSERT INTO removed (mailbox) VALUES (?)')
    this.#former = db.prepare('INSERT INTO former_paths (account, path, uid_validity) VALUES (?, ?, ?)'
      + ' ON CONFLICT (account, path) DO UPDATE SET uid_validity = max(uid_validity, excluded.uid_validity)')
    this.#formerly = db.prepare('SELECT uid_validity FROM former_paths WHERE account = ? AND path = ?')
    this.#forget = ['former_paths', 'subscriptions'].map((table) => db.prepare(`DELETE FROM ${table} WHERE account = ?`))
    this.#recent = db.prepare('SELECT recent_from FROM mailboxes WHERE id = ?')
    this.#claim = db.prepare('UPDATE mailboxes SET recent_from = ? WHERE id = ?')
    this.#subscribe = db.prepare('INSERT OR IGNORE INTO subscriptions (account, path) VALUES (?, ?)')
    this.#unsubscribe = db.prepare('DELETE FROM subscriptions WHERE account = ? AND path = ?')
  }

  /** The mailbox of that path, made unless it is there. */
  create(account: string, path: readonly string[], use: SpecialUse | undefined): Promise<Mailbox> {
    const text = JSON.stringify(path)
    const now = this.#now()
    return this.#commits.work(() => {
      const row = this.#find.get(account, text) ?? this.#make(account, text, use, now)
      return { row, numbers: this.#counters.mailbox(String(row['id'])) }
    }, ({ row, numbers }) => {
      // With what others have added in the same transaction.
      const { uid: uidNext, modSeq, messages, unseen, deleted, octets } = numbers as Numbers
      return { ...mailboxOf(row), uidNext, modSeq, messages, unseen, deleted, octets }
    })
  }

  rename(mailbox: MailboxId, path: readonly string[]): Promise<void> {
    const now = this.#now()
    return this.#commits.work(() => {
      const { account, row } = this.#counters.existing(mailbox)
      const moves = this.#moves(account, row, path)
      // Out of each other's way first: the new path of one may be the old one of another.
      for (const { id, from, validity } of moves) {
        this.#former.run(account, from, validity)
        this.#rename.run(`${from} ${id}`, validity, id)
        this.#counters.touch(String(id), account)
      }
      for (const { id, to, validity } of moves) {
        const former = this.#formerly.get(account, to)?.['uid_validity'] as number | undefined
        // RFC 9051 §2.3.1.1: whoever knows the path by a mailbox that had it before sees the UIDVALIDITY grow.
        this.#rename.run(to, former !== undefined && former > validity ? this.#counters.uidValidity(now) : validity, id)
      }
    })
  }

  /** Resolves when it is gone for everyone; what was in it goes later. */
  remove(mailbox: MailboxId): Promise<void> {
    return this.#commits.work(() => {
      const numbers = this.#counters.mailbox(mailbox)
      if (!numbers) return
      const found = this.#all.all(numbers.account).find(({ id }) => id === numbers.row) as Row
      this.#former.run(numbers.account, found['path'] as string, found['uid_validity'] as number)
      this.#drop(numbers.row, numbers.account)
    })
  }

  /** Resolves when all is gone for everyone; what was in the mailboxes goes later. */
  erase(account: string): Promise<void> {
    return this.#commits.work(() => {
      for (const { id } of this.#all.all(account)) this.#drop(id as number, account)
      this.#counters.rename(account)
      for (const statement of this.#forget) statement.run(account)
    })
  }

  claim(mailbox: MailboxId): Promise<number> {
    return this.#commits.work(() => {
      const { row, uid } = this.#counters.existing(mailbox)
      const from = this.#recent.get(row)?.['recent_from'] as number
      if (from !== uid) this.#claim.run(uid, row)
      return from
    })
  }

  subscribe(account: string, path: readonly string[], wanted: boolean): Promise<void> {
    const statement = wanted ? this.#subscribe : this.#unsubscribe
    return this.#commits.work(() => {
      const { changes } = statement.run(account, JSON.stringify(path))
      if (Number(changes) > 0) this.#counters.rename(account)
    })
  }

  /** Counts a mailbox at a time anew, so that nobody waits for a whole account. */
  async recount(account: string): Promise<Usage> {
    const rows = await this.#commits.work(() => this.#all.all(account).map(({ id }) => id as number))
    for (const row of rows) await this.#commits.work(() => this.#recount(String(row)))
    return this.#commits.work(() => ({ ...this.#counters.usage(account) }))
  }

  #make(account: string, path: string, use: SpecialUse | undefined, now: number): Row {
    if (use !== undefined && this.#used.get(account, use)) {
      throw new MailError('permanent', `There is a mailbox for ${use} already`)
    }
    this.#insert.run(account, path, this.#counters.uidValidity(now), use ?? null)
    const row = this.#find.get(account, path) as Row
    this.#counters.touch(String(row['id']), account)
    return row
  }

  /** The mailbox and those below it, and where they go. Throws `permanent` where they cannot. */
  #moves(account: string, row: number, path: readonly string[]): { id: number; from: string; to: string; validity: number }[] {
    const all = this.#all.all(account).map((found) => ({
      id: found['id'] as number,
      from: found['path'] as string,
      names: JSON.parse(found['path'] as string) as string[],
      validity: found['uid_validity'] as number,
    }))
    const old = all.find(({ id }) => id === row)?.names ?? []
    if (path.length > old.length && isAtOrBelow(path, old)) {
      throw new MailError('permanent', 'A mailbox cannot be renamed to a path below itself')
    }
    const moves = all.filter(({ names }) => isAtOrBelow(names, old))
      .map(({ id, from, names, validity }) => ({ id, from, validity, to: JSON.stringify([...path, ...names.slice(old.length)]) }))
    const moving = new Set(moves.map(({ id }) => id))
    const others = new Set(all.filter(({ id }) => !moving.has(id)).map(({ from }) => from))
    const taken = moves.find(({ to }) => others.has(to))
    if (taken) throw new MailError('permanent', `There is a mailbox ${taken.to} already`)
    return moves
  }

  #drop(row: number, account: string): void {
    this.#delete.run(row)
    this.#removed.run(row)
    this.#counters.removed(String(row), account)
  }

  #recount(mailbox: MailboxId): void {
    const numbers = this.#counters.mailbox(mailbox)
    if (!numbers) return
    this.#entries.forget()
    const counted = { messages: 0, unseen: 0, deleted: 0, octets: 0 }
    for (let last = 0, full = true; full;) {
      const found = this.#entries.some(numbers.row, last + 1, LAST_UID, COUNTED)
      full = found.uids.length === COUNTED
      last = found.uids.at(-1) ?? 0
      counted.messages += found.uids.length
      for (const { seen, deleted } of found.sets) {
        if (!seen) counted.unseen++
        if (deleted) counted.deleted++
      }
      for (const octets of found.octets) counted.octets += octets
      for (const modSeq of found.modSeqs) numbers.modSeq = Math.max(numbers.modSeq, modSeq)
      numbers.uid = Math.max(numbers.uid, last + 1)
    }
    this.#counters.count(numbers, {
      messages: counted.messages - numbers.messages,
      unseen: counted.unseen - numbers.unseen,
      deleted: counted.deleted - numbers.deleted,
      octets: counted.octets - numbers.octets,
    })
  }
}
