import type { ByteRange } from '../../contracts/bodies.ts'
import type { NewMessage } from '../../contracts/store.ts'
import { decodeText, decodeUnlabelled } from '../../message/charset.ts'
import { parseTransferEncoding } from '../../message/content.ts'
import { decodeEncodedWords } from '../../message/encoded-words.ts'
import { withoutMarkup } from '../../message/preview.ts'
import type { Part } from '../../message/structure.ts'
import { decodeTransfer } from '../../message/transfer.ts'

/** Octets of text, as it is encoded, up to which a message is indexed: some 20 ms of the event loop. */
const MOST_TEXT = 256 * 1024

/** Trigrams of words that are looked for; the rest would not make the answer much shorter. */
const MOST_TRIGRAMS = 64

/** What a message is found by, as {@link folded} has it. */
export interface SearchText {
  readonly header: string
  readonly body: string
}

/**
 * The text of a message: its header, with encoded words decoded and as it stands; and of its body the headers of parts, what
 * stands between parts, and every part that may be read as text, decoded; of HTML the source and what it shows. `undefined` where
 * that is too much, or facts tell nothing.
 */
export async function searchText(
  facts: NewMessage['facts'],
  read: (range: ByteRange) => Promise<Uint8Array>,
): Promise<SearchText | undefined> {
  const structure = facts.structure as Part | undefined
  if (!structure || typeof structure.body !== 'number') return undefined
  const pieces = piecesOf(structure)
  if (pieces.reduce((octets, { start, end }) => octets + end - start, structure.body) > MOST_TEXT) return undefined
  const header = headerText(await read({ start: 0, end: structure.body }))
  const texts: string[] = []
  for (const piece of pieces) texts.push(piece.text(await read(piece)))
  return { header: folded(header), body: folded(texts.join('\n')) }
}

/** Octets that are text, and how to read them. */
interface Piece extends ByteRange {
  readonly text: (octets: Uint8Array) => string
}

function piecesOf(root: Part): Piece[] {
  const pieces: Piece[] = []
  const add = (start: number, end: number, text: Piece['text']): void => {
    if (end > start) pieces.push({ start, end, text })
  }
  // The structure is as deep as its budget lets it be, and comes from the database: no recursion.
  for (const waiting = [root]; waiting.length > 0;) {
    const part = waiting.pop() as Part
    if (part !== root) add(part.header, part.body, headerText)
    const parts = part.parts ?? []
    let at = part.body
    for (const child of parts) {
      add(at, child.header, decodeUnlabelled)
      at = child.end
      waiting.push(child)
    }
    if (parts.length > 0) add(at, part.end, decodeUnlabelled)
    else if (isText(part)) add(part.body, part.end, (octets) => partText(part, octets))
  }
  return pieces
}

/** Whatever somebody may take for text: also a multipart that could not be taken apart, and a type that makes no sense. */
function isText({ type }: Part): boolean {
  return ['text', 'message', 'multipart', ''].includes(type.toLowerCase())
}

function partText(part: Part, octets: Uint8Array): string {
  const charset = part.params?.find(([name]) => name.toLowerCase() === 'charset')?.[1]
  const text = decodeText(decodeTransfer(octets, parseTransferEncoding(part.encoding)), charset)
  return part.subtype.toLowerCase() === 'html' ? `${text}\n${withoutMarkup(text)}` : text
}

function headerText(octets: Uint8Array): string {
  const text = decodeUnlabelled(octets)
  const decoded = decodeEncodedWords(text)
  const both = decoded === text ? text : `${text}\n${decoded}`
  // RFC 5322 §3.2.1: within quotes a backslash is no part of the word it stands in.
  return both.includes('\\') ? `${both}\n${both.replaceAll('\\', '')}` : both
}

/**
 * Text in the one spelling in which it is compared: without regard to case and to what Unicode calls compatible (RFC 5051).
 * Upper case, because a letter becomes the same wherever it stands, which is not so of lower case (`ς`). No octet 0: SQLite
 * would take it for the end.
 */
export function folded(text: string): string {
  return text.normalize('NFKD').toUpperCase().replaceAll('\0', ' ')
}

/**
 * What the index is asked for words: whatever has them has all their trigrams, those with blanks aside, which may be line
 * ends in the message. `undefined` where there are none.
 */
export function trigramQuery(words: string): string | undefined {
  const trigrams = new Set<string>()
  for (const word of folded(words).split(/\s+/)) {
    const letters = [...word]
    for (let at = 0; at + 3 <= letters.length && trigrams.size < MOST_TRIGRAMS; at++) {
      const trigram = letters.slice(at, at + 3).join('')
      // Half a character is another one by the time SQLite has it.
      if (!/\p{Surrogate}/u.test(trigram)) trigrams.add(`"${trigram.replaceAll('"', '""')}"`)
    }
  }
  return trigrams.size === 0 ? undefined : [...trigrams].join(' AND ')
}
