import { ask, ok, type Run } from '../../run.ts'
import { type Command, type ImapContext, SELECTED } from '../context.ts'
import { setOfAscending } from '../../../bytes/number-set.ts'

/** CLOSE (RFC 9051 §6.4.1): expunges without a word, but nothing that was only examined (I46). */
export const close: Command = {
  name: 'CLOSE',
  states: SELECTED,
  *run(context, reader) {
    reader.end()
    const selected = context.selected!
    if (!selected.readOnly) {
      const uids = yield* deletedIn(selected.mailbox)
      if (uids.length > 0) yield* ask({ kind: 'expunge', mailbox: selected.mailbox, uids: setOfAscending(uids) })
    }
    leave(context, false)
    return ok('Closed')
  },
}

/** UNSELECT (RFC 3691): nothing is expunged. */
export const unselect: Command = {
  name: 'UNSELECT',
  states: SELECTED,
  *run(context, reader) {
    reader.end()
    leave(context, false)
    return ok('Closed')
  },
}

/** The mailbox is selected no more. `told`: the client hears where what belongs to it ends (RFC 7162 §3.2.11). */
export function leave(context: ImapContext, told: boolean): void {
  const { selected } = context
  if (selected === undefined) return
  context.selected = undefined
  // From now on it is one of the others.
  context.accountChanged = true
  context.emit({ kind: 'unselected', mailbox: selected.mailbox })
  const knows = context.enabled.has('QRESYNC') || context.enabled.has('IMAP4REV2')
  if (told && knows) context.say('* OK [CLOSED] The mailbox is closed')
}

/** The UIDs of messages with `\Deleted`. */
export function* deletedIn(mailbox: string): Run<number[]> {
  const uids: number[] = []
  for (let first = 1; ;) {
    const { items, last } = yield* ask({ kind: 'entries', mailbox, uids: [{ first, last: 0xffffffff }], since: 0 })
    for (const { uid, flags } of items) if (flags.includes('\\Deleted')) uids.push(uid)
    if (last || items.length === 0) return uids
    first = items[items.length - 1]!.uid + 1
  }
}
