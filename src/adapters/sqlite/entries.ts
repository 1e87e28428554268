import type { MailboxId, UidSet } from '../../contracts/mailbox.ts'
import type { Entry, StoredMessage } from '../../contracts/store.ts'
import type { MessageFacts } from '../../message/facts.ts'
import { bytesIn, type Connection, type Row, type Statement } from './driver.ts'
import { FactLines, PAGE_WITH_FACTS } from './fact-lines.ts'
import { type Mark, unpackMarks, blockOf } from './flag-block.ts'
import { type FlagSet, flagSet } from './flags.ts'
import { bridged, LAST_UID, membership } from './uid-set.ts'

/** Entries that are read at a time: about a millisecond of the event loop. */
export const PAGE = 2000

/** Whole pages of entries that are remembered: some 8 MB. */
const MOST_PAGES = 64

/** Entries of one mailbox by ascending UID, a column an array. */
export interface Columns {
  readonly uids: number[]
  readonly modSeqs: number[]
  readonly sets: FlagSet[]
  readonly octets: number[]
}

/** The same with all that an entry has. */
export interface AllColumns extends Columns {
  readonly messages: number[]
  readonly received: number[]
  readonly saved: number[]
}

/** A whole page as it was appended, and how many UIDs were no longer in the mailbox when it was read. */
interface Remembered {
  readonly gaps: number
  readonly columns: AllColumns
}

/**
 * Entries as they stand, with the flags that were changed since they were appended.
 *
 * They come as columns, each one text that SQLite puts together and `JSON.parse` takes apart: a third of what rows cost with any
 * driver, which make an object and seven values for each.
 *
 * Whole pages are remembered as they were appended, for nothing of that changes, whoever writes, until something is expunged; and
 * that shows in the number of UIDs that are gone (`uidNext` less `messages`), which only grows. They are remembered only of
 * what is committed: after a rollback the same number could stand for other ones.
 */
export class Entries {
  /** What the messages say. */
  readonly facts: FactLines
  readonly #all: Statement
  readonly #some: Statement
  readonly #each: Statement
  readonly #marks: Statement
  readonly #modSeqFrom: Statement
  readonly #pages = new Map<string, Remembered>()

  constructor(db: Connection) {
    this.facts = new FactLines(db)
    const some = 'group_concat(uid) AS uids, group_concat(mod_seq - uid) AS mod_seqs, group_concat(flags, char(10)) AS flags,'
      + ' group_concat(octets) AS octets'
    const all = `${some}, group_concat(message - uid) AS messages, group_concat(received) AS received,`
      + ' group_concat(saved - received) AS saved'
    const from = 'FROM (SELECT * FROM entries WHERE mailbox = ? AND uid >= ? AND uid <= ? ORDER BY uid LIMIT +?)'
    this.#some = db.prepare(`SELECT ${some} ${from}`)
    this.#all = db.prepare(`SELECT ${all} ${from}`)
    this.#each = db.prepare(`SELECT ${all} FROM (SELECT e.* FROM json_each(?) AS wanted`
      + ' CROSS JOIN entries AS e ON e.mailbox = ? AND e.uid = wanted.value)')
    this.#marks = db.prepare('SELECT block, mod_seq, data FROM flag_blocks WHERE mailbox = ? AND block >= ? AND block <= ?')
    this.#modSeqFrom = db.prepare('SELECT uid, mod_seq FROM entries WHERE mailbox = ? AND uid >= ? ORDER BY uid LIMIT 1')
  }

  /** What is needed to count and to flag, of the UIDs from `first` to `last` that are there, `most` of them. */
  some(mailbox: number, first: number, last: number, most: number): Columns {
    return this.#marked(mailbox, columnsOf(this.#some.get(mailbox, first, last, most)))
  }

  /**
   * All there is to know, of the UIDs from `first` to `last` that are there, `most` of them. `gaps` is the number of UIDs that
   * are no longer in the mailbox, at a moment that is committed.
   */
  all(mailbox: number, first: number, last: number, most: number, gaps: number): AllColumns {
    const known = this.#known(mailbox, first, last, most, gaps)
    if (known) return this.#marked(mailbox, known)
    const columns = allColumnsOf(this.#all.get(mailbox, first, last, most))
    if (isPage(most) && columns.uids.length === most) this.#remember(mailbox, first, gaps, columns)
    return this.#marked(mailbox, columns)
  }

  /** All there is to know of those of the UIDs, which ascend, that are there: for UIDs that are far from each other. */
  each(mailbox: number, uids: readonly number[]): AllColumns {
    return this.#marked(mailbox, allColumnsOf(this.#each.get(JSON.stringify(uids), mailbox)))
  }

  /** What is needed to count and to flag, of those in the set that are there. `gaps` as they are at this moment. */
  inSet(mailbox: number, uids: UidSet, gaps: number): Columns {
    const found: Columns = { uids: [], modSeqs: [], sets: [], octets: [] }
    const has = membership(uids)
    for (const { first, last } of bridged(uids)) {
      for (let from = first, isFull = true; isFull;) {
        const known = this.#known(mailbox, from, last, PAGE, gaps)
        const page = known ? this.#marked(mailbox, known) : this.some(mailbox, from, last, PAGE)
        const { uids: there, modSeqs, sets, octets } = page
        for (let i = 0; i < there.length; i++) {
          if (!has(there[i] as number)) continue
          found.uids.push(there[i] as number)
          found.modSeqs.push(modSeqs[i] as number)
          found.sets.push(sets[i] as FlagSet)
          found.octets.push(octets[i] as number)
        }
        isFull = there.length === PAGE
        from = (there.at(-1) ?? 0) + 1
      }
    }
    return found
  }

  /** The marks of the blocks from one to another, by ascending UID. */
  marks(mailbox: number, first: number, last: number): Mark[] {
    const marks: Mark[] = []
    for (const row of this.#marks.all(mailbox, first, last)) for (const mark of marksOf(row)) marks.push(mark)
    return marks
  }

  /**
   * A UID below every entry that was appended after `since`, and not below any other. UIDs and mod-sequences of appends ascend
   * together, so it is searched for from the end, in steps that grow, and then by halves: a look or two where little is new, some
   * twenty or thirty in a mailbox of a million.
   */
  lastUntil(mailbox: number, since: number, uidNext: number): number {
    let [low, high] = [0, Math.min(LAST_UID, uidNext - 1)]
    for (let step = 1; low < high; step *= 4) {
      const middle = low > 0 ? Math.floor((low + high + 1) / 2) : Math.max(1, high - step + 1)
      const found = this.#modSeqFrom.get(mailbox, middle)
      if (found && (found['mod_seq'] as number) <= since) low = found['uid'] as number
      else high = middle - 1
    }
    return low
  }

  /** Forgets what was remembered: `messages` was wrong, and so were the gaps. */
  forget(): void {
    this.#pages.clear()
    this.facts.forget()
  }

  #known(mailbox: number, first: number, last: number, most: number, gaps: number): AllColumns | undefined {
    const known = isPage(most) ? this.#pages.get(`${mailbox}:${first}:${most}`) : undefined
    return known?.gaps === gaps && (known.columns.uids.at(-1) as number) <= last ? known.columns : undefined
  }

  #remember(mailbox: number, first: number, gaps: number, columns: AllColumns): void {
    const key = `${mailbox}:${first}:${columns.uids.length}`
    this.#pages.delete(key)
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size < MOST_PAGES) break
      this.#pages.delete(oldest)
    }
    this.#pages.set(key, { gaps, columns })
  }

  /** The same with the flags that were changed. */
  #marked<C extends Columns>(mailbox: number, columns: C): C {
    const { uids } = columns
    if (uids.length === 0) return columns
    const marks = this.marks(mailbox, blockOf(uids[0] as number), blockOf(uids.at(-1) as number))
    if (marks.length === 0) return columns
    const [modSeqs, sets] = [[...columns.modSeqs], [...columns.sets]]
    for (let [i, j] = [0, 0]; i < uids.length && j < marks.length;) {
      const mark = marks[j] as Mark
      if (mark.uid < (uids[i] as number)) {
        j++
        continue
      }
      if (mark.uid === uids[i]) {
        modSeqs[i] = mark.modSeq
        sets[i] = mark.set
        j++
      }
      i++
    }
    return { ...columns, modSeqs, sets }
  }
}

