import { encodeString, encodeUtf8String } from '../../encode.ts'
import { type HierarchyName, hierarchyOf } from '../../hierarchy.ts'
import { type ListOrder, readList } from '../../list-options.ts'
import { matchesPattern } from '../../list-pattern.ts'
import { decodeName, DELIMITER, nameOf } from '../../mailbox-name.ts'
import { ask, flow, ok, type Run } from '../../run.ts'
import { AUTHENTICATED, type Command, type ImapContext } from '../context.ts'
import { ALL_RIGHTS } from '../rights.ts'
import { enableCondstore } from '../synchronise.ts'
import { look, type Looked } from '../looked.ts'
import { deletedOctets, statusLine } from './status.ts'

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
    if (order.status.includes('HIGHESTMODSEQ')) enableCondstore(context)
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
      // I41: so that a client that asks level by level finds its way.
      const leads = name.subscribedBelow && pattern.includes('%')
      if (!(name.subscribed || leads) || !(yield* matches(name))) continue
      const attribute = name.subscribed && name.mailbox ? '' : '\\Noselect'
      context.say(`* LSUB (${attribute}) "${DELIMITER}" ${written(context, name.path)}`)
      yield* flow(context)
    }
    return ok('Listed')
  },
}

function* say(context: ImapContext, order: ListOrder): Run<void> {
  const { mailboxes, subscribed } = yield* ask({ kind: 'mailboxes' })
  const matches = matcher(context, order.reference, order.patterns)
  const names = hierarchyOf(mailboxes, subscribed)
  const matching = new Set<HierarchyName>()
  for (const name of names) if (yield* matches(name)) matching.add(name)
  const below = order.recursive ? aboveChosen(names, matching, order) : undefined
  for (const name of matching) {
    const chosen = isChosen(name, order)
    // RFC 5258 §3.5: of what is not chosen only where something chosen below it is not listed itself.
    const leads = below?.get(name.text)
    if (!chosen && leads !== 'unlisted') continue
    const info = leads === undefined ? '' : ` ("CHILDINFO" (${criteria(order)}))`
    const attributes = attributesOf(context, name, order).join(' ')
    context.say(`* LIST (${attributes}) "${DELIMITER}" ${written(context, name.path)}${info}`)
    // RFC 8440 §4: not of what is there for the sake of another.
    if (order.returns.has('MYRIGHTS') && chosen && name.mailbox) {
      context.say(`* MYRIGHTS ${written(context, name.path)} ${ALL_RIGHTS}`)
    }
    // RFC 5819 §2: not of what cannot be selected.
    if (order.status.length > 0 && name.mailbox) {
      context.say(statusLine(context, name.mailbox, order.status, yield* deletedOctets(name.mailbox, order.status)))
    }
    yield* flow(context)
  }
}

/** Names above one that is chosen; `unlisted` where one of those does not match itself. */
function aboveChosen(
  names: readonly HierarchyName[],
  matching: ReadonlySet<HierarchyName>,
  order: ListOrder,
): ReadonlyMap<string, 'listed' | 'unlisted'> {
  const above = new Map<string, 'listed' | 'unlisted'>()
  for (const name of names) {
    if (!isChosen(name, order)) continue
    for (let levels = name.path.length - 1; levels > 0; levels--) {
      const text = name.path.slice(0, levels).join(DELIMITER)
      if (!matching.has(name)) above.set(text, 'unlisted')
      else if (!above.has(text)) above.set(text, 'listed')
    }
  }
  return above
}

const criteria = ({ subscribed, special }: ListOrder): string =>
  [...(subscribed ? ['"SUBSCRIBED"'] : []), ...(special ? ['"SPECIAL-USE"'] : [])].join(' ')

function isChosen(name: HierarchyName, order: ListOrder): boolean {
  if (order.subscribed && !name.subscribed) return false
  if (order.special && name.mailbox?.use === undefined) return false
  if (order.subscribed || order.special) return true
  return name.mailbox !== undefined || name.hasChildren
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
function matcher(context: ImapContext, reference: string, patterns: readonly string[]): (name: HierarchyName) => Run<boolean> {
  const full = patterns.map((pattern) => decodeName(reference + pattern, context.nameForm)).filter((one) => one !== undefined)
  const inbox = full.map(upperTop)
  const work: Looked = { looked: 0 }
  return function* ({ text, path }) {
    // RFC 9051 §5.1: INBOX in any case, also at the top of others.
    for (const pattern of path[0] === 'INBOX' ? inbox : full) {
      if (matchesPattern(text, pattern)) return true
      yield* look(work, text.length * pattern.length)
    }
    return false
  }
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
