import { baseSubject } from '../../message/base-subject.ts'
import { parseDate } from '../../message/date.ts'
import { decodeEncodedWords } from '../../message/encoded-words.ts'
import type { EnvelopeAddress } from '../../message/envelope-addresses.ts'
import { envelopeFieldOf } from '../../message/packed-facts.ts'
import { foldText } from '../../message/search-text.ts'
import { fromUtf8Octets } from '../bytes/text.ts'
import type { ImapMessage } from './mailbox.ts'
import { type Pieces, piecesOf } from './pieces.ts'
import { type TextColumn, textColumn } from './text-column.ts'
import type { Linked } from './threads.ts'

/** What searching, sorting and threading look at of each of several messages. */
export interface ValueColumn<Value> {
  /** Ascending. */
  readonly uids: readonly number[]
  /** One for each of them. */
  readonly values: readonly Value[]
  /** Octets of memory that it takes, about. */
  readonly weight: number
}

/** The kinds of columns, and what each is. */
export interface Columns {
  /** What the fields say, decoded and folded; of addresses each by itself. */
  readonly subject: TextColumn
  readonly from: TextColumn
  readonly to: TextColumn
  readonly cc: TextColumn
  readonly bcc: TextColumn
  /** The day of the Date field by the clock it was read from, milliseconds since the Unix epoch; NaN where there is none. */
  readonly 'sent day': ValueColumn<number>
  /** RFC 5256 §2.2: the Date field, or else when the message was received; milliseconds since the Unix epoch. */
  readonly 'sent': ValueColumn<number>
  /** What is sorted by, folded. */
  readonly 'base subject': ValueColumn<string>
  readonly 'first from': ValueColumn<string>
  readonly 'first to': ValueColumn<string>
  readonly 'first cc': ValueColumn<string>
  readonly 'display from': ValueColumn<string>
  readonly 'display to': ValueColumn<string>
  readonly 'thread': ValueColumn<Linked>
  /** Where the text of the message is. */
  readonly 'pieces': ValueColumn<Pieces>
}

/** A kind of column. */
export type ColumnKind = keyof Columns

/** A column of some kind. */
export type Column = Columns[ColumnKind]

/**
 * What a kind of column says of messages, which ascend by UID. It depends on nothing but the messages, and those never change:
 * so a host may keep it for as long as it likes.
 */
export function columnOf<Kind extends ColumnKind>(kind: Kind, messages: readonly ImapMessage[]): Columns[Kind] {
  return makers[kind](messages)
}

const makers: { readonly [Kind in ColumnKind]: (messages: readonly ImapMessage[]) => Columns[Kind] } = {
  subject: (messages) => textColumn(messages, subjectTexts),
  from: (messages) => textColumn(messages, ({ facts }) => addressTexts(envelopeFieldOf(facts, 'from'))),
  to: (messages) => textColumn(messages, ({ facts }) => addressTexts(envelopeFieldOf(facts, 'to'))),
  cc: (messages) => textColumn(messages, ({ facts }) => addressTexts(envelopeFieldOf(facts, 'cc'))),
  bcc: (messages) => textColumn(messages, ({ facts }) => addressTexts(envelopeFieldOf(facts, 'bcc'))),
  'sent day': (messages) => numbers(messages, sentDay),
  sent: (messages) => numbers(messages, sentTime),
  'base subject': (messages) => strings(messages, (message) => foldText(baseSubject(subjectOf(message)).text)),
  'first from': (messages) => strings(messages, ({ facts }) => firstOf(envelopeFieldOf(facts, 'from'))),
  'first to': (messages) => strings(messages, ({ facts }) => firstOf(envelopeFieldOf(facts, 'to'))),
  'first cc': (messages) => strings(messages, ({ facts }) => firstOf(envelopeFieldOf(facts, 'cc'))),
  'display from': (messages) => strings(messages, ({ facts }) => displayed(envelopeFieldOf(facts, 'from'))),
  'display to': (messages) => strings(messages, ({ facts }) => displayed(envelopeFieldOf(facts, 'to'))),
  thread: (messages) => column(messages, linkedOf, ({ id = '', references, subject }) =>
    references.reduce((weight, { length }) => weight + stringWeight(length), 128 + stringWeight(id.length + subject.length))),
  pieces: (messages) => column(messages, piecesOf, ({ pieces }) => 120 + 112 * pieces.length),
}

