import { parseDate } from '../../../message/date.ts'
import type { EnvelopeAddress } from '../../../message/envelope-addresses.ts'
import { decodeEncodedWords } from '../../../message/encoded-words.ts'
import { foldText, headerText, isText, partsOf } from '../../../message/search-text.ts'
import type { Part } from '../../../message/structure.ts'
import { fromUtf8Octets, octets, octetString } from '../../bytes/text.ts'
import type { ImapEntry, ImapMessage } from '../mailbox.ts'
import { contains, type NumberSet } from '../ranges.ts'
import { ask, type Run } from '../run.ts'
import type { SearchKey } from '../search-keys.ts'
import { selectFields } from '../section.ts'
import { objectId, threadId } from './object-id.ts'
import { look, type Looked, partContains } from './text-search.ts'
import { isWithout } from './words.ts'

/** A day in milliseconds. */
const DAY = 86_400_000

/** What a look at addresses counts for, in octets that are looked through. */
const ADDRESS_COST = 200

/** What keys may look at beside the message. */
export interface SearchScope extends Looked {
  /** Sets of the search, resolved: by the key that names them. */
  readonly sets: ReadonlyMap<SearchKey, NumberSet>
  readonly recent: NumberSet
  /** Milliseconds since the Unix epoch. */
  readonly now: number
}

/** A message that is looked at, with what of it has been fetched. */
export class Candidate {
  readonly entry: ImapEntry
  private headerOctets: Uint8Array | undefined
  private folded: string | undefined
  private readonly addresses = new Map<string, readonly string[]>()

  constructor(entry: ImapEntry) {
    this.entry = entry
  }

  get facts(): ImapMessage['facts'] {
    return (this.entry as ImapMessage).facts
  }

  /** The addresses of a field, folded. */
  addressWords(field: 'from' | 'to' | 'cc' | 'bcc'): readonly string[] {
    let words = this.addresses.get(field)
    if (words === undefined) this.addresses.set(field, (words = (this.facts.envelope[field] ?? []).map(addressText)))
    return words
  }

  /** The whole header. */
  *header(): Run<Uint8Array> {
    this.headerOctets ??= yield* this.octets(this.facts.structure.header, this.facts.structure.body)
    return this.headerOctets
  }

  /** What the header says, folded. */
  *headerWords(): Run<string> {
    this.folded ??= foldText(headerText(yield* this.header()))
    return this.folded
  }

  /** The header of a part below the message, which is text of the message. */
  *partHeader(part: Part): Run<string> {
    return foldText(headerText(yield* this.octets(part.header, part.body)))
  }

  private *octets(start: number, end: number): Run<Uint8Array> {
    if (start >= end) return new Uint8Array(0)
    const [bytes] = yield* ask({ kind: 'octets', ranges: [{ message: this.entry.id, start, end }] })
    return bytes ?? new Uint8Array(0)
  }
}

/** Whether what a key looks at is known without what the message says. */
export function isOfEntry({ kind }: SearchKey): boolean {
  return kind !== 'address' && kind !== 'subject' && kind !== 'header' && kind !== 'text' && kind !== 'date' && kind !== 'id'
}

/** Whether the message is what the key asks for. */
export function* matches(scope: SearchScope, key: SearchKey, candidate: Candidate): Run<boolean> {
  switch (key.kind) {
    case 'not':
      return !(yield* matches(scope, key.key, candidate))
    case 'and':
      for (const one of key.keys) if (!(yield* matches(scope, one, candidate))) return false
      return true
    case 'or':
      for (const one of key.keys) if (yield* matches(scope, one, candidate)) return true
      return false
    case 'header':
      return yield* headerMatches(scope, candidate, key)
    case 'text':
      return yield* textMatches(scope, candidate, key)
    case 'address':
      if (isWithout(candidate.entry as ImapMessage, key.words)) return false
      yield* look(scope, ADDRESS_COST)
      return candidate.addressWords(key.field).some((address) => address.includes(key.words))
    default:
      return matchesNow(scope, key, candidate)
  }
}

type Simple = Exclude<SearchKey, { readonly kind: 'not' | 'and' | 'or' | 'header' | 'text' | 'address' }>

