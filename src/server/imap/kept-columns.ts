import type { MailStore } from '../../contracts/store.ts'
import { type NumberSet, within } from '../../protocol/bytes/number-set.ts'
import { type Column, type ColumnKind, columnOf, type ColumnsPage, type ColumnsQuestion } from '../../protocol/imap/index.ts'

/** Octets of memory that columns take, all together. */
const MOST_KEPT = 32 * 1024 * 1024

/** Messages in a column that are too few to leave it as it is when more have come behind them. */
const FEW = 250

/** Questions that an index answers for less, after which it is cheaper to make what answers them for nothing. */
const MOST_MISSES = 2

/** Mailboxes, a kind each, of which anything is remembered. */
const MOST_ROWS = 4096

const LAST_UID = 0xffffffff

type Wanted = Omit<ColumnsQuestion, 'kind' | 'id'>

/** A column, and the UIDs of which it tells all. */
interface Page {
  readonly from: number
  readonly to: number
  readonly column: Column
  /** The store gives no more at a time. */
  isFull: boolean
}

/** What is kept of a mailbox, of one kind. */
interface Row {
  /** Ascending; they do not overlap. */
  readonly pages: readonly Page[]
  readonly weight: number
  /** How often all of it was asked for, if at hand, and was not. */
  misses: number
  /** The mailbox is too large: not all of it can be kept. */
  isLarge: boolean
}

const NOTHING: Row = { pages: [], weight: 0, misses: 0, isLarge: false }

/**
 * Makes what sessions look at of messages, and keeps it for all of them. It is never wrong: which message a UID means under one
 * UIDVALIDITY, and what that says, does not change. What is expunged is told of as long as its page is kept, and left out by
 * whoever asks.
 */
export class KeptColumns {
  private readonly store: MailStore
  /** The one that was asked for last is the last. */
  private readonly rows = new Map<string, Row>()
  private readonly most: number
  private weight = 0

  /** `most`: octets of memory that they take all together, and half of it those of one kind and one mailbox. */
  constructor(store: MailStore, most = MOST_KEPT) {
    this.store = store
    this.most = most
  }

  /** Octets of memory that they take, about. */
  get octets(): number {
    return this.weight
  }

  /** What is kept of the first UIDs that are asked for, or else one page that is made now. */
  async columns({ mailbox, uidValidity, of, uids, atHand }: Wanted): Promise<ColumnsPage | null> {
    const key = `${of} ${uidValidity} ${mailbox}`
    const row = this.rows.get(key)
    const pages: Page[] = []
    let left = uids
    for (let page = pageOf(row, left); page; page = pageOf(row, left)) {
      pages.push(page)
      left = within(left, page.to + 1, LAST_UID)
    }
    if (row) this.used(key, row)
    if (left.length === 0) return { columns: pages.map(columnIn), last: true }
    if (atHand) return this.missed(key) ? { columns: [], last: false } : null
    // What was the end of the mailbox goes on: or else each message that comes would make a page of its own.
    const end = pages[pages.length - 1]
    const goesOn = end !== undefined && !end.isFull && end.column.uids.length < FEW ? pages.pop() : undefined
    if (pages.length > 0) return { columns: pages.map(columnIn), last: false }
    const wanted = left[0]!.first
    let page = await this.make(mailbox, of, goesOn?.from ?? wanted)
    if (goesOn && (!page || page.to < wanted)) {
      // The store has no longer pages, or what was asked for is gone.
      page = await this.make(mailbox, of, wanted)
      goesOn.isFull = page !== undefined
      if (page) this.keep(key, page)
      return { columns: [goesOn.column], last: page === undefined }
    }
    if (!page) return { columns: [], last: true }
    this.keep(key, page)
    return { columns: [page.column], last: within(left, page.to + 1, LAST_UID).length === 0 }
  }

  /** A page from a UID on; nothing where no message is left. */
  private async make(mailbox: string, of: ColumnKind, from: number): Promise<Page | undefined> {
    for await (const messages of this.store.list(mailbox, { uids: [{ first: from, last: LAST_UID }] })) {
      return { from, to: messages[messages.length - 1]!.uid, column: columnOf(of, messages), isFull: false }
    }
    return undefined
  }

  /** Notes that not all was at hand. Gives whether that was so often enough. */
  private missed(key: string): boolean {
    const row = this.rows.get(key) ?? { ...NOTHING }
    row.misses++
    this.put(key, row)
    return row.misses > MOST_MISSES && !row.isLarge
  }

  private keep(key: string, page: Page): void {
    const row = this.rows.get(key) ?? NOTHING
    // It takes the place of those that it tells of as well: it is as long, or goes on further.
    const others = row.pages.filter(({ from, to }) => to < page.from || from > page.to)
    const weight = others.reduce((sum, { column }) => sum + column.weight, page.column.weight)
    // The rest of a large mailbox is made anew each time.
    if (weight > this.most / 2) return this.put(key, { ...row, isLarge: true })
    const at = others.findIndex(({ from }) => from > page.from)
    others.splice(at < 0 ? others.length : at, 0, page)
    this.put(key, { ...row, pages: others, weight })
  }

  private put(key: string, row: Row): void {
    this.forget(key)
    this.rows.set(key, row)
    this.weight += row.weight
    for (const oldest of this.rows.keys()) {
      if (this.weight <= this.most && this.rows.size <= MOST_ROWS) break
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

const columnIn = ({ column }: Page): Column => column

/** The page that tells of the first of the UIDs. */
function pageOf(row: Row | undefined, uids: NumberSet): Page | undefined {
  const first = uids[0]?.first
  if (row === undefined || first === undefined) return undefined
  const { pages } = row
  let low = 0
  let high = pages.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (pages[middle]!.to < first) low = middle + 1
    else high = middle
  }
  const page = pages[low]
  return page !== undefined && page.from <= first ? page : undefined
}
