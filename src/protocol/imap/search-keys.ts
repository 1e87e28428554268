import { decodeText, isCharset } from '../../message/charset.ts'
import { foldText } from '../../message/search-text.ts'
import { fromUtf8Octets, octets } from '../bytes/text.ts'
import { readDate } from './dates.ts'
import { Malformed, MOST_DEPTH, type Reader } from './reader.ts'
import type { SequenceSet } from './sequence-set.ts'

/** What a message must be to be found (RFC 9051 §6.4.4). Words are folded. */
export type SearchKey =
  | { readonly kind: 'all' }
  | { readonly kind: 'recent' }
  | { readonly kind: 'flag'; readonly flag: string }
  | {
      readonly kind: 'date'
      readonly of: 'received' | 'sent' | 'saved'
      readonly how: 'before' | 'on' | 'since'
      /** Its beginning, in milliseconds since the Unix epoch. */
      readonly day: number
    }
  | { readonly kind: 'age'; readonly how: 'older' | 'younger'; readonly seconds: number }
  | { readonly kind: 'address'; readonly field: 'from' | 'to' | 'cc' | 'bcc'; readonly words: string }
  | { readonly kind: 'subject'; readonly words: string }
  | { readonly kind: 'header'; readonly name: string; readonly words: string }
  | { readonly kind: 'text'; readonly where: 'body' | 'text'; readonly words: string }
  | { readonly kind: 'size'; readonly how: 'larger' | 'smaller'; readonly octets: number }
  | { readonly kind: 'uids' | 'sequences'; readonly set: SequenceSet }
  | { readonly kind: 'modSeq'; readonly least: number }
  | { readonly kind: 'id'; readonly of: 'M' | 'T'; readonly id: string }
  | { readonly kind: 'not'; readonly key: SearchKey }
  | { readonly kind: 'or' | 'and'; readonly keys: readonly SearchKey[] }

/** Keys of one search. */
const MOST_KEYS = 1000

type Words = (reader: Reader) => string

const flags: ReadonlyMap<string, string> = new Map([
  ['ANSWERED', '\\Answered'], ['DELETED', '\\Deleted'], ['DRAFT', '\\Draft'], ['FLAGGED', '\\Flagged'], ['SEEN', '\\Seen'],
])

/** A charset that words cannot be read in. */
export class UnknownCharset extends Error {}

/**
 * Reads a search program: a charset, where it may name one, and keys that all must be met. `charset`: one that was read before
 * (SORT), in which words are. `utf8Only`: it may name none. Throws {@link UnknownCharset} for one that is not known here.
 */
export function readSearch(reader: Reader, charset: string | undefined, utf8Only = false): SearchKey {
  let given = charset
  if (charset === undefined) {
    const mark = reader.mark()
    if (!reader.atLiteral && !reader.atList && isWord(reader.peek()) && reader.word() === 'CHARSET') {
      if (utf8Only) throw new Malformed('There is but one charset, UTF-8')
      reader.space()
      given = reader.astring()
      reader.space()
    } else reader.reset(mark)
  }
  const parser = new SearchParser(wordsIn(given ?? 'utf-8'))
  return parser.program(reader)
}

const isWord = (octet: number): boolean => (octet | 32) >= 97 && (octet | 32) <= 122

/** Reads words in a charset (I57). */
function wordsIn(charset: string): Words {
  const name = charset.toLowerCase()
  const utf8 = name === 'utf-8' || name === 'us-ascii'
  if (!utf8 && !isCharset(name)) throw new UnknownCharset(charset)
  return (reader) => {
    const text = reader.astring()
    return foldText((utf8 ? fromUtf8Octets(text) : undefined) ?? decodeText(octets(text), utf8 ? undefined : name))
  }
}

class SearchParser {
  private readonly words: Words
  private count = 0

  constructor(words: Words) {
    this.words = words
  }

  /** Keys up to the end. */
  program(reader: Reader): SearchKey {
    const keys: SearchKey[] = [this.key(reader, 0)]
    while (reader.maybeSpace()) keys.push(this.key(reader, 0))
    return all(keys)
  }

  private key(reader: Reader, depth: number): SearchKey {
    if (depth > MOST_DEPTH || ++this.count > MOST_KEYS) throw new Malformed('A search that is too large')
    if (reader.atList) return all(reader.list(() => this.key(reader, depth + 1)))
    const octet = reader.peek()
    if (octet === 42 || octet === 36 || (octet >= 48 && octet <= 57)) return { kind: 'sequences', set: reader.sequenceSet() }
    return this.named(reader, reader.word(), depth)
  }