function isPage(most: number): boolean {
  return most === PAGE || most === PAGE_WITH_FACTS
}

function columnsOf(row: Row | undefined): Columns {
  const uids = numbers(row, 'uids')
  if (uids.length === 0) return { uids, modSeqs: [], sets: [], octets: [] }
  const modSeqs = numbers(row, 'mod_seqs')
  for (let i = 0; i < uids.length; i++) modSeqs[i]! += uids[i]!
  return { uids, modSeqs, sets: setsOf(row?.['flags'] as string), octets: numbers(row, 'octets') }
}

function allColumnsOf(row: Row | undefined): AllColumns {
  const { uids, modSeqs, sets, octets } = columnsOf(row)
  const [messages, received, saved] = [numbers(row, 'messages'), numbers(row, 'received'), numbers(row, 'saved')]
  for (let i = 0; i < uids.length; i++) {
    messages[i]! += uids[i]!
    saved[i]! += received[i]!
  }
  return { uids, modSeqs, sets, octets, messages, received, saved }
}

/** The marks that a row of `flag_blocks` holds. */
export function marksOf(row: Row, since = 0): Mark[] {
  return unpackMarks(bytesIn(row, 'data'), row['block'] as number, row['mod_seq'] as number, since)
}

/** The entry at an index. */
export function entryAt(columns: AllColumns, index: number): Entry {
  return {
    id: String(columns.messages[index]),
    uid: columns.uids[index] as number,
    modSeq: columns.modSeqs[index] as number,
    received: columns.received[index] as number,
    saved: columns.saved[index] as number,
    flags: (columns.sets[index] as FlagSet).flags,
    octets: columns.octets[index] as number,
  }
}

/** The same with what the message says. */
export function storedAt(columns: AllColumns, index: number, mailbox: MailboxId, facts: MessageFacts): StoredMessage {
  return {
    id: String(columns.messages[index]),
    uid: columns.uids[index] as number,
    modSeq: columns.modSeqs[index] as number,
    received: columns.received[index] as number,
    saved: columns.saved[index] as number,
    flags: (columns.sets[index] as FlagSet).flags,
    octets: columns.octets[index] as number,
    mailbox,
    facts,
  }
}

function numbers(row: Row | undefined, column: string): number[] {
  const text = row?.[column]
  return typeof text === 'string' ? JSON.parse(`[${text}]`) as number[] : []
}

function setsOf(text: string): FlagSet[] {
  const sets: FlagSet[] = []
  let last = flagSet('')
  for (let from = 0; from <= text.length;) {
    const newline = text.indexOf('\n', from)
    const end = newline < 0 ? text.length : newline
    // Neighbours are often alike: then nothing is cut out and looked up.
    if (end - from !== last.text.length || !text.startsWith(last.text, from)) last = flagSet(text.substring(from, end))
    sets.push(last)
    from = end + 1
  }
  return sets
}
