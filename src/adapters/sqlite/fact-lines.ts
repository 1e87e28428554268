import { pageOfFacts } from '../../contracts/page-of-facts.ts'
import type { Connection, Row, Statement } from './driver.ts'

/** Entries that are read at a time where facts are read with them, half a megabyte: about a millisecond of the event loop. */
export const PAGE_WITH_FACTS = 500

/**
 * Octets of facts that are put into one text, those of a single message aside. V8 keeps a string of more than 128 KB in pages of
 * its own, which it asks the system for and gives back each time, as SQLite does with what it puts together: that costs more than
 * more queries.
 */
const TEXT = 96 * 1024

/** Characters of facts that are remembered: what ten thousand messages say. */
const MOST_HELD = 16 * 1024 * 1024

/** What the messages of a page say, and how many UIDs were no longer in the mailbox when it was read. */
interface Remembered {
  readonly gaps: number
  readonly last: number
  readonly length: number
  readonly lines: readonly string[]
}

/**
 * What messages say, as it is kept: a line each. Whole pages are remembered, for as long as nothing is expunged: facts never
 * change.
 */
export class FactLines {
  readonly #lines: Statement
  readonly #each: Statement
  readonly #lengths: Statement
  readonly #eachLength: Statement
  readonly #pages = new Map<string, Remembered>()
  #held = 0

  constructor(db: Connection) {
    const between = 'FROM entries AS e LEFT JOIN messages AS m ON m.id = e.message'
      + ' WHERE e.mailbox = ? AND e.uid >= ? AND e.uid <= ? ORDER BY e.uid'
    const each = 'FROM json_each(?) AS wanted CROSS JOIN entries AS e ON e.mailbox = ? AND e.uid = wanted.value'
      + ' LEFT JOIN messages AS m ON m.id = e.message'
    // One text for many, and so one string: the lines are cut out of it without being copied.
    const lines = "SELECT group_concat(facts, char(10)) AS lines FROM (SELECT ifnull(m.facts, 'null') AS facts"
    this.#lines = db.prepare(`${lines} ${between})`)
    this.#each = db.prepare(`${lines} ${each})`)
    // Told without reading them.
    const lengths = 'SELECT group_concat(octets) AS lengths FROM (SELECT ifnull(octet_length(m.facts), 4) AS octets'
    this.#lengths = db.prepare(`${lengths} ${between})`)
    this.#eachLength = db.prepare(`${lengths} ${each})`)
  }

  /** The lines of the first of UIDs that are there, which ascend and may be far from each other: as many as a page may have. */
  ofEach(mailbox: number, uids: readonly number[]): readonly string[] {
    const textOf = (from: number, to: number) => this.#each.get(JSON.stringify(uids.slice(from, to)), mailbox)
    return linesOf(this.#eachLength.get(JSON.stringify(uids), mailbox), textOf)
  }

  /** The same of UIDs that are there and that are all between the first and the last of them. `gaps` as the entries have them. */
  of(mailbox: number, uids: readonly number[], gaps: number): readonly string[] {
    const [first, last] = [uids[0] as number, uids.at(-1) as number]
    const key = `${mailbox}:${first}`
    const known = this.#pages.get(key)
    if (known && known.gaps === gaps && known.last === last) return known.lines
    const textOf = (from: number, to: number) => this.#lines.get(mailbox, uids[from] as number, uids[to - 1] as number)
    const lines = linesOf(this.#lengths.get(mailbox, first, last), textOf)
    if (lines.length === PAGE_WITH_FACTS) {
      this.#remember(key, { gaps, last, length: lines.reduce((sum, line) => sum + line.length, 0), lines })
    }
    return lines
  }

  /** Forgets what was remembered: `messages` was wrong, and so were the gaps. */
  forget(): void {
    this.#pages.clear()
    this.#held = 0
  }

  #remember(key: string, page: Remembered): void {
    this.#drop(key)
    for (const oldest of this.#pages.keys()) {
      if (this.#held + page.length <= MOST_HELD) break
      this.#drop(oldest)
    }
    if (page.length > MOST_HELD) return
    this.#pages.set(key, page)
    this.#held += page.length
  }

  #drop(key: string): void {
    this.#held -= this.#pages.get(key)?.length ?? 0
    this.#pages.delete(key)
  }
}

/** As many lines as a page may have, of a row with the lengths of all: of `textOf`, which reads from one to before another. */
function linesOf(row: Row | undefined, textOf: (from: number, to: number) => Row | undefined): string[] {
  const lengths = JSON.parse(`[${row?.['lengths'] as string}]`) as number[]
  const count = pageOfFacts(lengths)
  const lines: string[] = []
  for (let from = 0; from < count;) {
    let to = from + 1
    for (let octets = lengths[from] as number; to < count && (octets += lengths[to] as number) <= TEXT;) to++
    for (const line of (textOf(from, to)?.['lines'] as string).split('\n')) lines.push(line)
    from = to
  }
  return lines
}
