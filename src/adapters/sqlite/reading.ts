import { setImmediate as turn } from 'node:timers/promises'
import type { Mailbox, MailboxId, UidRange, UidSet, Usage } from '../../contracts/mailbox.ts'
import { comparePaths } from '../../contracts/mailbox-path.ts'
import type { Changes, Entry, Selection, StoredMessage } from '../../contracts/store.ts'
import { unpackFacts } from '../../message/packed-facts.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Read } from './bodies.ts'
import { MAILBOX_COLUMNS, mailboxOf, rowId, usageOf } from './counters.ts'
import { bytesIn, type Connection, type Row, type Statement } from './driver.ts'
import { type AllColumns, type Entries, entryAt, marksOf, PAGE, storedAt } from './entries.ts'
import { PAGE_WITH_FACTS } from './fact-lines.ts'
import type { Expunge } from './expunged.ts'
import type { Mark } from './flag-block.ts'
import { common, setOf, setOfAscending, within } from '../../protocol/bytes/number-set.ts'
import { ALL_UIDS, bridged, LAST_UID, membership, unpackUids } from './uid-set.ts'

/** Ranges of UIDs that are looked at in one turn of the event loop. */
const MOST_RANGES = 200

/** Characters of facts from which on no more ranges are looked at in a turn. */
const ENOUGH_FACTS = 512 * 1024

/** Accounts in a page. */
const ACCOUNTS = 500

/** What is read of mailboxes and what is in them. */
export class Reading {
  readonly #read: Read
  readonly #entries: Entries
  readonly #begin: Statement
  readonly #end: Statement
  readonly #rollback: Statement
  readonly #mailboxes: Statement
  readonly #at: Statement
  readonly #mailbox: Statement
  readonly #sum: Statement
  readonly #accounts: Statement
  readonly #accountsAfter: Statement
  readonly #subscriptions: Statement
  readonly #blocksSince: Statement
  readonly #expungedSince: Statement

  constructor(db: Connection, entries: Entries, read: Read) {
    this.#read = read
    this.#entries = entries
    this.#begin = db.prepare('BEGIN')
    this.#end = db.prepare('END')
    this.#rollback = db.prepare('ROLLBACK')
    this.#mailboxes = db.prepare(`SELECT ${MAILBOX_COLUMNS} FROM mailboxes WHERE account = ?`)
    this.#at = db.prepare(`SELECT ${MAILBOX_COLUMNS} FROM mailboxes WHERE account = ? AND path = ?`)
    this.#mailbox = db.prepare('SELECT uid_next, mod_seq, messages, forgotten FROM mailboxes WHERE id = ?')
    this.#sum = db.prepare('SELECT sum(messages) AS messages, sum(octets) AS octets FROM mailboxes WHERE account = ?')
    const accounts = `ORDER BY account LIMIT ${ACCOUNTS}`
    this.#accounts = db.prepare(`SELECT DISTINCT account FROM mailboxes ${accounts}`)
    this.#accountsAfter = db.prepare(`SELECT DISTINCT account FROM mailboxes WHERE account > ? ${accounts}`)
    this.#subscriptions = db.prepare('SELECT path FROM subscriptions WHERE account = ?')
    this.#blocksSince = db.prepare('SELECT block, mod_seq, data FROM flag_blocks WHERE mailbox = ? AND mod_seq > ?')
    this.#expungedSince = db.prepare('SELECT mod_seq, uids FROM expunged WHERE mailbox = ? AND mod_seq > ? ORDER BY mod_seq')
  }

  mailboxes(account: string): readonly Mailbox[] {
    return this.#read(() => this.#mailboxes.all(account)).map(mailboxOf).sort((a, b) => comparePaths(a.path, b.path))
  }

  mailbox(account: string, path: readonly string[]): Mailbox | undefined {
    const text = JSON.stringify(path)
    const row = this.#read(() => this.#at.get(account, text))
    return row && mailboxOf(row)
  }