function matchesNow(scope: SearchScope, key: Simple, candidate: Candidate): boolean {
  const { entry } = candidate
  switch (key.kind) {
    case 'all':
      return true
    case 'recent':
      return contains(scope.recent, entry.uid)
    case 'flag':
      return hasFlag(entry, key.flag)
    case 'size':
      return key.how === 'larger' ? entry.octets > key.octets : entry.octets < key.octets
    case 'uids':
    case 'sequences':
      return contains(scope.sets.get(key)!, entry.uid)
    case 'modSeq':
      return entry.modSeq >= key.least
    case 'age': {
      const old = (scope.now - entry.received) / 1000
      return key.how === 'older' ? old >= key.seconds : old <= key.seconds
    }
    case 'date':
      return dateMatches(key, dayOf(key.of, candidate))
    case 'subject': {
      if (isWithout(entry as ImapMessage, key.words)) return false
      const { subject } = candidate.facts.envelope
      // No words are in every subject, but not in none.
      return subject !== undefined && foldText(decoded(subject)).includes(key.words)
    }
    case 'id':
      return key.id === (key.of === 'M' ? objectId('M', entry.id) : threadId(candidate.facts))
  }
}

/** Keywords are compared without case (RFC 9051 §2.3.2). */
function hasFlag({ flags }: ImapEntry, flag: string): boolean {
  if (flags.includes(flag)) return true
  const lower = flag.toLowerCase()
  return flags.some((one) => one.length === lower.length && one.toLowerCase() === lower)
}

/** The day by the clock that the date was read from: neither time nor zone counts (I59). */
function dayOf(of: 'received' | 'sent' | 'saved', { entry, facts }: Candidate): number | undefined {
  if (of !== 'sent') return Math.floor((of === 'saved' ? entry.saved : entry.received) / DAY) * DAY
  const sent = facts.envelope.date === undefined ? undefined : parseDate(facts.envelope.date)
  return sent && Math.floor((sent.epochMs + sent.zoneMinutes * 60_000) / DAY) * DAY
}

function dateMatches({ how, day }: Extract<SearchKey, { kind: 'date' }>, found: number | undefined): boolean {
  if (found === undefined) return false
  return how === 'on' ? found === day : how === 'before' ? found < day : found >= day
}

/** A string of the header as a text: encoded words, and octets that stand there raw. */
export function decoded(text: string): string {
  return decodeEncodedWords(fromUtf8Octets(text) ?? text)
}

function addressText([name, , local, domain]: EnvelopeAddress): string {
  return foldText(`${decoded(name ?? '')} <${decoded(local ?? '')}@${decoded(domain ?? '')}>`)
}

function* headerMatches(
  scope: SearchScope,
  candidate: Candidate,
  { name, words }: Extract<SearchKey, { kind: 'header' }>,
): Run<boolean> {
  const header = octetString(yield* candidate.header())
  yield* look(scope, header.length)
  for (const field of fieldsOf(header, name)) {
    // I59: no words ask whether it is there.
    if (words === '' || foldText(headerText(octets(field))).includes(words)) return true
  }
  return false
}

/** The bodies of the fields of that name, in lower case. */
function fieldsOf(header: string, name: string): string[] {
  const fields: string[] = []
  for (const line of selectFields(header, new Set([name]), false).split('\r\n')) {
    if (line === '') continue
    if ((line.startsWith(' ') || line.startsWith('\t')) && fields.length > 0) fields[fields.length - 1] += `\r\n${line}`
    else fields.push(line.slice(line.indexOf(':') + 1).trimStart())
  }
  return fields
}

function* textMatches(
  scope: SearchScope,
  candidate: Candidate,
  { where, words }: Extract<SearchKey, { kind: 'text' }>,
): Run<boolean> {
  if (words === '') return true
  if (where === 'text') {
    const header = yield* candidate.headerWords()
    yield* look(scope, header.length)
    if (header.includes(words)) return true
  }
  const { id } = candidate.entry
  const [root, ...below] = partsOf(candidate.facts.structure)
  if (isText(root!) && (yield* partContains(scope, id, root!, words))) return true
  for (const part of below) {
    // RFC 9051 §6.4.4: the header of a part is text of the message it is in, but no header is part of its body.
    if (where === 'text') {
      const header = yield* candidate.partHeader(part)
      yield* look(scope, header.length)
      if (header.includes(words)) return true
    }
    if (isText(part) && (yield* partContains(scope, id, part, words))) return true
  }
  return false
}
