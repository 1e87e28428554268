import { type NumberSet, setOf, setOfAscending } from '../../../bytes/number-set.ts'
import { formatSet } from '../../sequence-set.ts'
import { type FetchItem, readFetchItems } from '../../fetch-items.ts'
import { Malformed, type Reader } from '../../reader.ts'
import { ok, type Run } from '../../run.ts'
import { Refused } from '../../../session/refusal.ts'
import { listed, numbersIn } from '../../steps.ts'
import { readSearch, type SearchKey, someKey, UnknownCharset } from '../../search-keys.ts'
import { type Command, type ImapContext, type Invocation, SELECTED, type Selected } from '../context.ts'
import { type PartialResult, readPartial, sliceOf } from '../partial-result.ts'
import { inTurns, type Looked } from '../looked.ts'
import { noNumbers } from '../numbers.ts'
import { follow, withUids } from '../following.ts'
import { badCharset, highestModSeq, search as find } from '../searching.ts'
import { enableCondstore } from '../synchronise.ts'

/** SEARCH (RFC 9051 §6.4.4). */
export const search: Command = {
  name: 'SEARCH',
  states: SELECTED,
  bySequence: true,
  holdsExpunge: true,
  isLong: true,
  run: (context, reader, invocation) => run(context, reader, invocation, false),
}

/** UID SEARCH (RFC 9051 §6.4.9). */
export const uidSearch: Command = {
  name: 'UID SEARCH',
  states: SELECTED,
  isLong: true,
  run: (context, reader, invocation) => run(context, reader, invocation, true),
}

/** What a search is to tell (RFC 4731, RFC 5182, RFC 9394). */
export interface Returns {
  readonly options: ReadonlySet<string>
  /** A slice of the result, from its beginning or from its end. */
  readonly partial: PartialResult | undefined
  /** What is found is to be told as it changes (RFC 5267). */
  readonly update: boolean
  readonly updateItems?: readonly FetchItem[] | undefined
}

function* run(context: ImapContext, reader: Reader, { tag }: Invocation, byUid: boolean): Run {
  const returns = readReturns(reader)
  reader.space()
  const selected = context.selected!
  if (returns?.update && selected.followed.has(tag)) throw new Malformed('A search with that tag is followed')
  yield* saving(selected, returns, function* () {
    const key = readKeys(context, reader, undefined)
    reader.end()
    const found = yield* find(selected, key)
    const so: Looked = { looked: 0 }
    const uids = yield* inTurns(so, numbersIn(found))
    const numbers = byUid ? uids : yield* inTurns(so, numbersIn(selected.view.sequencesOf(found)))
    const mods = asksModSeq(context, key)
    if (returns === undefined && !context.enabled.has('IMAP4REV2')) {
      // I58: also where it found nothing.
      const told = yield* inTurns(so, listed(numbers))
      context.say(`* SEARCH${told}${mods ? yield* modSeqText(selected, uids) : ''}`)
    } else yield* sayExtended(context, selected, `TAG "${tag}"`, byUid, returns ?? ALL, uids, numbers, mods)
    const frozen = returns?.update ? withUids(selected, key) : undefined
    if (frozen) follow(context, selected, tag, { byUid, key: frozen, found, items: returns?.updateItems })
  })
  return ok('Searched')
}

/** RFC 9051 §6.4.4: what is told where nothing else was asked for. */
export const ALL: Returns = { options: new Set(['ALL']), partial: undefined, update: false }

/** Runs a search. RFC 5182 §2.1: what was saved is gone where one that was to save ends with NO (I61). */
export function* saving(selected: Selected, returns: Returns | undefined, search: () => Run<void>): Run<void> {
  try {
    yield* search()
  } catch (error) {
    if (error instanceof Refused && returns?.options.has('SAVE')) selected.saved = []
    throw error
  }
}

/** Reads keys; where the charset is none that is known here, the command ends with NO. */
export function readKeys({ enabled }: ImapContext, reader: Reader, charset: string | undefined): SearchKey {
  try {
    // RFC 6855 §3: there is but one charset then.
    const key = readSearch(reader, charset, enabled.has('UTF8=ACCEPT'))
    // RFC 9586 §3.5.
    if (enabled.has('UIDONLY') && someKey(key, (one) => one.kind === 'sequences' && one.set !== '$')) throw noNumbers
    return key
  } catch (error) {
    throw error instanceof UnknownCharset ? badCharset : error
  }
}

/** Whether it names mod-sequences: then they are told, here and from now on (RFC 7162 §3.1.5). */
export function asksModSeq(context: ImapContext, key: SearchKey): boolean {
  const asks = someKey(key, ({ kind }) => kind === 'modSeq')
  if (asks) enableCondstore(context)
  return asks
}

