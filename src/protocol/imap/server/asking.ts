import { type ColumnKind, columnOf, type Columns } from '../columns.ts'
import type { ImapEntry, ImapMessage } from '../mailbox.ts'
import { type NumberSet, sizeOf, within } from '../../bytes/number-set.ts'
import { ask, type Run } from '../run.ts'
import { Refused } from '../../session/refusal.ts'
import type { Selected } from './context.ts'

/** The greatest UID. */
const LAST_UID = 0xffffffff

/** Of a mailbox, as one in so many or fewer, messages are looked at by themselves: nothing is made that would be kept of all. */
const FEW = 20

/** Whether it is as well to look at the messages by themselves. */
export function isFew({ view }: Selected, uids: NumberSet): boolean {
  return sizeOf(uids) * FEW <= view.exists
}

/** Asks for messages without what they say, all of those that are there. */
export function* entries(mailbox: string, uids: NumberSet, take: (entry: ImapEntry) => void): Run<void> {
  for (let left = uids; left.length > 0;) {
    const { items, last } = yield* ask({ kind: 'entries', mailbox, uids: left, since: 0 })
    for (const item of items) take(item)
    left = last ? [] : behind(left, items[items.length - 1]?.uid)
  }
}

/** The same with what they say. */
export function* messages(mailbox: string, uids: NumberSet, take: (message: ImapMessage) => void): Run<void> {
  for (let left = uids; left.length > 0;) {
    const { items, last } = yield* ask({ kind: 'messages', mailbox, uids: left, since: 0 })
    for (const item of items) take(item)
    left = last ? [] : behind(left, items[items.length - 1]?.uid)
  }
}

/**
 * What a kind of column says of messages: of those that are there, and perhaps of others. `take` gets column after column, each
 * going on behind the one before, which it may tell of again.
 */
export function* columns<Kind extends ColumnKind>(
  selected: Selected,
  of: Kind,
  uids: NumberSet,
  take: (column: Columns[Kind]) => Run<void> | void,
): Run<void> {
  const { mailbox, uidValidity } = selected
  let left = uids
  for (let keeps = !isFew(selected, uids); left.length > 0;) {
    const page = keeps ? yield* ask({ kind: 'columns', mailbox, uidValidity, of, uids: left, atHand: false }) : null
    if (page === null) {
      keeps = false
      const { items, last } = yield* ask({ kind: 'messages', mailbox, uids: left, since: 0 })
      const more = take(columnOf(of, items))
      if (more) yield* more
      left = last ? [] : behind(left, items[items.length - 1]?.uid)
      continue
    }
    let uid: number | undefined
    for (const column of page.columns) {
      const more = take(column as Columns[Kind])
      if (more) yield* more
      uid = column.uids[column.uids.length - 1]
    }
    const rest = page.last ? [] : behind(left, uid)
    // A host that gives what was not asked for would be asked for ever.
    if (sizeOf(rest) === sizeOf(left)) throw new Refused('SERVERBUG', 'Nothing of what was asked for')
    left = rest
  }
}

/**
 * The same where the host has it of all of them at hand; `none`, and nothing told, where it has not; `wanted` where it wants to
 * have it made.
 */
export function* columnsAtHand<Kind extends ColumnKind>(
  { mailbox, uidValidity }: Selected,
  of: Kind,
  uids: NumberSet,
  take: (column: Columns[Kind]) => void,
): Run<'all' | 'none' | 'wanted'> {
  const page = yield* ask({ kind: 'columns', mailbox, uidValidity, of, uids, atHand: true })
  if (page === null) return 'none'
  if (!page.last) return 'wanted'
  for (const column of page.columns) take(column as Columns[Kind])
  return 'all'
}

/** What is left of a set behind a UID; nothing where there was none. */
const behind = (uids: NumberSet, uid: number | undefined): NumberSet =>
  uid === undefined ? [] : within(uids, uid + 1, LAST_UID)
