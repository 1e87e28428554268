import type { MailboxId, UidSet } from '../../contracts/mailbox.ts'
import type { Copied, FlagChange, Flagged, Room } from '../../contracts/store.ts'
import type { Appending } from './append.ts'
import type { Counters, Numbers, Tally } from './counters.ts'
import type { Connection, Statement } from './driver.ts'
import { type Columns, type Entries, marksOf } from './entries.ts'
import { Expunged } from './expunged.ts'
import { blockOf, highest, Mark, packMarks } from './flag-block.ts'
import { changing, type FlagSet } from './flags.ts'
import { type Placing, usedUp } from './placing.ts'
import { common, setOfAscending } from '../../protocol/bytes/number-set.ts'
import { LAST_UID, membership } from './uid-set.ts'

/** Messages that stand in a row, on average, from which on each row is copied by itself. */
const RUN = 8

/**
 * What happens to messages that are there, many at a time: each method is work inside a transaction, done with few statements
 * however many messages it is about.
 */
export class MessageWrites {
  readonly #appending: Appending
  readonly #counters: Counters
  readonly #entries: Entries
  readonly #expunged: Expunged
  readonly #block: Statement
  readonly #putBlock: Statement
  readonly #dropBlock: Statement
  readonly #copyRun: Statement
  readonly #copy: Statement
  readonly #share: Statement
  readonly #unshare: Statement
  readonly #delete: Statement