/** RFC 7162 §3.1.6: the highest of those that were found. */
export function* modSeqText(selected: Selected, uids: readonly number[]): Run<string> {
  return uids.length === 0 ? '' : ` (MODSEQ ${yield* highest(selected, uids)})`
}

const highest = (selected: Selected, uids: readonly number[]): Run<number> => highestModSeq(selected, setOfAny(uids))

const setOfAny = (uids: readonly number[]): NumberSet => setOf(uids.map((uid) => ({ first: uid, last: uid })))

/** ` RETURN (…)`, if it comes next. */
export function readReturns(reader: Reader): Returns | undefined {
  const mark = reader.mark()
  const mayBe = reader.maybeSpace() && !reader.atList && !reader.atLiteral && (reader.peek() | 32) === 114
  const named = mayBe && reader.word() === 'RETURN'
  if (!named) {
    reader.reset(mark)
    return undefined
  }
  reader.space()
  const options = new Set<string>()
  let partial: PartialResult | undefined
  let update = false
  let updateItems: readonly FetchItem[] | undefined
  reader.list(() => {
    const option = reader.word()
    if (!known.has(option)) throw new Malformed('There is no option', { word: option })
    if (option === 'PARTIAL') {
      // RFC 9394 §3.1.
      if (partial !== undefined) throw new Malformed('One PARTIAL at a time')
      reader.space()
      partial = readPartial(reader)
    } else if (option === 'UPDATE') {
      update = true
      updateItems = readUpdateItems(reader)
    }
    // RFC 5267 §4.2: CONTEXT is a hint, of which nothing is made.
    else if (option !== 'CONTEXT') options.add(option)
  }, true)
  // RFC 9394 §3.1: a slice and all of it make no sense together.
  if (partial !== undefined && options.has('ALL')) throw new Malformed('PARTIAL or ALL')
  if (options.size === 0 && partial === undefined && !update) options.add('ALL')
  return { options, partial, update, updateItems }
}

/** What is to be told of new messages (RFC 5465 §7), in its grammar without a space before it, in its example with one. */
function readUpdateItems(reader: Reader): readonly FetchItem[] | undefined {
  const mark = reader.mark()
  reader.maybeSpace()
  if (reader.atList) return readFetchItems(reader)
  reader.reset(mark)
  return undefined
}

const known: ReadonlySet<string> = new Set(['MIN', 'MAX', 'ALL', 'COUNT', 'SAVE', 'PARTIAL', 'CONTEXT', 'UPDATE'])

/**
 * Says ESEARCH, and saves what was to be saved. `of`: what it belongs to, such as `TAG "a"`. `uids`, `numbers`: what was found,
 * in the order in which it is told. `mods`: with the mod-sequence.
 */
export function* sayExtended(
  context: ImapContext,
  selected: Selected,
  of: string,
  byUid: boolean,
  { options, partial }: Returns,
  uids: readonly number[],
  numbers: readonly number[],
  mods: boolean,
): Run<void> {
  if (options.has('SAVE')) selected.saved = setOfAny(toldOf(options, partial, uids))
  // RFC 5182 §2.1: SAVE alone says nothing.
  if (options.has('SAVE') && options.size === 1 && !partial) return
  const parts: string[] = []
  if (numbers.length > 0) {
    if (options.has('MIN')) parts.push(`MIN ${numbers[0]!}`)
    if (options.has('MAX')) parts.push(`MAX ${numbers[numbers.length - 1]!}`)
    if (options.has('ALL')) parts.push(`ALL ${inOrder(numbers)}`)
  }
  if (options.has('COUNT')) parts.push(`COUNT ${numbers.length}`)
  if (partial) {
    const some = sliceOf(numbers, partial)
    parts.push(`PARTIAL (${partial.text} ${some.length === 0 ? 'NIL' : inOrder(some)})`)
  }
  if (mods && uids.length > 0) parts.push(`MODSEQ ${yield* highest(selected, toldOf(options, partial, uids))}`)
  context.say(`* ESEARCH (${of})${byUid ? ' UID' : ''}${parts.map((part) => ` ${part}`).join('')}`)
}

/** As a set where they ascend; sorted otherwise, one by one. */
function inOrder(numbers: readonly number[]): string {
  const ascend = numbers.every((number, at) => at === 0 || number > numbers[at - 1]!)
  return ascend ? formatSet(setOfAscending(numbers)) : numbers.join(',')
}

/** RFC 4731 §3.2: MIN and MAX alone are about the messages they tell; so is what they save (RFC 5182 §2.4). */
function toldOf(options: ReadonlySet<string>, partial: PartialResult | undefined, uids: readonly number[]): readonly number[] {
  if (options.has('ALL') || options.has('COUNT')) return uids
  const ends = [...(options.has('MIN') ? uids.slice(0, 1) : []), ...(options.has('MAX') ? uids.slice(-1) : [])]
  if (partial) return [...sliceOf(uids, partial), ...ends]
  return ends.length === 0 ? uids : ends
}