  usage(account: string): Usage {
    return usageOf(this.#read(() => this.#sum.get(account)))
  }

  async *accounts(): AsyncGenerator<string, void, undefined> {
    let page = this.#read(() => this.#accounts.all())
    for (;;) {
      for (const { account } of page) yield account as string
      const last = page.at(-1)
      if (!last || page.length < ACCOUNTS) return
      await turn()
      page = this.#read(() => this.#accountsAfter.all(last['account'] as string))
    }
  }

  subscriptions(account: string): readonly (readonly string[])[] {
    return this.#read(() => this.#subscriptions.all(account)).map(({ path }) => JSON.parse(path as string) as string[])
  }

  async *entries(mailbox: MailboxId, which: Selection): AsyncGenerator<readonly Entry[], void, undefined> {
    const row = rowId(mailbox)
    if (row === undefined) return
    for await (const pieces of this.#pages(row, which, PAGE)) yield entriesIn(pieces)
  }

  async *list(mailbox: MailboxId, which: Selection): AsyncGenerator<readonly StoredMessage[], void, undefined> {
    const row = rowId(mailbox)
    if (row === undefined) return
    const { facts: known } = this.#entries
    const lines: Beside = (uids, gaps, apart) => (apart ? known.ofEach(row, uids) : known.of(row, uids, gaps))
    for await (const pieces of this.#pages(row, which, PAGE_WITH_FACTS, lines)) yield messagesIn(pieces, mailbox)
  }

  changes(mailbox: MailboxId, since: number, most: number): Changes {
    return this.#snapshot(() => {
      const row = rowId(mailbox)
      const box = row === undefined ? undefined : this.#mailbox.get(row)
      if (row === undefined || !box) throw new MailError('permanent', `There is no mailbox ${mailbox}`)
      const modSeq = box['mod_seq'] as number
      const forgotten = box['forgotten'] as number
      if (since >= modSeq) return { modSeq, changed: [], vanished: [], more: false, complete: since >= forgotten }
      const marks = this.#blocksSince.all(row, since).flatMap((block) => marksOf(block, since))
      const expunged = this.#expungedSince.all(row, since).map(expungeOf)
      const sequence = [...marks, ...expunged].map((change) => change.modSeq).sort((a, b) => a - b)
      // No append above this one is among the first.
      const bound = sequence[most] ?? modSeq
      const gaps = gapsIn(box)
      const { appended, read } = this.#appended(row, gaps, since, box['uid_next'] as number, marks, bound, most)
      for (const change of appended) sequence.push(change.modSeq)
      sequence.sort((a, b) => a - b)
      const more = sequence.length > most
      const until = more ? sequence[most - 1] as number : modSeq
      const told = [...marks, ...appended].filter((change) => change.modSeq <= until)
      return {
        modSeq: until,
        changed: this.#changed(row, gaps, told, read),
        vanished: setOf(expunged.filter((change) => change.modSeq <= until).flatMap(({ uids }) => uids)),
        more,
        complete: since >= forgotten,
      }
    })
  }

  /** The first of those that were appended after `since` and not changed since, `most` and one; and what was read for it. */
  #appended(row: number, gaps: number, since: number, uidNext: number, marks: readonly Mark[], bound: number, most: number) {
    const marked = new Set(marks.map(({ uid }) => uid))
    const appended: Appended[] = []
    const read: AllColumns[] = []
    for (let after = this.#entries.lastUntil(row, since, uidNext); appended.length <= most;) {
      const columns = this.#entries.all(row, after + 1, LAST_UID, PAGE, gaps)
      const { uids, modSeqs } = columns
      if (uids.length > 0) read.push(columns)
      for (let i = 0; i < uids.length; i++) {
        const [uid, modSeq] = [uids[i] as number, modSeqs[i] as number]
        if (!marked.has(uid) && modSeq <= bound) appended.push({ uid, modSeq })
      }
      if (uids.length < PAGE || (modSeqs.at(-1) as number) > bound) break
      after = uids.at(-1) as number
    }
    return { appended, read }
  }

