import type { ImapEntry } from '../../mailbox.ts'
import { formatSet, type NumberSet, setOfAscending } from '../../ranges.ts'
import { Malformed, type Reader } from '../../reader.ts'
import { ok, type Run } from '../../run.ts'
import { readSearch, someKey, UnknownCharset } from '../../search-keys.ts'
import { type Command, type ImapContext, type Invocation, SELECTED, type Selected } from '../context.ts'
import { badCharset, search as find } from '../searching.ts'

/** SEARCH (RFC 9051 §6.4.4). */
export const search: Command = {
  name: 'SEARCH',
  states: SELECTED,
  holdsExpunge: true,
  run: (context, reader, invocation) => run(context, reader, invocation, false),
}

/** UID SEARCH (RFC 9051 §6.4.9). */
export const uidSearch: Command = {
  name: 'UID SEARCH',
  states: SELECTED,
  run: (context, reader, invocation) => run(context, reader, invocation, true),
}

/** What a search is to tell (RFC 4731, RFC 5182, RFC 9394). */
export interface Returns {
  readonly options: ReadonlySet<string>
  /** A slice of the result, from its beginning or (negative) from its end. */
  readonly partial: { readonly first: number; readonly last: number; readonly text: string } | undefined
}

function* run(context: ImapContext, reader: Reader, { tag }: Invocation, byUid: boolean): Run {
  const returns = readReturns(reader)
  reader.space()
  const key = readKeys(reader, undefined)
  reader.end()
  const selected = context.selected!
  const mods = someKey(key, ({ kind }) => kind === 'modSeq')
  if (mods) context.enabled.add('CONDSTORE')
  const found = yield* find(selected, key, false)
  const numbers = found.map(({ uid }) => (byUid ? uid : selected.view.sequenceOf(uid)))
  const highest = mods && found.length > 0 ? Math.max(...found.map(({ modSeq }) => modSeq)) : undefined
  if (returns === undefined && !context.enabled.has('IMAP4REV2')) {
    // I58: also where it found nothing. RFC 7162 §3.1.6.
    const modSeq = highest === undefined ? '' : ` (MODSEQ ${highest})`
    context.say(`* SEARCH${numbers.map((number) => ` ${number}`).join('')}${modSeq}`)
    return ok('Searched')
  }
  sayExtended(context, selected, tag, byUid, returns ?? ALL, found, numbers, highest)
  return ok('Searched')
}

/** RFC 9051 §6.4.4: what is told where nothing else was asked for. */
const ALL: Returns = { options: new Set(['ALL']), partial: undefined }

/** Reads keys; where the charset is none that is known here, the command ends with NO. */
export function readKeys(reader: Reader, charset: string | undefined) {
  try {
    return readSearch(reader, charset)
  } catch (error) {
    throw error instanceof UnknownCharset ? badCharset : error
  }
}

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
  let partial: Returns['partial']
  reader.list(() => {
    const option = reader.word()
    if (!known.has(option)) throw new Malformed(`There is no option ${option}`)
    if (option === 'PARTIAL') {
      reader.space()
      partial = readPartial(reader)
    } else options.add(option)
  }, true)
  // RFC 4731 §3.1; RFC 9394 §3.1: a slice and all of it make no sense together.
  if (partial !== undefined && options.has('ALL')) throw new Malformed('PARTIAL or ALL')
  if (options.size === 0 && partial === undefined) options.add('ALL')
  return { options, partial }
}

const known: ReadonlySet<string> = new Set(['MIN', 'MAX', 'ALL', 'COUNT', 'SAVE', 'PARTIAL'])

function readPartial(reader: Reader): Returns['partial'] {
  const back = reader.maybe('-')
  const first = reader.nzNumber()
  reader.expect(':')
  if (back) reader.expect('-')
  const last = reader.nzNumber()
  const sign = back ? '-' : ''
  return { first: Math.min(first, last) * (back ? -1 : 1), last: Math.max(first, last) * (back ? -1 : 1),
    text: `${sign}${first}:${sign}${last}` }
}

/** Says ESEARCH, and saves what was to be saved. `numbers`: what was found, in the order in which it is told. */
export function sayExtended(
  context: ImapContext,
  selected: Selected,
  tag: string,
  byUid: boolean,
  { options, partial }: Returns,
  found: readonly ImapEntry[],
  numbers: readonly number[],
  highest: number | undefined,
): void {
  if (options.has('SAVE')) selected.saved = savedOf(options, partial, found)
  const parts: string[] = []
  if (numbers.length > 0) {
    if (options.has('MIN')) parts.push(`MIN ${numbers[0]!}`)
    if (options.has('MAX')) parts.push(`MAX ${numbers[numbers.length - 1]!}`)
    if (options.has('ALL')) parts.push(`ALL ${inOrder(numbers)}`)
  }
  if (options.has('COUNT')) parts.push(`COUNT ${numbers.length}`)
  if (partial) {
    const some = slice(numbers, partial)
    parts.push(`PARTIAL (${partial.text} ${some.length === 0 ? 'NIL' : inOrder(some)})`)
  }
  // RFC 5182 §2.1: SAVE alone says nothing.
  if (parts.length === 0 && options.has('SAVE') && options.size === 1) return
  if (highest !== undefined && numbers.length > 0) parts.push(`MODSEQ ${highest}`)
  context.say(`* ESEARCH (TAG "${tag}")${byUid ? ' UID' : ''}${parts.map((part) => ` ${part}`).join('')}`)
}

/** As a set where they ascend; sorted otherwise, one by one. */
function inOrder(numbers: readonly number[]): string {
  const ascend = numbers.every((number, at) => at === 0 || number > numbers[at - 1]!)
  return ascend ? formatSet(setOfAscending(numbers)) : numbers.join(',')
}

/** RFC 9394 §3.1: 1 is the first, -1 the last. */
function slice<Item>(items: readonly Item[], { first,
  last }: { readonly first: number; readonly last: number }): readonly Item[] {
  if (first > 0) return items.slice(first - 1, last)
  const end = items.length + first + 1
  return items.slice(Math.max(0, items.length + last), Math.max(0, end))
}

/** RFC 5182 §2.4: MIN and MAX alone save only what they tell. */
function savedOf(options: ReadonlySet<string>, partial: Returns['partial'], found: readonly ImapEntry[]): NumberSet {
  const uids = found.map(({ uid }) => uid).sort((a, b) => a - b)
  if (options.has('ALL') || options.has('COUNT')) return setOfAscending(uids)
  if (partial) return setOfAscending([...slice(uids, partial)])
  if (!options.has('MIN') && !options.has('MAX')) return setOfAscending(uids)
  const ends = [...(options.has('MIN') ? uids.slice(0, 1) : []), ...(options.has('MAX') ? uids.slice(-1) : [])]
  return setOfAscending([...new Set(ends)])
}
