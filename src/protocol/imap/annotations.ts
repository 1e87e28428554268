import { isAscii } from '../bytes/text.ts'
import { Malformed, type Reader } from './reader.ts'

/** Octets of a value that is taken (RFC 5464 §4.1: 1024 at least). */
export const MOST_VALUE = 4096

/** Octets of the name of an entry. */
const MOST_NAME = 256

/** Entries of one command. */
const MOST_ENTRIES = 64

/** What GETMETADATA asks for (RFC 5464 §4.2). */
export interface AnnotationsAsked {
  /** The name of a mailbox as it came; empty: the server. */
  readonly mailbox: string
  readonly entries: readonly string[]
  /** How far below the entries. */
  readonly depth: 0 | 1 | typeof Infinity
  /** Octets of values that are told. */
  readonly maxSize: number
}

/** What SETMETADATA is to change (RFC 5464 §4.3). */
export interface AnnotationsSet {
  readonly mailbox: string
  /** Values are octets; `undefined` removes. */
  readonly changes: readonly AnnotationChange[]
}

/** The new value of an entry; `undefined`: none. */
export type AnnotationChange = readonly [entry: string, value: string | undefined]

/** Reads what follows GETMETADATA. Options stand before the mailbox in the grammar, behind it in the examples of RFC 5464. */
export function readAnnotationsAsked(reader: Reader): AnnotationsAsked {
  let options: Options = { depth: 0, maxSize: Infinity }
  reader.space()
  if (reader.atList) {
    options = readOptions(reader)
    reader.space()
  }
  const mailbox = reader.astring()
  reader.space()
  if (reader.atList && atOptions(reader)) {
    options = readOptions(reader)
    reader.space()
  }
  const entries = reader.atList ? reader.list(() => readEntry(reader)) : [readEntry(reader)]
  reader.end()
  if (entries.length > MOST_ENTRIES) throw new Malformed('Too many entries')
  return { mailbox, entries, ...options }
}

/** Reads what follows SETMETADATA. */
export function readAnnotationsSet(reader: Reader): AnnotationsSet {
  reader.space()
  const mailbox = reader.astring()
  reader.space()
  const changes = reader.list((): AnnotationChange => {
    const entry = readEntry(reader)
    if (!isWhole(entry)) throw new Malformed('An entry that cannot have a value')
    reader.space()
    return [entry, reader.nstring()]
  })
  reader.end()
  if (changes.length > MOST_ENTRIES) throw new Malformed('Too many entries')
  return { mailbox, changes }
}

type Options = Pick<AnnotationsAsked, 'depth' | 'maxSize'>

/** An entry begins with a slash, whether or not it is quoted. */
function atOptions(reader: Reader): boolean {
  const mark = reader.mark()
  reader.expect('(')
  const octet = reader.peek() | 32
  reader.reset(mark)
  return octet >= 97 && octet <= 122
}

function readOptions(reader: Reader): Options {
  let depth: Options['depth'] = 0
  let maxSize = Infinity
  reader.list(() => {
    const option = reader.word()
    reader.space()
    if (option === 'MAXSIZE') maxSize = reader.number()
    else if (option === 'DEPTH') depth = depthOf(reader.word())
    else throw new Malformed('There is no option', { word: option })
  })
  return { depth, maxSize }
}

function depthOf(word: string): Options['depth'] {
  if (word === '0') return 0
  if (word === '1') return 1
  if (word === 'INFINITY') return Infinity
  throw new Malformed('0, 1 or infinity')
}

/** The name of an entry, in lower case, which is as good as any (RFC 5464 §3.2). */
function readEntry(reader: Reader): string {
  const name = reader.astring()
  if (!isName(name)) throw new Malformed('That is no name of an entry')
  return name.toLowerCase()
}

function isName(name: string): boolean {
  if (name.length > MOST_NAME || !isAscii(name) || name.includes('//') || name.endsWith('/')) return false
  for (let at = 0; at < name.length; at++) {
    const unit = name.charCodeAt(at)
    if (unit < 32 || unit === 127 || unit === 42 || unit === 37) return false
  }
  const lower = name.toLowerCase()
  return lower === '/private' || lower === '/shared' || lower.startsWith('/private/') || lower.startsWith('/shared/')
}

/** RFC 5464 §3.2: two components at least, and four of those of vendors. */
function isWhole(entry: string): boolean {
  const components = entry.split('/').length - 1
  return components >= (entry.split('/')[2] === 'vendor' ? 4 : 2)
}

/** Whether the entry is what was asked for, or lies so far below it. */
export function isWithin(entry: string, asked: string, depth: AnnotationsAsked['depth']): boolean {
  if (entry === asked) return true
  if (depth === 0 || !entry.startsWith(`${asked}/`)) return false
  return depth === Infinity || !entry.includes('/', asked.length + 1)
}