function column<Value>(
  messages: readonly ImapMessage[],
  valueOf: (message: ImapMessage) => Value,
  weightOf: (value: Value) => number,
): ValueColumn<Value> {
  const values = messages.map(valueOf)
  return { uids: messages.map(({ uid }) => uid), values, weight: values.reduce((sum, value) => sum + 16 + weightOf(value), 200) }
}

const numbers = (messages: readonly ImapMessage[], valueOf: (message: ImapMessage) => number): ValueColumn<number> =>
  column(messages, valueOf, () => 8)

/** Many messages have the same: their strings are one. */
function strings(messages: readonly ImapMessage[], valueOf: (message: ImapMessage) => string): ValueColumn<string> {
  const known = new Map<string, string>()
  let weight = 0
  const valueOnce = (message: ImapMessage): string => {
    const value = valueOf(message)
    const same = known.get(value)
    if (same !== undefined) return same
    known.set(value, value)
    weight += stringWeight(value.length)
    return value
  }
  const made = column(messages, valueOnce, () => 0)
  return { ...made, weight: made.weight + weight }
}

/** Octets that a string takes at the most. */
const stringWeight = (length: number): number => 24 + 2 * length

/** A day in milliseconds. */
const DAY = 86_400_000

/** The day by the clock that the date was read from: neither time nor zone counts (I59). */
function sentDay({ facts }: ImapMessage): number {
  const date = envelopeFieldOf(facts, 'date')
  const sent = date === undefined ? undefined : parseDate(date)
  return sent === undefined ? Number.NaN : Math.floor((sent.epochMs + sent.zoneMinutes * 60_000) / DAY) * DAY
}

/** RFC 5322 §3.3: no date is before. Programs that counted years from 1900 wrote 0102 for 2002. */
const EARLIEST = Date.UTC(1900, 0, 1)

/** RFC 5256 §2.2: where the message names no date that can be, the one at which it was received. */
function sentTime({ facts, received }: ImapMessage): number {
  const date = envelopeFieldOf(facts, 'date')
  const sent = date === undefined ? undefined : parseDate(date)?.epochMs
  return sent === undefined || sent < EARLIEST ? received : sent
}

/** A string of the header as a text: encoded words, and octets that stand there raw. */
function decoded(text: string): string {
  return decodeEncodedWords(fromUtf8Octets(text) ?? text)
}

const subjectOf = ({ facts }: ImapMessage): string => decoded(envelopeFieldOf(facts, 'subject') ?? '')

/** None where there is no such field: no words are in every subject, but not in none. */
function subjectTexts({ facts }: ImapMessage): readonly string[] {
  const subject = envelopeFieldOf(facts, 'subject')
  return subject === undefined ? [] : [foldText(decoded(subject))]
}

const addressTexts = (list: readonly EnvelopeAddress[] = []): readonly string[] =>
  list.map(([name, , local, domain]) => foldText(`${decoded(name ?? '')} <${decoded(local ?? '')}@${decoded(domain ?? '')}>`))

/** RFC 5957 §3: the name if there is one, else the address. */
function displayed(list: readonly EnvelopeAddress[] | undefined): string {
  const first = list?.[0]
  if (!first) return ''
  const [name, , local, domain] = first
  return foldText(name ? decoded(name) : `${addressPart(local)}@${addressPart(domain)}`)
}

/** RFC 2047 §5: an encoded word is none in an address. */
const addressPart = (part: string | null | undefined): string => fromUtf8Octets(part ?? '') ?? part ?? ''

const firstOf = (list: readonly EnvelopeAddress[] | undefined): string => foldText(addressPart(list?.[0]?.[2]))

function linkedOf(message: ImapMessage): Linked {
  const { facts } = message
  const { text, reply } = baseSubject(subjectOf(message))
  return { id: facts.messageId, references: facts.references, subject: foldText(text), reply, sent: sentTime(message) }
}