  /** Entries by mod-sequence. `read`: all that there are from the first to the last of them, which need not be read again. */
  #changed(row: number, gaps: number, changes: readonly Appended[], read: readonly AllColumns[]): Entry[] {
    const uids = setOfAscending(changes.map(({ uid }) => uid).sort((a, b) => a - b))
    const has = membership(uids)
    const found: Entry[] = []
    const take = (columns: AllColumns): void => columns.uids.forEach((uid, index) => {
      if (has(uid)) found.push(entryAt(columns, index))
    })
    const look = (some: UidSet): void => {
      for (const { first, last } of bridged(some)) take(this.#entries.all(row, first, last, LAST_UID, gaps))
    }
    const first = read[0]?.uids[0] ?? LAST_UID + 1
    look(within(uids, 1, first - 1))
    for (const columns of read) take(columns)
    look(within(uids, (read.at(-1)?.uids.at(-1) ?? LAST_UID) + 1, LAST_UID))
    return found.sort((a, b) => a.modSeq - b.modSeq)
  }

  /** What is selected, in turns of about `size` messages each; `more` reads something beside it. */
  async *#pages(row: number, which: Selection, size: number, more: Beside = nothing): AsyncGenerator<readonly Piece[]> {
    const { uids = ALL_UIDS, since = 0 } = which
    const wanted = this.#snapshot(() => this.#candidates(row, uids, since))
    const has = membership(wanted)
    let spans: UidSet = bridged(wanted)
    while (spans.length > 0) {
      const pieces = this.#snapshot(() => {
        const read: Piece[] = []
        let said = 0
        const box = this.#mailbox.get(row)
        spans = box ? this.#turn(row, gapsIn(box), spans, size, (columns, apart) => {
          if (columns.uids.length === 0) return 0
          const facts = more(columns.uids, gapsIn(box), apart)
          // Of those that are left for the next page nothing is asked: it goes on from where this one ends.
          const count = facts?.length ?? columns.uids.length
          said += charactersIn(facts ?? [])
          const chosen = chosenIn(columns, count, has, since)
          if (chosen.length > 0) read.push({ columns, chosen, facts: facts ?? [] })
          return count
        }, () => said >= ENOUGH_FACTS) : []
        return read
      })
      if (pieces.length > 0) yield pieces
      // Nothing above waits for anything: without this a long list would be one long turn.
      if (spans.length > 0) await turn()
    }
  }

  /** Reads about `size` entries from the beginning of the spans. Gives what is left of them. */
  #turn(row: number, gaps: number, spans: UidSet, size: number, take: Take, isFull: () => boolean): UidSet {
    const behind = (columns: AllColumns, count: number): UidSet =>
      common(spans, [{ first: columns.uids[count] as number, last: LAST_UID }])
    const few = apartFrom(spans, size)
    if (few.length > 0) {
      const columns = this.#entries.each(row, few.flatMap(numbersOf))
      const count = take(columns, true)
      return count < columns.uids.length ? behind(columns, count) : spans.slice(few.length)
    }
    let at = 0
    for (let left = size; left > 0 && at < spans.length && at < MOST_RANGES && !isFull(); at++) {
      const { first, last } = spans[at] as UidRange
      const columns = this.#entries.all(row, first, last, left, gaps)
      const count = take(columns, false)
      if (count < columns.uids.length) return behind(columns, count)
      left -= columns.uids.length
      if (left === 0) return [{ first: (columns.uids.at(-1) as number) + 1, last }, ...spans.slice(at + 1)].filter(isNotEmpty)
    }
    return spans.slice(at)
  }

  /** The UIDs that may be meant: where something was appended or changed after `since`. */
  #candidates(row: number, uids: UidSet, since: number): UidSet {
    const box = this.#mailbox.get(row)
    if (!box) return []
    const uidNext = box['uid_next'] as number
    const there = uidNext > 1 ? common(uids, [{ first: 1, last: uidNext - 1 }]) : []
    if (since === 0) return there
    const blocks = this.#blocksSince.all(row, since).map((found) => ({ first: (found['block'] as number) * 256 }))
    const changed = blocks.map(({ first }) => ({ first, last: first + 255 }))
    const appended = { first: this.#entries.lastUntil(row, since, uidNext) + 1, last: LAST_UID }
    return common(there, setOf([...changed, appended]))
  }

  /** Reads at one moment, whatever other processes write. */
  #snapshot<T>(queries: () => T): T {
    return this.#read(() => {
      this.#begin.run()
      try {
        const found = queries()
        this.#end.run()
        return found
      } catch (error) {
        this.#giveUp()
        throw error
      }
    })
  }

  #giveUp(): void {
    try {
      this.#rollback.run()
    } catch {
      // SQLite has ended it already.
    }
  }
}

