import type { MailStore } from '../../contracts/store.ts'
import { type NumberSet, within } from '../../protocol/bytes/number-set.ts'
import { type Column, type ColumnKind, columnOf, type ColumnsPage, type ColumnsQuestion } from '../../protocol/imap/index.ts'

/** Octets of memory that columns take, all together. */
const MOST_KEPT = 16 * 1024 * 1024

/** Octets that those of one kind and one mailbox take: the rest of a larger mailbox is made anew each time. */
const MOST_OF_ONE = MOST_KEPT / 2

/** Messages in a column that are too few to leave it as it is when more have come behind them. */
const FEW = 250

const LAST_UID = 0xffffffff

/** A column, and the UIDs of which it tells all. */
interface Page {
  readonly from: number
  readonly to: number
  readonly column: Column
}

/** What is kept of a mailbox, of one kind. */
interface Row {
  /** Ascending; they do not overlap. */
  readonly pages: Page[]
  weight: number
}

/**
 * Makes what sessions look at of messages, and keeps it for all of them. It is never wrong: which message a UID means, and what
 * that says, does not change. What is expunged is told of as long as its page is kept, and left out by whoever asks.
 */
export class KeptColumns {
  private readonly store: MailStore
  /** The one that was asked for last is the last. */
  private readonly rows = new Map<string, Row>()
  private weight = 0

  constructor(store: MailStore) {
    this.store = store
  }

  /** What is kept of the first UIDs that are asked for, or else one page that is made now. */
  async columns({ mailbox, of, uids, atHand }: Pick<ColumnsQuestion, 'mailbox' | 'of' | 'uids' | 'atHand'>): Promise<ColumnsPage | null> {
    const key = `${of} ${mailbox}`
    const row = this.rows.get(key)
    const columns: Column[] = []
    let left = uids
    for (let at = row ? pageAt(row.pages, left) : -1; at >= 0; at = pageAt(row!.pages, left)) {
      const { to, column } = row!.pages[at]!
      columns.push(column)
      left = within(left, to + 1, LAST_UID)
    }
    if (row) this.used(key, row)
    if (left.length === 0) return { columns, last: true }
    if (atHand) return null
    if (columns.length > 0) return { columns, last: false }
    const page = await this.make(mailbox, of, left)
    if (!page) return { columns, last: true }
    this.keep(key, page)
    return { columns: [page.column], last: within(left, page.to + 1, LAST_UID).length === 0 }
  }

  /** A page from the first of the UIDs on; nothing where no message is left. */
  private async make(mailbox: string, of: ColumnKind, uids: NumberSet): Promise<Page | undefined> {
    const { from, to } = roomFor(this.rows.get(`${of} ${mailbox}`)?.pages ?? [], uids[0]!.first)
    for await (const messages of this.store.list(mailbox, { uids: [{ first: from, last: to }] })) {
      return { from, to: messages[messages.length - 1]!.uid, column: columnOf(of, messages) }
    }
    return undefined
  }

  private keep(key: string, page: Page): void {
    const row = this.rows.get(key) ?? { pages: [], weight: 0 }
    // Another session may have made one meanwhile.
    const others = row.pages.filter(({ from, to }) => to < page.from || from > page.to)
    const weight = others.reduce((sum, { column }) => sum + column.weight, page.column.weight)
    if (weight > MOST_OF_ONE) return
    const at = others.findIndex(({ from }) => from > page.from)
    others.splice(at < 0 ? others.length : at, 0, page)
    this.forget(key)
    this.rows.set(key, { pages: others, weight })
    this.weight += weight
    for (const oldest of this.rows.keys()) {
      if (this.weight <= MOST_KEPT) break
      this.forget(oldest)
    }
  }

  private used(key: string, row: Row): void {
    this.rows.delete(key)
    this.rows.set(key, row)
  }

  private forget(key: string): void {
    this.weight -= this.rows.get(key)?.weight ?? 0
    this.rows.delete(key)
  }
}

/** The page that tells of the first of the UIDs, or -1. */
function pageAt(pages: readonly Page[], uids: NumberSet): number {
  const first = uids[0]?.first
  if (first === undefined) return -1
  let low = 0
  let high = pages.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (pages[middle]!.to < first) low = middle + 1
    else high = middle
  }
  return low < pages.length && pages[low]!.from <= first ? low : -1
}

/** From where a page may begin that is to tell of a UID, and where it is to end. */
function roomFor(pages: readonly Page[], uid: number): { readonly from: number; readonly to: number } {
  const after = pages.findIndex(({ from }) => from > uid)
  const before = pages[after < 0 ? pages.length - 1 : after - 1]
  const to = after < 0 ? LAST_UID : pages[after]!.from - 1
  // What was the end of the mailbox goes on: or else each message that comes would make a page of its own.
  const goesOn = before !== undefined && before.column.uids.length < FEW
  return { from: goesOn ? before.from : uid, to }
}
