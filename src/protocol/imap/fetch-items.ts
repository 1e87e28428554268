import { Malformed, Reader } from './reader.ts'

/** What of a part is asked for (RFC 9051 §6.4.5): all of its body, or a piece. */
export type SectionPart = 'ALL' | 'HEADER' | 'HEADER.FIELDS' | 'HEADER.FIELDS.NOT' | 'TEXT' | 'MIME'

/** `<origin.length>`. */
export interface Partial {
  readonly origin: number
  readonly length: number
}

/** Something that FETCH is to say of a message. */
export type FetchItem =
  | {
      readonly kind:
        | 'FLAGS' | 'UID' | 'INTERNALDATE' | 'RFC822.SIZE' | 'ENVELOPE' | 'BODYSTRUCTURE' | 'BODY' | 'MODSEQ' | 'PREVIEW'
        | 'SAVEDATE' | 'EMAILID' | 'THREADID'
    }
  | SectionItem
  | BinaryItem
  | { readonly kind: 'BINARY.SIZE'; readonly path: readonly number[]; readonly label: string }

/** BODY[…], or what RFC 3501 calls RFC822, RFC822.HEADER, RFC822.TEXT. */
export interface SectionItem {
  readonly kind: 'SECTION'
  readonly path: readonly number[]
  readonly part: SectionPart
  /** Of HEADER.FIELDS and its like: the names, in lower case. */
  readonly fields: ReadonlySet<string>
  readonly partial: Partial | undefined
  /** Does not set `\Seen`. */
  readonly peek: boolean
  /** What the answer calls it (I49, I55). */
  readonly label: string
}

/** BINARY[…] (RFC 3516). */
export interface BinaryItem {
  readonly kind: 'BINARY'
  readonly path: readonly number[]
  readonly partial: Partial | undefined
  readonly peek: boolean
  readonly label: string
}

/** Items of one FETCH, numbers of one section, names of one HEADER.FIELDS. */
const MOST_ITEMS = 100
const MOST_NUMBERS = 100
const MOST_FIELDS = 500

type Simple = Exclude<FetchItem['kind'], 'SECTION' | 'BINARY' | 'BINARY.SIZE'>

const simple: ReadonlySet<string> = new Set<Simple>([
  'FLAGS', 'UID', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODYSTRUCTURE', 'BODY', 'MODSEQ', 'PREVIEW', 'SAVEDATE', 'EMAILID',
  'THREADID',
])