/** Entries that were read together, and which of them are meant. */
interface Piece {
  readonly columns: AllColumns
  readonly chosen: readonly number[]
  /** Of all of them, where they are wanted. */
  readonly facts: readonly string[]
}

/*
 * Loops over thousands of messages stand outside of generators, which are dear to compile with all that is called in them, and
 * half of what the first command of a process costs is the compiling of code.
 */

/** The indexes below `count` of those that are asked for. */
function chosenIn({ uids, modSeqs }: AllColumns, count: number, has: (uid: number) => boolean, since: number): number[] {
  const chosen: number[] = []
  for (let index = 0; index < count; index++) {
    if (has(uids[index] as number) && (modSeqs[index] as number) > since) chosen.push(index)
  }
  return chosen
}

function charactersIn(lines: readonly string[]): number {
  let sum = 0
  for (const { length } of lines) sum += length
  return sum
}

function entriesIn(pieces: readonly Piece[]): Entry[] {
  const page: Entry[] = []
  for (const { columns, chosen } of pieces) for (const index of chosen) page.push(entryAt(columns, index))
  return page
}

function messagesIn(pieces: readonly Piece[], mailbox: MailboxId): StoredMessage[] {
  const page: StoredMessage[] = []
  for (const { columns, chosen, facts } of pieces) {
    for (const index of chosen) page.push(storedAt(columns, index, mailbox, unpackFacts(facts[index] as string)))
  }
  return page
}

/** Takes entries that were read together, and gives how many it has taken; `apart` as {@link Beside} has it. */
type Take = (columns: AllColumns, apart: boolean) => number

/** What is read beside entries, or beside the first of them; `apart`: their UIDs are far from each other. */
type Beside = (uids: readonly number[], gaps: number, apart: boolean) => readonly string[] | undefined

const nothing: Beside = () => undefined

/** Spans that are looked up together, from how many on, and how long each may be: one after the other they cost a query each. */
const LEAST_APART = 4
const MOST_APART = 32

/** The spans at the beginning that are better looked up together; none where they are few or long. */
function apartFrom(spans: UidSet, size: number): UidSet {
  let count = 0
  for (let left = size; count < spans.length; count++) {
    const { first, last } = spans[count] as UidRange
    left -= last - first + 1
    if (last - first >= MOST_APART || left < 0) break
  }
  return count < LEAST_APART ? [] : spans.slice(0, count)
}

function numbersOf({ first, last }: UidRange): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at)
}

function isNotEmpty({ first, last }: UidRange): boolean {
  return first <= last
}

type Appended = Pick<Mark, 'uid' | 'modSeq'>

/** How many UIDs are no longer in the mailbox. */
function gapsIn(box: Row): number {
  return (box['uid_next'] as number) - (box['messages'] as number)
}

function expungeOf(row: Row): Expunge {
  return { modSeq: row['mod_seq'] as number, uids: unpackUids(bytesIn(row, 'uids')) }
}
