import { type EventGroup, eventsFor } from '../event-groups.ts'
import type { Mailboxes } from '../events.ts'
import { type HierarchyName, hierarchyOf } from '../hierarchy.ts'
import type { ImapMailbox } from '../mailbox.ts'
import { DELIMITER, isBelow, samePath } from '../mailbox-name.ts'
import { flow, type Run } from '../run.ts'
import { written } from './commands/list.ts'
import type { ImapContext } from './context.ts'
import { sayName } from './name-line.ts'
import type { KnownMailbox, Notified } from './notified.ts'

/** Renames of one look that are told as such; more are told as names that are gone and names that have come. */
const MOST_RENAMES = 16

/** What names are looked at for. */
type Box = Pick<KnownMailbox, 'id' | 'path' | 'use'>
type Name = HierarchyName<Box>
type Names = ReadonlyMap<string, Name>

/**
 * Tells which names have come, gone or changed, and which are subscribed to (RFC 5465 §5.4, §5.5). What the client knows of
 * names is what there is, from then on.
 */
export function* tellNames(context: ImapContext, notify: Notified, all: Mailboxes): Run<void> {
  const { groups } = notify.wanted
  if (isSame(notify, all)) return
  const before = namesOf(notify.known.values(), notify.subscribed.values())
  const now = namesOf(all.mailboxes.map(({ id, path, use }) => ({ id, path, use })), all.subscribed)
  const told = yield* tellRenames(context, notify, all, now)
  const expected = told.size === 0 ? before : namesOf(notify.known.values(), notify.subscribed.values())
  // §5.4: what is above a name that has come or gone is affected too.
  const affected = new Set<string>()
  for (const name of [...expected.values(), ...now.values()]) {
    if (name.path.length < 2 || expected.get(name.text)?.mailbox?.id === now.get(name.text)?.mailbox?.id) continue
    affected.add(name.path.slice(0, -1).join(DELIMITER))
  }
  notify.subscribed = new Map(all.subscribed.map((path) => [path.join(DELIMITER), path]))
  for (const name of together(before, expected, now)) {
    const { text } = name
    const is = now.get(text)
    const was = expected.get(text)
    const named = affected.has(text) || said(was) !== said(is) || isAffected(before.get(text), was, is)
    const wants = wanted(groups, name, was?.subscribed === true || is?.subscribed === true)
    const subscribed = was?.subscribed !== is?.subscribed
    if (told.has(text) || !((named && wants.names) || (subscribed && wants.subscriptions))) continue
    sayName(context, is ?? { ...name, mailbox: undefined, hasChildren: false, subscribed: false }, undefined)
    yield* flow(context)
  }
}

/** Tells of mailboxes that have another name, as far as a client that changes one name after the other ends with these. */
function* tellRenames(context: ImapContext, notify: Notified, all: Mailboxes, now: Names): Run<ReadonlySet<string>> {
  const told = new Set<string>()
  const moves = movesOf(notify.known.values(), all.mailboxes)
  if (moves.length > MOST_RENAMES || moves.some((one) => moves.some((other) => isEntangled(one, other)))) return told
  for (const { from, to } of moves) {
    const name = now.get(to.join(DELIMITER))!
    if (!wanted(notify.wanted.groups, name, name.subscribed).names) continue
    notify.rename(from, to)
    told.add(name.text)
    sayName(context, name, written(context, from))
    yield* flow(context)
  }
  return told
}

interface Move {
  readonly from: readonly string[]
  readonly to: readonly string[]
}

/** Mailboxes that have other names than they had, without those that have gone along with one above them. */
function movesOf(known: Iterable<KnownMailbox>, mailboxes: readonly ImapMailbox[]): readonly Move[] {
  const paths = new Map(mailboxes.map(({ id, path }) => [id, path]))
  const moves: Move[] = []
  const targets = new Map<string, readonly string[]>()
  const sorted = [...known].sort((a, b) => a.path.length - b.path.length)
  for (const { id, path: from } of sorted) {
    const to = paths.get(id)
    if (to === undefined || samePath(from, to)) continue
    targets.set(from.join(DELIMITER), to)
    if (!isCarried(from, to, targets)) moves.push({ from, to })
  }
  return moves
}

/** RFC 5465 §5.4: nothing is said of what lies below. */
function isCarried(from: readonly string[], to: readonly string[], targets: ReadonlyMap<string, readonly string[]>): boolean {
  for (let levels = from.length - 1; levels > 0; levels--) {
    const top = targets.get(from.slice(0, levels).join(DELIMITER))
    if (top && samePath([...top, ...from.slice(levels)], to)) return true
  }
  return false
}

/** Whether it matters which of two renames comes first; or one went by a way that does not show. */
function isEntangled(one: Move, other: Move): boolean {
  if (one === other) return isBelow(one.to, one.from)
  const touches = (a: readonly string[], b: readonly string[]): boolean => samePath(a, b) || isBelow(a, b) || isBelow(b, a)
  return touches(one.from, other.from) || touches(one.from, other.to) || touches(one.to, other.to)
}

function isSame({ known, subscribed }: Notified, all: Mailboxes): boolean {
  return known.size === all.mailboxes.length && subscribed.size === all.subscribed.length
    && all.mailboxes.every(({ id, path, use }) => {
      const one = known.get(path.join(DELIMITER))
      return one?.id === id && one.use === use
    })
    && all.subscribed.every((path) => subscribed.has(path.join(DELIMITER)))
}

function namesOf(mailboxes: Iterable<Box>, subscribed: Iterable<readonly string[]>): Names {
  return new Map(hierarchyOf([...mailboxes], [...subscribed]).map((name) => [name.text, name]))
}

/** All names, those that are gone before those that are there. */
function* together(before: Names, expected: Names, now: Names): Generator<Name> {
  for (const name of before.values()) if (!expected.has(name.text) && !now.has(name.text)) yield name
  for (const name of expected.values()) if (!now.has(name.text)) yield name
  yield* now.values()
}

/** What LIST says of a name, subscriptions aside. */
const said = (name: Name | undefined): string =>
  name === undefined ? 'false false' : `${name.mailbox !== undefined} ${name.hasChildren} ${name.mailbox?.use ?? ''}`

/** Whether a name that no rename was about is different from what it was before the renames: by what was renamed below it. */
const isAffected = (before: Name | undefined, expected: Name | undefined, is: Name | undefined): boolean =>
  before?.mailbox?.id === expected?.mailbox?.id && said(before) !== said(is)

const wanted = (groups: readonly EventGroup[], { path, mailbox }: Name, subscribed: boolean) =>
  eventsFor(groups, { path, use: mailbox?.use, subscribed })
