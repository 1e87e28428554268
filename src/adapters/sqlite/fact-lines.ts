import type { Connection, Statement } from './driver.ts'

/** Entries that are read at a time where facts are read with them, half a megabyte: about a millisecond of the event loop. */
export const PAGE_WITH_FACTS = 500

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
  readonly #pages = new Map<string, Remembered>()
  #held = 0

  constructor(db: Connection) {
    // One text for a page, and so one string: the lines are cut out of it without being copied.
    this.#lines = db.prepare("SELECT group_concat(facts, char(10)) AS lines FROM (SELECT ifnull(m.facts, 'null') AS facts"
      + ' FROM entries AS e LEFT JOIN messages AS m ON m.id = e.message'
      + ' WHERE e.mailbox = ? AND e.uid >= ? AND e.uid <= ? ORDER BY e.uid)')
    this.#each = db.prepare("SELECT group_concat(facts, char(10)) AS lines FROM (SELECT ifnull(m.facts, 'null') AS facts"
      + ' FROM json_each(?) AS wanted CROSS JOIN entries AS e ON e.mailbox = ? AND e.uid = wanted.value'
      + ' LEFT JOIN messages AS m ON m.id = e.message)')
  }

  /** The lines of UIDs that are there, which ascend and may be far from each other. */
  ofEach(mailbox: number, uids: readonly number[]): readonly string[] {
    return (this.#each.get(JSON.stringify(uids), mailbox)?.['lines'] as string).split('\n')
  }

  /** The lines of UIDs that are there: all between the first and the last of them. `gaps` as the entries have them. */
  of(mailbox: number, uids: readonly number[], gaps: number): readonly string[] {
    const [first, last] = [uids[0] as number, uids.at(-1) as number]
    const key = `${mailbox}:${first}`
    const known = this.#pages.get(key)
    if (known && known.gaps === gaps && known.last === last) return known.lines
    const text = this.#lines.get(mailbox, first, last)?.['lines'] as string
    const lines = text.split('\n')
    if (uids.length === PAGE_WITH_FACTS) this.#remember(key, { gaps, last, length: text.length, lines })
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
