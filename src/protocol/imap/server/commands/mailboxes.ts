import type { ImapMailbox } from '../../mailbox.ts'
import { encodeUtf8String } from '../../encode.ts'
import { DELIMITER, isBelow, pathOf, samePath } from '../../mailbox-name.ts'
import { Malformed, type Reader } from '../../reader.ts'
import { ask, bad, no, ok, type Run, tooMuch } from '../../run.ts'
import { AUTHENTICATED, type Command, type ImapContext } from '../context.ts'
import { isKeptOtherwise, sayKept, sayName } from '../name-line.ts'
import { objectId } from '../object-id.ts'
import { uidsIn } from '../synchronise.ts'
import { leave } from './close.ts'

const uses: ReadonlyMap<string, string> = new Map(
  ['\\All', '\\Archive', '\\Drafts', '\\Flagged', '\\Junk', '\\Sent', '\\Trash'].map((use) => [use.toLowerCase(), use]),
)

const noName = no('That is no name for a mailbox', 'CANNOT')
const taken = no('There is such a mailbox', 'ALREADYEXISTS')
const tooMany = tooMuch('mailboxes', 'Too many mailboxes')
const noMailbox = no('There is no such mailbox', 'NONEXISTENT')

const isInbox = (path: readonly string[]): boolean => path.length === 1 && path[0] === 'INBOX'

/** CREATE (RFC 9051 §6.3.4), for a special use where the host keeps those (RFC 6154 §3). */
export const create: Command = {
  name: 'CREATE',
  states: AUTHENTICATED,
  *run(context, reader) {
    reader.space()
    const { name, path } = readNewPath(context, reader)
    const asked = reader.maybeSpace() ? readUses(reader) : []
    reader.end()
    if (asked.length > 0 && !context.config.abilities.specialUse) return bad('There are no special uses here')
    if (path === undefined) return noName
    if (isInbox(path)) return taken
    const use = asked[0] === undefined ? undefined : uses.get(asked[0].toLowerCase())
    // RFC 6154 §3.
    if (asked.length > 1 || (asked.length > 0 && use === undefined)) return no('There is no such use', 'USEATTR')
    const { mailboxes } = yield* ask({ kind: 'mailboxes' })
    if (mailboxes.some((one) => samePath(one.path, path))) return taken
    if (use !== undefined && mailboxes.some((one) => one.use === use)) return no('Another mailbox has that use', 'USEATTR')
    const above = missingAbove(mailboxes, path)
    if (mailboxes.length + above.length >= context.config.limits.mailboxes) return tooMany
    for (const one of above) yield* make(context, one, undefined)
    const { id } = yield* make(context, path, use)
    // RFC 9051 §6.3.4.
    sayKept(context, { path, mailbox: { use } }, name)
    return ok('Created', `MAILBOXID (${objectId('F', id)})`)
  },
}

function readUses(reader: Reader): readonly string[] {
  let asked: readonly string[] = []
  reader.list(() => {
    if (reader.word() !== 'USE') throw new Malformed('USE is missing')
    reader.space()
    asked = reader.list(() => reader.flag(), true)
  })
  return asked
}

/** RFC 9051 §6.3.4: names above it are made as well. Those that are not there, from the top. */
function missingAbove(mailboxes: readonly ImapMailbox[], path: readonly string[]): readonly (readonly string[])[] {
  const known = new Set(mailboxes.map((one) => one.path.join(DELIMITER)))
  const above = Array.from({ length: path.length - 1 }, (_, levels) => path.slice(0, levels + 1))
  return above.filter((one) => !known.has(one.join(DELIMITER)))
}

function* make(context: ImapContext, path: readonly string[], use: string | undefined): Run<ImapMailbox> {
  const mailbox = yield* ask({ kind: 'create', path, use })
  context.notify?.hasMade(mailbox)
  return mailbox
}

/** DELETE (RFC 9051 §6.3.5): what lies below it stays (I39). */
export const remove: Command = {
  name: 'DELETE',
  states: AUTHENTICATED,
  *run(context, reader) {
    const { name, path } = readPath(context, reader)
    reader.end()
    if (path === undefined) return noMailbox
    if (isInbox(path)) return no('INBOX stays', 'CANNOT')
    const mailbox = yield* ask({ kind: 'mailbox', path })
    if (mailbox === null) {
      const { mailboxes } = yield* ask({ kind: 'mailboxes' })
      return mailboxes.some((one) => isBelow(one.path, path)) ? no('There are mailboxes below it', 'HASCHILDREN') : noMailbox
    }
    yield* ask({ kind: 'remove', mailbox: mailbox.id })
    context.notify?.hasRemoved(path)
    // Its own selection ends quietly; other sessions learn it when they ask (I25).
    if (context.selected?.mailbox === mailbox.id) leave(context, true)
    // RFC 9051 §6.3.5.
    sayKept(context, { path, mailbox: undefined }, name)
    return ok('Deleted')
  },
}

