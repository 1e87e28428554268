import { baseSubject } from '../../../../message/base-subject.ts'
import { parseDate } from '../../../../message/date.ts'
import type { EnvelopeAddress } from '../../../../message/envelope-addresses.ts'
import { foldText } from '../../../../message/search-text.ts'
import { fromUtf8Octets } from '../../../bytes/text.ts'
import type { ImapMessage } from '../../mailbox.ts'
import { Malformed, type Reader } from '../../reader.ts'
import { ok, type Run } from '../../run.ts'
import { type Command, type ImapContext, type Invocation, SELECTED } from '../context.ts'
import { decoded } from '../matching.ts'
import { sayNotFollowed } from '../following.ts'
import { search as find } from '../searching.ts'
import { asksModSeq, type Found, modSeqText, readKeys, readReturns, sayExtended, saving } from './search.ts'

/** SORT (RFC 5256). */
export const sort: Command = {
  name: 'SORT',
  states: SELECTED,
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

/** What to sort by. */
interface Criterion {
  readonly by: string
  readonly reverse: boolean
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
    const sorted = sortRows(yield* find(selected, key, true, (message) => rowOf(message, criteria)), criteria)
    const numbers = sorted.map(({ uid }) => (byUid ? uid : selected.view.sequenceOf(uid)))
    const mods = asksModSeq(context, key)
    // RFC 5267 §3; RFC 7162 §3.1.10.
    // RFC 5267 §4.3.1: to keep an order up to date costs more than to ask for it anew.
    if (returns?.update) sayNotFollowed(context, tag)
    if (returns) sayExtended(context, selected, `TAG "${tag}"`, byUid, returns, sorted, numbers, mods)
    else context.say(`* SORT${numbers.map((number) => ` ${number}`).join('')}${mods ? modSeqText(sorted) : ''}`)
  })
  return ok('Sorted')
}

function readCriterion(reader: Reader): Criterion {
  const word = reader.word()
  const reverse = word === 'REVERSE'
  if (reverse) reader.space()
  const by = reverse ? reader.word() : word
  if (!valueOf.has(by)) throw new Malformed(`There is no criterion ${by}`)
  return { by, reverse }
}

type Value = (message: ImapMessage) => string | number

/** RFC 5957 §3: the name if there is one, else the address. */
const display = (list: readonly EnvelopeAddress[] | undefined): string => {
  const first = list?.[0]
  if (!first) return ''
  const [name, , local, domain] = first
  return foldText(name ? decoded(name) : `${addressPart(local)}@${addressPart(domain)}`)
}

/** RFC 2047 §5: an encoded word is none in an address. */
const addressPart = (part: string | null | undefined): string => fromUtf8Octets(part ?? '') ?? part ?? ''

const mailbox = (list: readonly EnvelopeAddress[] | undefined): string => foldText(addressPart(list?.[0]?.[2]))

const valueOf: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['ARRIVAL', ({ received }) => received],
  ['DATE', sentDate],
  ['SIZE', ({ octets }) => octets],
  ['FROM', ({ facts }) => mailbox(facts.envelope.from)],
  ['TO', ({ facts }) => mailbox(facts.envelope.to)],
  ['CC', ({ facts }) => mailbox(facts.envelope.cc)],
  ['SUBJECT', ({ facts }) => foldText(baseSubject(decoded(facts.envelope.subject ?? '')).text)],
  ['DISPLAYFROM', ({ facts }) => display(facts.envelope.from)],
  ['DISPLAYTO', ({ facts }) => display(facts.envelope.to)],
])

/** RFC 5322 §3.3: no date is before. Programs that counted years from 1900 wrote 0102 for 2002. */
const EARLIEST = Date.UTC(1900, 0, 1)

/** RFC 5256 §2.2: where the message names no date that can be, the one at which it was received. */
export function sentDate({ facts, received }: ImapMessage): number {
  const { date } = facts.envelope
  const sent = date === undefined ? undefined : parseDate(date)?.epochMs
  return sent === undefined || sent < EARLIEST ? received : sent
}

/** A message, as far as it matters where it is sorted in: mailboxes are large. */
interface Row extends Found {
  readonly values: readonly (string | number)[]
}

function rowOf(message: ImapMessage, criteria: readonly Criterion[]): Row {
  const { uid, modSeq } = message
  return { uid, modSeq, values: criteria.map(({ by }) => valueOf.get(by)!(message)) }
}

/** Sorted; what is the same stays in the order of the mailbox (I60). */
function sortRows(rows: Row[], criteria: readonly Criterion[]): Row[] {
  return rows.sort((a, b) => {
    for (const [at, { reverse }] of criteria.entries()) {
      const [x, y] = [a.values[at]!, b.values[at]!]
      if (x !== y) return x < y === reverse ? 1 : -1
    }
    return 0
  })
}