const macros: ReadonlyMap<string, readonly Simple[]> = new Map([
  ['ALL', ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE'] as const],
  ['FAST', ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE'] as const],
  ['FULL', ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY'] as const],
])

const NO_FIELDS: ReadonlySet<string> = new Set()

/** RFC 3501 §6.4.5: names of old for sections. */
const rfc822: ReadonlyMap<string, SectionItem> = new Map([
  ['RFC822', section('ALL', false, 'RFC822')],
  ['RFC822.HEADER', section('HEADER', true, 'RFC822.HEADER')],
  ['RFC822.TEXT', section('TEXT', false, 'RFC822.TEXT')],
])

function section(part: SectionPart, peek: boolean, label: string): SectionItem {
  return { kind: 'SECTION', path: [], part, fields: NO_FIELDS, partial: undefined, peek, label }
}

/** Reads what FETCH asks for: a macro, an item, or a list of items. */
export function readFetchItems(reader: Reader): FetchItem[] {
  if (reader.atList) {
    const items = reader.list(() => readItem(reader))
    if (items.length > MOST_ITEMS) throw new Malformed('Too many items')
    return items
  }
  const name = reader.word()
  const macro = macros.get(name)
  return macro ? macro.map((kind) => ({ kind })) : [readNamed(reader, name)]
}

function readItem(reader: Reader): FetchItem {
  return readNamed(reader, reader.word())
}

function readNamed(reader: Reader, name: string): FetchItem {
  if (reader.peek() === 91) return readBracketed(reader, name)
  const old = rfc822.get(name)
  if (old) return old
  if (!simple.has(name)) throw new Malformed('There is no item', { word: name })
  // RFC 8970 §3.1: the only modifier asks for what is at hand; ours always is.
  if (name === 'PREVIEW' && reader.peek() === 32) readLazy(reader)
  return { kind: name as Simple }
}

function readLazy(reader: Reader): void {
  const back = reader.mark()
  reader.space()
  if (!reader.atList) return reader.reset(back)
  reader.list(() => {
    if (reader.word() !== 'LAZY') throw new Malformed('An unknown modifier of PREVIEW')
  })
}

function readBracketed(reader: Reader, name: string): FetchItem {
  const binary = name === 'BINARY' || name === 'BINARY.PEEK' || name === 'BINARY.SIZE'
  if (!binary && name !== 'BODY' && name !== 'BODY.PEEK') throw new Malformed('There is no item', { word: `${name}[` })
  reader.expect('[')
  const { path, rest } = readPath(reader)
  const part = rest ? readPart(reader, path) : 'ALL'
  const fields = part.startsWith('HEADER.FIELDS') ? readFields(reader) : []
  reader.expect(']')
  const named = fields.length === 0 ? '' : ` (${fields.map(fieldLabel).join(' ')})`
  const inside = `[${[...path, ...(part === 'ALL' ? [] : [part])].join('.')}${named}]`
  if (binary && part !== 'ALL') throw new Malformed('BINARY takes the number of a part')
  if (name === 'BINARY.SIZE') return { kind: 'BINARY.SIZE', path, label: `BINARY.SIZE${inside}` }
  const partial = reader.peek() === 60 ? readPartial(reader) : undefined
  const origin = partial ? `<${partial.origin}>` : ''
  const peek = name.endsWith('.PEEK')
  if (binary) return { kind: 'BINARY', path, partial, peek, label: `BINARY${inside}${origin}` }
  const names = fields.length === 0 ? NO_FIELDS : new Set(fields.map((field) => field.toLowerCase()))
  return { kind: 'SECTION', path, part, fields: names, partial, peek, label: `BODY${inside}${origin}` }
}

/** `1.2`, and whether a word follows. */
function readPath(reader: Reader): { path: number[]; rest: boolean } {
  const path: number[] = []
  while (reader.peek() >= 48 && reader.peek() <= 57) {
    if (path.length === MOST_NUMBERS) throw new Malformed('Too many numbers')
    path.push(reader.nzNumber())
    if (!reader.maybe('.')) return { path, rest: false }
  }
  return { path, rest: reader.peek() !== 93 || path.length > 0 }
}

function readPart(reader: Reader, path: readonly number[]): SectionPart {
  const part = reader.word()
  switch (part) {
    case 'MIME':
      // RFC 9051 §6.4.5: the message itself has a HEADER.
      if (path.length > 0) return part
      break
    case 'HEADER':
    case 'HEADER.FIELDS':
    case 'HEADER.FIELDS.NOT':
    case 'TEXT':
      return part
  }
  throw new Malformed('There is no such section')
}

/** A section as URLs name it, which name no fields. `undefined`: there is none such. */
export function parseSection(text: string): Pick<SectionItem, 'path' | 'part'> | undefined {
  const reader = new Reader([text])
  try {
    const { path, rest } = readPath(reader)
    const part = rest && !reader.done ? readPart(reader, path) : 'ALL'
    return reader.done && !part.startsWith('HEADER.FIELDS') && !text.endsWith('.') ? { path, part } : undefined
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}

function readFields(reader: Reader): string[] {
  reader.space()
  const fields = reader.list(() => reader.astring())
  if (fields.length > MOST_FIELDS) throw new Malformed('Too many fields')
  return fields
}

/** A name of a field as the answer repeats it. */
function fieldLabel(name: string): string {
  for (let at = 0; at < name.length; at++) {
    const unit = name.charCodeAt(at)
    if (unit <= 32 || unit >= 127 || '(){%*"\\]'.includes(name[at]!)) return quoted(name)
  }
  return name === '' ? '""' : name
}

/** No field has such a name: what cannot stand in a quoted string is told as `?`. */
function quoted(name: string): string {
  let text = ''
  for (let at = 0; at < name.length; at++) {
    const unit = name.charCodeAt(at)
    text += unit < 32 || unit >= 127 ? '?' : unit === 34 || unit === 92 ? `\\${name[at]!}` : name[at]!
  }
  return `"${text}"`
}

function readPartial(reader: Reader): Partial {
  reader.expect('<')
  const origin = reader.number64()
  reader.expect('.')
  const length = reader.number64()
  // I47: nz-number.
  if (length === 0) throw new Malformed('A length above 0 is missing')
  reader.expect('>')
  return { origin, length }
}