  private named(reader: Reader, name: string, depth: number): SearchKey {
    const flag = flags.get(name.startsWith('UN') ? name.slice(2) : name)
    if (flag !== undefined) return name.startsWith('UN') ? not({ kind: 'flag', flag }) : { kind: 'flag', flag }
    switch (name) {
      case 'ALL':
      // RFC 8514 §4.3: dates of saving are kept here.
      case 'SAVEDATESUPPORTED':
        return { kind: 'all' }
      case 'RECENT':
        return { kind: 'recent' }
      case 'OLD':
        return not({ kind: 'recent' })
      case 'NEW':
        return all([{ kind: 'recent' }, not({ kind: 'flag', flag: '\\Seen' })])
      case 'NOT':
        reader.space()
        return not(this.key(reader, depth + 1))
      case 'OR': {
        reader.space()
        const first = this.key(reader, depth + 1)
        reader.space()
        return { kind: 'or', keys: [first, this.key(reader, depth + 1)] }
      }
      default:
        reader.space()
        return this.withArgument(reader, name)
    }
  }

  private withArgument(reader: Reader, name: string): SearchKey {
    switch (name) {
      case 'KEYWORD':
        return { kind: 'flag', flag: reader.flag() }
      case 'UNKEYWORD':
        return not({ kind: 'flag', flag: reader.flag() })
      case 'FROM':
      case 'TO':
      case 'CC':
      case 'BCC':
        return { kind: 'address', field: name.toLowerCase() as 'from' | 'to' | 'cc' | 'bcc', words: this.words(reader) }
      case 'SUBJECT':
        return { kind: 'subject', words: this.words(reader) }
      case 'BODY':
      case 'TEXT':
        return { kind: 'text', where: name === 'BODY' ? 'body' : 'text', words: this.words(reader) }
      case 'HEADER': {
        const field = reader.astring().toLowerCase()
        reader.space()
        return { kind: 'header', name: field, words: this.words(reader) }
      }
      case 'LARGER':
      case 'SMALLER':
        return { kind: 'size', how: name === 'LARGER' ? 'larger' : 'smaller', octets: reader.number64() }
      case 'OLDER':
      case 'YOUNGER':
        return { kind: 'age', how: name === 'OLDER' ? 'older' : 'younger', seconds: reader.nzNumber() }
      case 'UID':
        return { kind: 'uids', set: reader.sequenceSet() }
      case 'MODSEQ':
        return readModSeq(reader)
      case 'EMAILID':
      case 'THREADID':
        return { kind: 'id', of: name === 'EMAILID' ? 'M' : 'T', id: reader.astring() }
      default:
        return readDated(reader, name)
    }
  }
}

/** `BEFORE`, `SENTON`, `SAVEDSINCE` and their like. */
function readDated(reader: Reader, name: string): SearchKey {
  const of = name.startsWith('SENT') ? 'sent' : name.startsWith('SAVED') ? 'saved' : 'received'
  const how = name.slice(of === 'received' ? 0 : of === 'sent' ? 4 : 5).toLowerCase()
  if (how !== 'before' && how !== 'on' && how !== 'since') throw new Malformed('There is no search key', { word: name })
  return { kind: 'date', of, how, day: readDate(reader) }
}

/** RFC 7162 §3.1.5: the mod-sequence of a single flag is that of the message here. */
function readModSeq(reader: Reader): SearchKey {
  if (reader.peek() === 34) {
    reader.quoted()
    reader.space()
    const which = reader.word()
    if (which !== 'PRIV' && which !== 'SHARED' && which !== 'ALL') throw new Malformed('PRIV, SHARED or ALL')
    reader.space()
  }
  return { kind: 'modSeq', least: reader.number64() }
}

const not = (key: SearchKey): SearchKey => ({ kind: 'not', key })

const all = (keys: readonly SearchKey[]): SearchKey => (keys.length === 1 ? keys[0]! : { kind: 'and', keys })

/** Whether a key, or one in it, is so. */
export function someKey(key: SearchKey, is: (key: SearchKey) => boolean): boolean {
  if (is(key)) return true
  if (key.kind === 'not') return someKey(key.key, is)
  return (key.kind === 'or' || key.kind === 'and') && key.keys.some((one) => someKey(one, is))
}

/** Whether a key is so, or all are that it is put together from. */
export function everyKey(key: SearchKey, is: (key: SearchKey) => boolean): boolean {
  if (key.kind === 'not') return everyKey(key.key, is)
  return key.kind === 'or' || key.kind === 'and' ? key.keys.every((one) => everyKey(one, is)) : is(key)
}

/** Keys that must all be met: those of an `and`, and of every `and` in it. */
export function* musts(key: SearchKey): Generator<SearchKey> {
  if (key.kind !== 'and') yield key
  else for (const one of key.keys) yield* musts(one)
}