/** RENAME (RFC 9051 §6.3.6): with all that lies below it. */
export const rename: Command = {
  name: 'RENAME',
  states: AUTHENTICATED,
  *run(context, reader) {
    const given = readPath(context, reader)
    const from = given.path
    reader.space()
    const wanted = readNewPath(context, reader)
    const to = wanted.path
    reader.end()
    if (from === undefined) return noMailbox
    if (to === undefined) return noName
    if (isInbox(to)) return taken
    // What lies below INBOX stays, and so INBOX may be emptied into there (I37).
    if (samePath(from, to) || (isBelow(to, from) && !isInbox(from))) return no('Not into itself', 'CANNOT')
    const { mailboxes } = yield* ask({ kind: 'mailboxes' })
    const source = mailboxes.find(({ path }) => samePath(path, from))
    if (source === undefined) return noMailbox
    const all = mailboxes.map(({ path }) => path)
    const moved = isInbox(from) ? [from] : all.filter((path) => samePath(path, from) || isBelow(path, from))
    const paths = new Set(all.map((path) => path.join(DELIMITER)))
    if (moved.some((path) => paths.has([...to, ...path.slice(from.length)].join(DELIMITER)))) return taken
    const above = missingAbove(mailboxes, to)
    if (mailboxes.length + above.length + (isInbox(from) ? 1 : 0) > context.config.limits.mailboxes) return tooMany
    for (const one of above) yield* make(context, one, undefined)
    if (isInbox(from)) yield* renameInbox(context, source, to)
    else {
      yield* ask({ kind: 'rename', mailbox: source.id, path: to })
      context.notify?.rename(from, to)
    }
    // RFC 9051 §6.3.6: where either name is kept otherwise, what the client called the old one.
    if (isKeptOtherwise(context, from, given.name) || isKeptOtherwise(context, to, wanted.name)) {
      sayName(context, { path: to, mailbox: isInbox(from) ? {} : source }, encodeUtf8String(given.name))
    }
    return ok(isInbox(from) ? 'Renamed; INBOX is empty' : 'Renamed')
  },
}

/** RFC 9051 §6.3.6: its messages go, it stays, and so do those below it (I37). */
function* renameInbox(context: ImapContext, inbox: ImapMailbox, to: readonly string[]): Run<void> {
  const target = yield* make(context, to, undefined)
  const uids = yield* uidsIn(inbox.id)
  const { move } = context.config.abilities
  if (uids.length > 0) yield* ask({ kind: 'copy', mailbox: inbox.id, uids, to: target.id, move })
  if (uids.length > 0 && !move) yield* ask({ kind: 'expunge', mailbox: inbox.id, uids })
  if (context.selected?.mailbox === inbox.id) context.selected.changed = true
}

/** SUBSCRIBE (RFC 9051 §6.3.7). */
export const subscribe: Command = {
  name: 'SUBSCRIBE',
  states: AUTHENTICATED,
  *run(context, reader) {
    const { path } = readPath(context, reader)
    reader.end()
    if (path === undefined) return noMailbox
    const { mailboxes, subscribed } = yield* ask({ kind: 'mailboxes' })
    if (!mailboxes.some((one) => samePath(one.path, path))) return noMailbox
    // Names outlive what they are of (I41).
    if (subscribed.length >= context.config.limits.mailboxes && !subscribed.some((one) => samePath(one, path))) {
      return tooMuch('mailboxes', 'Too many subscriptions')
    }
    yield* ask({ kind: 'subscribe', path, wanted: true })
    context.notify?.hasSubscribed(path, true)
    return ok('Subscribed')
  },
}

/** UNSUBSCRIBE (RFC 9051 §6.3.8). */
export const unsubscribe: Command = {
  name: 'UNSUBSCRIBE',
  states: AUTHENTICATED,
  *run(context, reader) {
    const { path } = readPath(context, reader)
    reader.end()
    if (path !== undefined) {
      yield* ask({ kind: 'subscribe', path, wanted: false })
      context.notify?.hasSubscribed(path, false)
    }
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

/** A delimiter at the end announces mailboxes below it, and is no part of the name (RFC 9051 §6.3.4). */
function readNewPath({ nameForm }: ImapContext, reader: Reader) {
  const given = reader.astring()
  const name = given.endsWith(DELIMITER) ? given.slice(0, -1) : given
  return { name, path: pathOf(name, nameForm) }
}

function readPath(context: ImapContext, reader: Reader) {
  reader.space()
  const name = reader.astring()
  return { name, path: pathOf(name, context.nameForm) }
}
