import { isMeant, type MailboxFilter, readMailboxFilter } from '../../mailbox-filter.ts'
import type { ImapMailbox } from '../../mailbox.ts'
import { common } from '../../ranges.ts'
import { Malformed, type Reader } from '../../reader.ts'
import { ask, bad, flow, ok, type Run } from '../../run.ts'
import type { SearchKey } from '../../search-keys.ts'
import { resolveSet } from '../../sequence-set.ts'
import { View } from '../../view.ts'
import { AUTHENTICATED, type Command, type ImapContext, type Invocation, type Selected } from '../context.ts'
import { search as find } from '../searching.ts'
import { uidsIn } from '../synchronise.ts'
import { asksModSeq, readKeys, readReturns, type Returns, sayExtended, saving } from './search.ts'
import { written } from './list.ts'

/** ESEARCH (RFC 7377): SEARCH of several mailboxes, none of which need be selected. It tells UIDs. */
export const esearch: Command = {
  name: 'ESEARCH',
  states: AUTHENTICATED,
  holdsExpunge: true,
  isLong: true,
  *run(context, reader, invocation) {
    const sources = readSources(context, reader)
    const returns = readReturns(reader) ?? { options: new Set(['ALL']), partial: undefined }
    const elsewhere = sources.some(({ kind }) => kind !== 'selected')
    // RFC 7377 §2.2.
    if (elsewhere && returns.options.has('SAVE')) return bad('Only what is found in the selected mailbox can be saved')
    const { selected } = context
    if (selected === undefined && sources.some(({ kind }) => kind === 'selected')) return bad('No mailbox is selected')
    reader.space()
    const key = readKeys(context, reader, undefined)
    reader.end()
    const all = yield* ask({ kind: 'mailboxes' })
    for (const mailbox of all.mailboxes) {
      const isSelected = mailbox.id === selected?.mailbox
      const meant = sources.some((one) => isMeant(one, mailbox, all) || (one.kind === 'selected' && isSelected))
      if (!meant) continue
      yield* searchIn(context, mailbox, isSelected ? selected : yield* unselected(mailbox), key, returns, invocation)
      yield* flow(context)
    }
    return ok('Searched')
  },
}

/** ` IN (…)`, if it comes next. */
function readSources(context: ImapContext, reader: Reader): readonly MailboxFilter[] {
  const mark = reader.mark()
  const mayBe = reader.maybeSpace() && !reader.atList && !reader.atLiteral && (reader.peek() | 32) === 105
  if (!mayBe || reader.word() !== 'IN') {
    reader.reset(mark)
    return [{ kind: 'selected' }]
  }
  reader.space()
  return reader.list(() => {
    // §4: options of the scope, of which there are none yet.
    if (reader.atList) throw new Malformed('There is no such option of the scope')
    return readMailboxFilter(reader, context.nameForm)
  })
}

/** A mailbox that is looked through, as if it had been selected to be read. */
function* unselected({ id, modSeq, uidNext }: ImapMailbox): Run<Selected> {
  const view = new View()
  view.add(yield* uidsIn(id))
  return {
    mailbox: id, readOnly: true, view, modSeq, uidNext, changed: false, gone: [], recent: [], keywords: new Map(), saved: [],
    own: new Map(), news: { added: [], flagged: new Map() }, held: undefined, heldTold: false,
  }
}

function* searchIn(
  context: ImapContext,
  mailbox: ImapMailbox,
  selected: Selected,
  key: SearchKey,
  returns: Returns,
  { tag }: Invocation,
): Run<void> {
  yield* saving(selected, returns, function* () {
    const found = yield* find(selected, byUids(selected, key), false, ({ uid, modSeq }) => ({ uid, modSeq }))
    const mods = asksModSeq(context, key)
    // §2.1: nothing of a mailbox in which nothing was found. What it was to save is saved all the same.
    if (found.length === 0 && !returns.options.has('SAVE')) return
    const correlators = `TAG "${tag}" MAILBOX ${written(context, mailbox.path)} UIDVALIDITY ${mailbox.uidValidity}`
    sayExtended(context, selected, correlators, true, returns, found, found.map(({ uid }) => uid), mods)
  })
}

/** With the UIDs that sequence numbers mean here; one that no message has means none, and is no error (§2). */
function byUids(selected: Selected, key: SearchKey): SearchKey {
  const { view } = selected
  switch (key.kind) {
    case 'not':
      return { kind: 'not', key: byUids(selected, key.key) }
    case 'and':
    case 'or':
      return { kind: key.kind, keys: key.keys.map((one) => byUids(selected, one)) }
    case 'sequences': {
      if (key.set === '$') return key
      const known = view.exists > 0 ? [{ first: 1, last: view.exists }] : []
      return { kind: 'uids', set: view.uidsOf(common(resolveSet(key.set, view.exists), known)) }
    }
    default:
      return key
  }
}
