import { Malformed, type Reader } from '../../reader.ts'
import { ok, type Run } from '../../run.ts'
import { listed, mapped } from '../../steps.ts'
import { type Command, type ImapContext, type Invocation, SELECTED } from '../context.ts'
import { sayNotFollowed } from '../following.ts'
import { inTurns, type Looked } from '../looked.ts'
import { search as find } from '../searching.ts'
import { type Criterion, sorted, type SortSource } from '../sorting.ts'
import { asksModSeq, modSeqText, readKeys, readReturns, sayExtended, saving } from './search.ts'

/** SORT (RFC 5256). */
export const sort: Command = {
  name: 'SORT',
  states: SELECTED,
  bySequence: true,
  holdsExpunge: true,
  isLong: true,
  run: (context, reader, invocation) => run(context, reader, invocation, false),
}

/** UID SORT. */
export const uidSort: Command = {
  name: 'UID SORT',
  states: SELECTED,
  isLong: true,
  run: (context, reader, invocation) => run(context, reader, invocation, true),
}

/** Criteria of one SORT. */
const MOST_CRITERIA = 20

function* run(context: ImapContext, reader: Reader, { tag }: Invocation, byUid: boolean): Run {
  const returns = readReturns(reader)
  reader.space()
  const criteria = reader.list(() => readCriterion(reader))
  if (criteria.length > MOST_CRITERIA) throw new Malformed('Too many criteria')
  reader.space()
  const charset = reader.astring()
  reader.space()
  const selected = context.selected!
  yield* saving(selected, returns, function* () {
    const key = readKeys(context, reader, charset)
    reader.end()
    const so: Looked = { looked: 0 }
    const uids = yield* sorted(selected, yield* find(selected, key), criteria, so)
    const numbers = byUid ? uids : yield* inTurns(so, mapped(uids, (uid) => selected.view.sequenceOf(uid)))
    const mods = asksModSeq(context, key)
    // RFC 5267 §3; RFC 7162 §3.1.10.
    // RFC 5267 §4.3.1: to keep an order up to date costs more than to ask for it anew.
    if (returns?.update) sayNotFollowed(context, tag)
    if (returns) yield* sayExtended(context, selected, `TAG "${tag}"`, byUid, returns, uids, numbers, mods)
    else context.say(`* SORT${yield* inTurns(so, listed(numbers))}${mods ? yield* modSeqText(selected, uids) : ''}`)
  })
  return ok('Sorted')
}

function readCriterion(reader: Reader): Criterion {
  const word = reader.word()
  const reverse = word === 'REVERSE'
  if (reverse) reader.space()
  const name = reverse ? reader.word() : word
  const by = sourceOf.get(name)
  if (by === undefined) throw new Malformed('There is no criterion', { word: name })
  return { by, reverse }
}

const sourceOf: ReadonlyMap<string, SortSource> = new Map([
  ['ARRIVAL', 'received'], ['DATE', 'sent'], ['SIZE', 'octets'], ['FROM', 'first from'], ['TO', 'first to'], ['CC', 'first cc'],
  ['SUBJECT', 'base subject'], ['DISPLAYFROM', 'display from'], ['DISPLAYTO', 'display to'],
])
