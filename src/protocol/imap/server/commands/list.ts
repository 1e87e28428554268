import { encodeString, encodeUtf8String } from '../../encode.ts'
import { type HierarchyName, hierarchyOf } from '../../hierarchy.ts'
import { type ListOrder, readList } from '../../list-options.ts'
import { matchesPattern } from '../../list-pattern.ts'
import { decodeName, DELIMITER, nameOf } from '../../mailbox-name.ts'
import { ask, ok, type Run } from '../../run.ts'
import { AUTHENTICATED, type Command, type ImapContext } from '../context.ts'
import { statusLine } from './status.ts'

/** LIST (RFC 9051 §6.3.9), with what RFC 5258, 5819 and 6154 add to it. */
export const list: Command = {
  name: 'LIST',
  states: AUTHENTICATED,
  *run(context, reader) {
    const order = readList(reader)
    // RFC 9051 §6.3.9: asks what separates names (I40).
    if (!order.extended && order.patterns[0] === '') {
      context.say(`* LIST (\\Noselect) "${DELIMITER}" ""`)
      return ok('That is the delimiter')
    }
    yield* say(context, order)
    return ok('Listed')
  },
}

/** LSUB (RFC 3501 §6.3.9). */
export const lsub: Command = {
  name: 'LSUB',
  states: AUTHENTICATED,
  *run(context, reader) {
    reader.space()
    const reference = reader.astring()
    reader.space()
    const pattern = reader.listMailbox()
    reader.end()
    const { mailboxes, subscribed } = yield* ask({ kind: 'mailboxes' })
    const matches = matcher(context, reference, [pattern])
    for (const name of hierarchyOf(mailboxes, subscribed)) {
      if (!matches(name)) continue
      if (name.subscribed) context.say(`* LSUB (${name.mailbox ? '' : '\\Noselect'}) "${DELIMITER}" ${written(context,
        name.path)}`)
      // I41: so that a client that asks level by level finds its way.
      else if (name.subscribedBelow && pattern.endsWith('%')) {
        context.say(`* LSUB (\\Noselect) "${DELIMITER}" ${written(context, name.path)}`)
      }
    }
    return ok('Listed')
  },
}

function* say(context: ImapContext, order: ListOrder): Run<void> {
  const { mailboxes, subscribed } = yield* ask({ kind: 'mailboxes' })
  const matches = matcher(context, order.reference, order.patterns)
  for (const name of hierarchyOf(mailboxes, subscribed)) {
    if (!matches(name)) continue
    const chosen = isChosen(name, order)
    const info = order.recursive && belowChosen(name,
      order) ? ` ("CHILDINFO" ("${order.subscribed ? 'SUBSCRIBED' : 'SPECIAL-USE'}"))` : ''
    if (!chosen && info === '') continue
    const attributes = attributesOf(context, name, order).join(' ')
    context.say(`* LIST (${attributes}) "${DELIMITER}" ${written(context, name.path)}${info}`)
    // RFC 5819 §2: not of what cannot be selected.
    if (order.status.length > 0 && name.mailbox) context.say(statusLine(context, name.mailbox, order.status))
  }
}

function isChosen(name: HierarchyName, order: ListOrder): boolean {
  if (order.subscribed && !name.subscribed) return false
  if (order.special && name.mailbox?.use === undefined) return false
  if (order.subscribed || order.special) return true
  return name.mailbox !== undefined || name.hasChildren
}

function belowChosen(name: HierarchyName, order: ListOrder): boolean {
  return (!order.subscribed || name.subscribedBelow) && (!order.special || name.specialBelow)
}

function attributesOf(context: ImapContext, name: HierarchyName, order: ListOrder): string[] {
  const attributes: string[] = []
  // RFC 5258 §3.1: \NonExistent says more than \Noselect; clients of old know the latter alone.
  const modern = order.extended || context.enabled.has('IMAP4REV2')
  if (name.mailbox === undefined) attributes.push(modern ? '\\NonExistent' : '\\Noselect')
  attributes.push(name.hasChildren ? '\\HasChildren' : '\\HasNoChildren')
  if (name.subscribed && (order.subscribed || order.returns.has('SUBSCRIBED'))) attributes.push('\\Subscribed')
  // RFC 6154 §2: may be told to whomever.
  if (name.mailbox?.use !== undefined) attributes.push(name.mailbox.use)
  return attributes
}

/** Whether a name matches any of the patterns, each behind the reference. */
function matcher(context: ImapContext, reference: string, patterns: readonly string[]): (name: HierarchyName) => boolean {
  const full = patterns.map((pattern) => decodeName(reference + pattern, context.nameForm)).filter((one) => one !== undefined)
  const inbox = full.map(upperTop)
  return ({ text, path }) =>
    full.some((pattern) => matchesPattern(text, pattern)) ||
    // RFC 9051 §5.1: INBOX in any case, also at the top of others.
    (path[0] === 'INBOX' && inbox.some((pattern) => matchesPattern(text, pattern)))
}

function upperTop(pattern: string): string {
  const delimiter = pattern.indexOf(DELIMITER)
  const end = delimiter < 0 ? pattern.length : delimiter
  return pattern.slice(0, end).toUpperCase() + pattern.slice(end)
}

/** A name as it is said. */
export function written(context: ImapContext, path: readonly string[]): string {
  const name = nameOf(path, context.nameForm)
  return context.nameForm === 'utf-8' ? encodeUtf8String(name) : encodeString(name)
}
