import { encodeUtf8String } from '../encode.ts'
import { DELIMITER, nameOf } from '../mailbox-name.ts'
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

/** Says how a name is kept that the client has written in another way (RFC 9051 §6.3.9.7). */
export function sayKept(context: ImapContext, name: NameFacts, given: string): void {
  if (isKeptOtherwise(context, name.path, given)) sayName(context, name, encodeUtf8String(given))
}

/** Whether a client of IMAP4rev2 wrote a name as it is not kept: not in NFC, or `inbox` (RFC 9051 §5.1, and the sample in §8). */
export const isKeptOtherwise = ({ enabled }: ImapContext, path: readonly string[], given: string): boolean =>
  enabled.has('IMAP4REV2') && given !== nameOf(path, 'utf-8')
