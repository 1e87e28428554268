import { DELIMITER } from '../mailbox-name.ts'
import { written } from './commands/list.ts'
import type { ImapContext } from './context.ts'

/** What is said of a name without being asked for. */
export interface NameFacts {
  readonly path: readonly string[]
  /** `undefined`: there is no mailbox by that name. */
  readonly mailbox: { readonly use?: string | undefined } | undefined
  /** Where that is known. */
  readonly hasChildren?: boolean
  readonly subscribed?: boolean
}

/** Says how a name stands. `oldName`, as it is written: what it was before, or what the client called it (RFC 9051 §6.3.9.7). */
export function sayName(context: ImapContext, name: NameFacts, oldName: string | undefined): void {
  const { path, mailbox, hasChildren, subscribed } = name
  const attributes = [
    ...(mailbox ? [] : ['\\NonExistent']),
    ...(hasChildren === undefined ? [] : [hasChildren ? '\\HasChildren' : '\\HasNoChildren']),
    ...(subscribed ? ['\\Subscribed'] : []),
    ...(mailbox?.use === undefined ? [] : [mailbox.use]),
  ]
  const old = oldName === undefined ? '' : ` ("OLDNAME" (${oldName}))`
  context.say(`* LIST (${attributes.join(' ')}) "${DELIMITER}" ${written(context, path)}${old}`)
}
