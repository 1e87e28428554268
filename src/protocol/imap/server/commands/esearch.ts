import { each } from '../../../bytes/number-set.ts'
import { isMeant, type MailboxFilter, readMailboxFilter } from '../../mailbox-filter.ts'
import type { ImapMailbox } from '../../mailbox.ts'
import { Malformed, type Reader } from '../../reader.ts'
import { ask, bad, flow, ok, type Run } from '../../run.ts'
import type { SearchKey } from '../../search-keys.ts'
import { View } from '../../view.ts'
import { AUTHENTICATED, type Command, type ImapContext, type Invocation, type Selected } from '../context.ts'
import { sayNotFollowed, withUids } from '../following.ts'
import { search as find } from '../searching.ts'
import { uidsIn } from '../synchronise.ts'
import { ALL, asksModSeq, readKeys, readReturns, type Returns, sayExtended, saving } from './search.ts'
import { written } from './list.ts'
import { SpareMap } from '../spare.ts'

/** ESEARCH (RFC 7377): SEARCH of several mailboxes, none of which need be selected. It tells UIDs. */
export const esearch: Command = {
  name: 'ESEARCH',
  states: AUTHENTICATED,
  holdsExpunge: true,
  isLong: true,
  *run(context, reader, invocation) {
    const sources = readSources(context, reader)
    const returns = readReturns(reader) ?? ALL
    const elsewhere = sources.some(({ kind }) => kind !== 'selected')
    // RFC 7377 §2.2.
    if (elsewhere && returns.options.has('SAVE')) return bad('Only what is found in the selected mailbox can be saved')
    const { selected } = context
    if (selected === undefined && sources.some(({ kind }) => kind === 'selected')) return bad('No mailbox is selected')
    if (selected === undefined && returns.update) return bad('No mailbox is selected that could be followed')
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
    // RFC 5267 §4.3.1: only a SEARCH is.
    if (returns.update) sayNotFollowed(context, invocation.tag)
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
function* unselected({ id, uidValidity, modSeq, uidNext }: ImapMailbox): Run<Selected> {
  const view = new View()
  view.add(yield* uidsIn(id))
  return {
    mailbox: id, readOnly: true, uidValidity, view, modSeq, uidNext, changed: false, gone: [], recent: [],
    keywords: new SpareMap(), saved: [], own: new SpareMap(), news: { added: [], flagged: new SpareMap() },
    held: undefined, heldTold: false, followed: new SpareMap(), touched: [],
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
    // §2: a number that no message has is no error.
    const found = [...each(yield* find(selected, withUids(selected, key)))]
    const mods = asksModSeq(context, key)
    // §2.1: nothing of a mailbox in which nothing was found. What it was to save is saved all the same.
    if (found.length === 0 && !returns.options.has('SAVE')) return
    const correlators = `TAG "${tag}" MAILBOX ${written(context, mailbox.path)} UIDVALIDITY ${mailbox.uidValidity}`
    yield* sayExtended(context, selected, correlators, true, returns, found, found, mods)
  })
}
