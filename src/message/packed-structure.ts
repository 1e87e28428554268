import type { ImapTextReader } from './imap-text-reader.ts'
import type { Part } from './structure.ts'

/** Of each part, before those that it holds: header, body, end, lines, bits. */
export type PartNumbers = readonly number[]

/** Numbers of a part. */
const EACH = 5

const EIGHT_BIT = 1
const NUL = 2
/** The text shows an encoding, a charset, that the header does not name. */
const NO_ENCODING = 4
const NO_CHARSET = 8

/** Whether BODYSTRUCTURE says all of the structure that its numbers do not: everything but what it shows as something else. */
export function isPlain(root: Part): boolean {
  for (const waiting = [root]; waiting.length > 0;) {
    const part = waiting.pop()!
    if (part.opaque || part.envelope || part.params?.length === 0 || part.language?.length === 0) return false
    if (!part.parts) {
      if (part.type.toLowerCase() === 'multipart') return false
      continue
    }
    // Of a multipart it does not show these.
    const { id, description, encoding, md5 } = part
    if (part.type !== 'multipart' || part.parts.length === 0 || part.eightBit || part.nul) return false
    if ((id ?? description ?? encoding ?? md5) !== undefined) return false
    for (const child of part.parts) waiting.push(child)
  }
  return true
}

/** The numbers of a plain structure. */
export function numbersOf(root: Part): PartNumbers {
  const numbers: number[] = []
  for (const waiting = [root]; waiting.length > 0;) {
    const part = waiting.pop()!
    numbers.push(part.header, part.body, part.end, part.lines, bitsOf(part))
    for (let at = (part.parts?.length ?? 0) - 1; at >= 0; at--) waiting.push(part.parts![at]!)
  }
  return numbers
}

function bitsOf({ type, params, encoding, eightBit, nul, parts }: Part): number {
  const bits = (eightBit ? EIGHT_BIT : 0) | (nul ? NUL : 0)
  if (parts) return bits
  const noCharset = type.toLowerCase() === 'text' && !params?.some(([name]) => name.toLowerCase() === 'charset')
  return bits | (encoding === undefined ? NO_ENCODING : 0) | (noCharset ? NO_CHARSET : 0)
}

/** The structure that BODYSTRUCTURE and the numbers say. */
export function readStructure(reader: ImapTextReader, numbers: PartNumbers): Part {
  const open: { readonly part: Part; readonly parts: Part[] }[] = []
  for (let at = 0; ; at += EACH) {
    reader.open()
    const [header = 0, body = 0, end = 0, lines = 0, bits = 0] = numbers.slice(at, at + EACH)
    if (at >= numbers.length) throw new SyntaxError('more parts than numbers')
    let part: Part = { type: 'multipart', subtype: '', header, body, end, lines }
    if (reader.atList) {
      part.parts = []
      open[open.length - 1]?.parts.push(part)
      open.push({ part, parts: part.parts })
      continue
    }
    readLeaf(reader, part, bits)
    open[open.length - 1]?.parts.push(part)
    while (open.length > 0 && !reader.atList) {
      part = open.pop()!.part
      readMultipart(reader, part)
    }
    if (open.length === 0) return part
  }
}

function readLeaf(reader: ImapTextReader, part: Part, bits: number): void {
  part.type = reader.nstring() ?? ''
  part.subtype = reader.nstring() ?? ''
  const params = reader.parameters()
  if ((bits & NO_CHARSET) !== 0) params.pop()
  if (params.length > 0) part.params = params
  const id = reader.nstring()
  const description = reader.nstring()
  const encoding = reader.nstring()
  if (id !== null) part.id = id
  if (description !== null) part.description = description
  if (encoding !== null && (bits & NO_ENCODING) === 0) part.encoding = encoding
  reader.number()
  if (part.type.toLowerCase() === 'text') reader.number()
  const md5 = reader.nstring()
  if (md5 !== null) part.md5 = md5
  if ((bits & EIGHT_BIT) !== 0) part.eightBit = true
  if ((bits & NUL) !== 0) part.nul = true
  readExtension(reader, part)
}

function readMultipart(reader: ImapTextReader, part: Part): void {
  part.subtype = reader.nstring() ?? ''
  const params = reader.parameters()
  if (params.length > 0) part.params = params
  readExtension(reader, part)
}

function readExtension(reader: ImapTextReader, part: Part): void {
  const disposition = reader.disposition()
  if (disposition) part.disposition = disposition
  const language = reader.strings()
  if (language) part.language = language
  const location = reader.nstring()
  if (location !== null) part.location = location
  reader.maybeClose()
}
