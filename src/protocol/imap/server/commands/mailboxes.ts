import type { ImapMailbox } from '../../mailbox.ts'
import { DELIMITER, isBelow, pathOf, samePath } from '../../mailbox-name.ts'
import { Malformed, type Reader } from '../../reader.ts'
import { ask, bad, no, ok, type Run } from '../../run.ts'
import { AUTHENTICATED, type Command, type ImapContext } from '../context.ts'
import { objectId } from '../object-id.ts'
import { leave } from './close.ts'

const uses: ReadonlyMap<string, string> = new Map(
  ['\\All', '\\Archive', '\\Drafts', '\\Flagged', '\\Junk', '\\Sent', '\\Trash'].map((use) => [use.toLowerCase(), use]),
)

const noName = no('That is no name for a mailbox', 'CANNOT')
const noMailbox = no('There is no such mailbox', 'NONEXISTENT')

const isInbox = (path: readonly string[]): boolean => path.length === 1 && path[0] === 'INBOX'

/** CREATE (RFC 9051 §6.3.4), for a special use where the host keeps those (RFC 6154 §3). */
export const create: Command = {
  name: 'CREATE',
  states: AUTHENTICATED,
  *run(context, reader) {
    reader.space()
    // A delimiter at the end announces mailboxes below it, and is no part of the name.
    const name = reader.astring()
    const path = pathOf(name.endsWith(DELIMITER) ? name.slice(0, -1) : name, context.nameForm)
    const use = reader.maybeSpace() ? readUse(reader) : undefined
    reader.end()
    if (use !== undefined && !context.config.abilities.specialUse) return bad('There are no special uses here')
    if (path === undefined) return noName
    const existing = yield* ask({ kind: 'mailbox', path })
    if (existing !== null) return no('There is such a mailbox', 'ALREADYEXISTS')
    const { id } = yield* createWithParents(path, use)
    return ok('Created', `MAILBOXID (${objectId('F', id)})`)
  },
}

function readUse(reader: Reader): string | undefined {
  let use: string | undefined
  reader.list(() => {
    if (reader.word() !== 'USE') throw new Malformed('USE is missing')
    reader.space()
    const given = reader.list(() => reader.flag(), true)
    if (given.length > 1) throw new Malformed('One use at a time')
    if (given.length === 0) return
    use = uses.get(given[0]!.toLowerCase())
    if (use === undefined) throw new Malformed('There is no such use')
  })
  return use
}

/** RFC 9051 §6.3.4: names above it are made as well. */
function* createWithParents(path: readonly string[], use: string | undefined): Run<ImapMailbox> {
  for (let levels = 1; levels < path.length; levels++) {
    const above = path.slice(0, levels)
    if ((yield* ask({ kind: 'mailbox', path: above })) === null) yield* ask({ kind: 'create', path: above, use: undefined })
  }
  return yield* ask({ kind: 'create', path, use })
}

/** DELETE (RFC 9051 §6.3.5): what lies below it stays (I39). */
export const remove: Command = {
  name: 'DELETE',
  states: AUTHENTICATED,
  *run(context, reader) {
    const path = readPath(context, reader)
    reader.end()
    if (path === undefined) return noMailbox
    if (isInbox(path)) return no('INBOX stays', 'CANNOT')
    const mailbox = yield* ask({ kind: 'mailbox', path })
    if (mailbox === null) {
      const { mailboxes } = yield* ask({ kind: 'mailboxes' })
      return mailboxes.some((one) => isBelow(one.path, path)) ? no('There are mailboxes below it', 'HASCHILDREN') : noMailbox
    }
    // Its own selection ends quietly; other sessions learn it when they ask (I25).
    if (context.selected?.mailbox === mailbox.id) leave(context, true)
    yield* ask({ kind: 'remove', mailbox: mailbox.id })
    return ok('Deleted')
  },
}

/** RENAME (RFC 9051 §6.3.6): with all that lies below it. */
export const rename: Command = {
  name: 'RENAME',
  states: AUTHENTICATED,
  *run(context, reader) {
    const from = readPath(context, reader)
    const to = readPath(context, reader)
    reader.end()
    if (from === undefined) return noMailbox
    if (to === undefined || isInbox(to)) return noName
    if (samePath(from, to) || isBelow(to, from)) return no('Not into itself', 'CANNOT')
    const { mailboxes } = yield* ask({ kind: 'mailboxes' })
    const source = mailboxes.find(({ path }) => samePath(path, from))
    if (mailboxes.some(({ path }) => samePath(path, to))) return no('There is such a mailbox', 'ALREADYEXISTS')
    if (source === undefined) return noMailbox
    for (let levels = 1; levels < to.length; levels++) {
      const above = to.slice(0, levels)
      if (!mailboxes.some(({ path }) => samePath(path, above))) yield* ask({ kind: 'create', path: above, use: undefined })
    }
    if (isInbox(from)) return yield* renameInbox(context, source, to)
    yield* ask({ kind: 'rename', mailbox: source.id, path: to })
    return ok('Renamed')
  },
}

/** RFC 9051 §6.3.6: its messages go, it stays, and so do those below it (I37). */
function* renameInbox(context: ImapContext, inbox: ImapMailbox, to: readonly string[]): Run {
  const target = yield* ask({ kind: 'create', path: to, use: undefined })
  const { uids } = yield* ask({ kind: 'open', mailbox: inbox.id, readOnly: true })
  if (uids.length > 0) yield* ask({ kind: 'copy', mailbox: inbox.id, uids, to: target.id, move: true })
  if (context.selected?.mailbox === inbox.id) context.selected.changed = true
  return ok('Renamed; INBOX is empty')
}

/** SUBSCRIBE (RFC 9051 §6.3.7). */
export const subscribe: Command = {
  name: 'SUBSCRIBE',
  states: AUTHENTICATED,
  *run(context, reader) {
    const path = readPath(context, reader)
    reader.end()
    const mailbox = path && (yield* ask({ kind: 'mailbox', path }))
    if (!path || !mailbox) return noMailbox
    yield* ask({ kind: 'subscribe', path, wanted: true })
    return ok('Subscribed')
  },
}

/** UNSUBSCRIBE (RFC 9051 §6.3.8). */
export const unsubscribe: Command = {
  name: 'UNSUBSCRIBE',
  states: AUTHENTICATED,
  *run(context, reader) {
    const path = readPath(context, reader)
    reader.end()
    if (path !== undefined) yield* ask({ kind: 'subscribe', path, wanted: false })
    return ok('Not subscribed')
  },
}

/** NAMESPACE (RFC 2342, RFC 9051 §6.3.10): everything is the user's own. */
export const namespace: Command = {
  name: 'NAMESPACE',
  states: AUTHENTICATED,
  *run(context, reader) {
    reader.end()
    context.say(`* NAMESPACE (("" "${DELIMITER}")) NIL NIL`)
    return ok('That is all there is')
  },
}

function readPath(context: ImapContext, reader: Reader): readonly string[] | undefined {
  reader.space()
  return pathOf(reader.astring(), context.nameForm)
}