  constructor(db: Connection, appending: Appending, entries: Entries) {
    this.#appending = appending
    this.#counters = appending.counters
    this.#entries = entries
    this.#expunged = new Expunged(db)
    this.#block = db.prepare('SELECT block, mod_seq, data FROM flag_blocks WHERE mailbox = ? AND block = ?')
    this.#putBlock = db.prepare('INSERT INTO flag_blocks (mailbox, block, mod_seq, data) VALUES (?, ?, ?, ?)'
      + ' ON CONFLICT (mailbox, block) DO UPDATE SET mod_seq = excluded.mod_seq, data = excluded.data')
    this.#dropBlock = db.prepare('DELETE FROM flag_blocks WHERE mailbox = ? AND block = ?')
    const into = 'INSERT INTO entries (mailbox, uid, mod_seq, message, received, flags, saved, octets)'
    this.#copyRun = db.prepare(`${into} SELECT ?, uid + ?, uid + ?, message, received, flags, ?, octets FROM entries`
      + ' WHERE mailbox = ? AND uid >= ? AND uid <= ?')
    this.#copy = db.prepare(`${into} SELECT ?, ? + n, ? + n, message, received, flags, ?, octets FROM`
      + ' (SELECT *, row_number() OVER (ORDER BY uid) AS n FROM entries WHERE mailbox = ? AND uid >= ? AND uid <= ?)')
    const ofRange = 'FROM entries WHERE mailbox = ? AND uid >= ? AND uid <= ?'
    this.#share = db.prepare(`INSERT INTO shares (message, extra) SELECT message, 1 ${ofRange}`
      + ' ON CONFLICT (message) DO UPDATE SET extra = extra + 1')
    this.#unshare = db.prepare(`INSERT INTO shares (message, extra) SELECT message, -1 ${ofRange}`
      + ' ON CONFLICT (message) DO UPDATE SET extra = extra - 1')
    this.#delete = db.prepare(`DELETE ${ofRange}`)
  }

  flag(mailbox: MailboxId, uids: UidSet, change: FlagChange, unchangedSince = Infinity): Flagged {
    const numbers = this.#counters.existing(mailbox)
    const { uids: there, modSeqs, sets } = this.#entries.inSet(numbers.row, uids, numbers.uid - numbers.messages)
    const after = changing(change)
    const marks: Mark[] = []
    const modified: number[] = []
    for (let i = 0; i < there.length; i++) {
      const uid = there[i] as number
      if ((modSeqs[i] as number) > unchangedSince) {
        modified.push(uid)
        continue
      }
      const before = sets[i] as FlagSet
      const set = after(before)
      if (set === before) continue
      marks.push(new Mark(uid, ++numbers.modSeq, set))
      numbers.unseen += Number(before.seen) - Number(set.seen)
      numbers.deleted += Number(set.deleted) - Number(before.deleted)
    }
    this.#mark(numbers.row, marks)
    const changed = marks.map(({ uid, modSeq, set }) => ({ uid, modSeq, flags: set.flags }))
    return { changed, modified: setOfAscending(modified) }
  }

  expunge(mailbox: MailboxId, uids: UidSet): UidSet {
    const numbers = this.#counters.existing(mailbox)
    const found = this.#entries.inSet(numbers.row, uids, numbers.uid - numbers.messages)
    const ranges = within(uids, numbers)
    for (const { first, last } of ranges) this.#unshare.run(numbers.row, first, last)
    return this.#take(numbers, found, ranges)
  }

  /** Puts another message in the place of one; tells whether that one was there. */
  replace(mailbox: MailboxId, uid: number, by: Placing): boolean {
    const numbers = this.#counters.existing(mailbox)
    by.checkMailbox()
    const uids = [{ first: uid, last: uid }]
    const [octets] = this.#entries.inSet(numbers.row, uids, numbers.uid - numbers.messages).octets
    if (octets === undefined) return false
    by.check(undefined, octets)
    by.write()
    this.expunge(mailbox, uids)
    return true
  }

  copy(mailbox: MailboxId, uids: UidSet, to: MailboxId, { quota }: Room = {}): readonly Copied[] {
    const from = this.#counters.existing(mailbox)
    const target = this.#counters.existing(to)
    const found = this.#entries.inSet(from.row, uids, from.uid - from.messages)
    if (quota) this.#counters.check(target.account, found.uids.length, sum(found.octets), quota)
    if (target.uid + found.uids.length - 1 > LAST_UID) throw usedUp(to)
    const ranges = within(uids, from)
    for (const { first, last } of ranges) this.#share.run(from.row, first, last)
    return this.#put(from, found, ranges, target)
  }

  move(mailbox: MailboxId, uids: UidSet, to: MailboxId): readonly Copied[] {
    const from = this.#counters.existing(mailbox)
    const target = this.#counters.existing(to)
    const found = this.#entries.inSet(from.row, uids, from.uid - from.messages)
    if (target.uid + found.uids.length - 1 > LAST_UID) throw usedUp(to)
    const ranges = within(uids, from)
    const copied = this.#put(from, found, ranges, target)
    this.#take(from, found, ranges)
    return copied
  }

  /** Adds what was found in one mailbox to another, or to the same. */
  #put(from: Numbers, found: Columns, ranges: UidSet, target: Numbers): Copied[] {
    const { uids, sets } = found
    // Flags that were changed since the append are marks there too.
    const marked = this.#entries.marks(from.row, blockOf(uids[0] ?? 0), blockOf(uids.at(-1) ?? 0))
    const isMarked = membership(setOfAscending(marked.map(({ uid }) => uid)))
    const [firstUid, firstModSeq] = [target.uid, target.modSeq + 1]
    this.#copyEntries(from, uids, ranges, target)
    const marks: Mark[] = []
    uids.forEach((uid, i) => {
      if (isMarked(uid)) marks.push(new Mark(firstUid + i, firstModSeq + i, sets[i] as FlagSet))
    })
    this.#mark(target.row, marks)
    this.#counters.count(target, tallyOf(found, 1))
    return uids.map((uid, i) => ({ from: uid, to: firstUid + i }))
  }

  /** Copies entries as they were appended, and counts UIDs and mod-sequences of the target on. */
  #copyEntries(from: Numbers, uids: readonly number[], ranges: UidSet, target: Numbers): void {
    const saved = this.#appending.time
    const runs = setOfAscending(uids)
    // Where many stand in a row the new numbers are the old ones and so many; counting them out costs more than copying them.
    if (uids.length >= runs.length * RUN) {
      for (const { first, last } of runs) {
        this.#copyRun.run(target.row, target.uid - first, target.modSeq + 1 - first, saved, from.row, first, last)
        target.uid += last - first + 1
        target.modSeq += last - first + 1
      }
      return
    }
    for (const { first, last } of ranges) {
      const copied = Number(this.#copy.run(target.row, target.uid - 1, target.modSeq, saved, from.row, first, last).changes)
      target.uid += copied
      target.modSeq += copied
    }
  }

  /** Takes out of a mailbox what was found in these ranges. Gives its UIDs. */
  #take(numbers: Numbers, found: Columns, ranges: UidSet): UidSet {
    const gone = setOfAscending(found.uids)
    if (gone.length === 0) return gone
    for (const { first, last } of ranges) this.#delete.run(numbers.row, first, last)
    this.#unmark(numbers.row, found.uids)
    this.#counters.count(numbers, tallyOf(found, -1))
    this.#expunged.add(numbers.row, ++numbers.modSeq, gone)
    return gone
  }

  /** Puts marks, by ascending UID, over those that are there. */
  #mark(mailbox: number, marks: readonly Mark[]): void {
    for (let at = 0; at < marks.length;) {
      const block = blockOf((marks[at] as Mark).uid)
      const from = at
      while (at < marks.length && blockOf((marks[at] as Mark).uid) === block) at++
      const fresh = marks.slice(from, at)
      const row = this.#block.get(mailbox, block)
      this.#write(mailbox, block, row ? merged(marksOf(row), fresh) : fresh)
    }
  }

  /** Takes marks away of UIDs that ascend. */
  #unmark(mailbox: number, uids: readonly number[]): void {
    const gone = membership(setOfAscending(uids))
    for (const block of new Set(uids.map(blockOf))) {
      const row = this.#block.get(mailbox, block)
      if (!row) continue
      const before = marksOf(row)
      const left = before.filter(({ uid }) => !gone(uid))
      if (left.length < before.length) this.#write(mailbox, block, left)
    }
  }

  #write(mailbox: number, block: number, marks: readonly Mark[]): void {
    const modSeq = highest(marks)
    if (marks.length === 0) this.#dropBlock.run(mailbox, block)
    else this.#putBlock.run(mailbox, block, modSeq, packMarks(marks, modSeq))
  }
}

/** Marks of one block, the fresh ones instead of those that are there of the same UID. */
function merged(there: readonly Mark[], fresh: readonly Mark[]): Mark[] {
  const all: Mark[] = []
  let next = 0
  for (const mark of there) {
    while (next < fresh.length && (fresh[next] as Mark).uid < mark.uid) all.push(fresh[next++] as Mark)
    if (fresh[next]?.uid !== mark.uid) all.push(mark)
  }
  while (next < fresh.length) all.push(fresh[next++] as Mark)
  return all
}

/** The ranges as far as there may be messages in them now: what is added meanwhile is not among them. */
function within(uids: UidSet, { uid }: Numbers): UidSet {
  return uid > 1 ? common(uids, [{ first: 1, last: uid - 1 }]) : []
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0)
}

/** What they count in a mailbox, as so many more or (-1) fewer. */
function tallyOf({ uids, sets, octets }: Columns, by: 1 | -1): Tally {
  let [unseen, deleted] = [0, 0]
  for (const set of sets) {
    if (!set.seen) unseen += by
    if (set.deleted) deleted += by
  }
  return { messages: by * uids.length, unseen, deleted, octets: by * sum(octets) }
}
