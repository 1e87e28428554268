import { joinedOctets } from '../../bytes/joined.ts'
import { decodeText } from '../../../message/charset.ts'
import { foldText, headerText } from '../../../message/search-text.ts'
import { transferDecoder } from '../../../message/transfer.ts'
import { WordFinder } from '../../../message/word-finder.ts'
import { contains, type NumberSet, setOfAscending } from '../../bytes/number-set.ts'
import { octets, octetString } from '../../bytes/text.ts'
import type { Piece } from '../pieces.ts'
import { ask, type Run } from '../run.ts'
import type { SearchKey } from '../search-keys.ts'
import { selectFields } from '../section.ts'
import { columns } from './asking.ts'
import type { SearchScope } from './matching.ts'

/** Octets of a part that are looked through. More text than any book has. */
const MOST_TEXT = 16 * 1024 * 1024

/** Octets that are fetched at a time, and messages that they are of. */
const BATCH = 256 * 1024
const MOST_IN_BATCH = 64

/** Octets of a line that are decoded at once; in a longer one a character may be cut in two. */
const MOST_LINE = 1024 * 1024

/** Octets between two pieces that are fetched with them rather than to fetch twice. */
const GAP = 1024

const LF = 10

/** Those of the messages that have the words in their text. */
export function* withText(scope: SearchScope, key: Extract<SearchKey, { kind: 'text' }>, among: NumberSet): Run<NumberSet> {
  const { where, words } = key
  if (words === '') return among
  // RFC 9051 §6.4.4: the header of a part is text of the message it is in, but no header is part of its body.
  const isMeant = ({ written }: Piece): boolean => where === 'text' || written !== undefined
  const finder = new WordFinder(words)
  const has = (bytes: Uint8Array, { written }: Piece): boolean =>
    (written ? finder.inPart(bytes, written.encoding, written.charset, written.eightBit) : finder.inHeader(bytes))
  return yield* having(scope, among, { isMeant, words, has })
}

/** Those of the messages that have a field with the words. */
export function* withHeader(scope: SearchScope, key: Extract<SearchKey, { kind: 'header' }>, among: NumberSet): Run<NumberSet> {
  const { name, words } = key
  const isMeant = (piece: Piece): boolean => piece.start === 0 && piece.written === undefined
  // I59: no words ask whether it is there.
  const has = (bytes: Uint8Array): boolean => fieldsOf(octetString(bytes), name)
    .some((field) => words === '' || foldText(headerText(octets(field))).includes(words))
  return yield* having(scope, among, { isMeant, words, has })
}

/** What is looked for. */
interface Wanted {
  readonly isMeant: (piece: Piece) => boolean
  /** Whether a piece has it. */
  readonly has: (bytes: Uint8Array, piece: Piece) => boolean
  /** What a long part must have, folded. */
  readonly words: string
}

/** Those of the messages in which one of the pieces that are meant has what is wanted. */
function* having({ selected }: SearchScope, among: NumberSet, wanted: Wanted): Run<NumberSet> {
  const { isMeant, has, words } = wanted
  const found = new Set<number>()
  yield* columns(selected, 'pieces', among, function* ({ uids, values }) {
    let batch = new Batch()
    for (let at = 0; at < uids.length; at++) {
      const uid = uids[at]!
      if (!contains(among, uid)) continue
      const { message, pieces } = values[at]!
      for (const piece of pieces) {
        if (!isMeant(piece)) continue
        if (piece.written !== undefined && piece.end - piece.start > BATCH) {
          if (!found.has(uid) && (yield* longPieceHas(message, piece, words))) found.add(uid)
        } else {
          if (batch.isFull) {
            yield* batch.lookThrough(has, found)
            batch = new Batch()
          }
          batch.add(uid, message, piece)
        }
      }
    }
    yield* batch.lookThrough(has, found)
  })
  return setOfAscending([...found].sort((a, b) => a - b))
}

/** Pieces of several messages that are fetched together. */
class Batch {
  private readonly ranges: { readonly message: string; readonly start: number; end: number }[] = []
  private readonly looks: { readonly uid: number; readonly piece: Piece; readonly range: number }[] = []
  private octets = 0

  get isFull(): boolean {
    return this.octets >= BATCH || this.ranges.length >= MOST_IN_BATCH
  }

  add(uid: number, message: string, piece: Piece): void {
    const { ranges } = this
    const before = ranges[ranges.length - 1]
    const gap = piece.start - (before?.end ?? 0)
    if (before?.message === message && gap >= 0 && gap <= GAP) {
      before.end = piece.end
      this.octets += gap
    } else ranges.push({ message, start: piece.start, end: piece.end })
    this.octets += piece.end - piece.start
    this.looks.push({ uid, piece, range: ranges.length - 1 })
  }

  *lookThrough(has: Wanted['has'], found: Set<number>): Run<void> {
    if (this.ranges.length === 0) return
    const read = yield* ask({ kind: 'octets', ranges: this.ranges })
    for (const { uid, piece, range } of this.looks) {
      const bytes = read[range]
      if (!bytes || found.has(uid)) continue
      const { start } = this.ranges[range]!
      if (has(bytes.subarray(piece.start - start, piece.end - start), piece)) found.add(uid)
    }
  }
}

/** Whether a long part has the folded words in it. No more of it is held than is fetched at a time. */
function* longPieceHas(message: string, { start: from, end: most, written }: Piece, words: string): Run<boolean> {
  const { encoding, charset } = written!
  const decoder = transferDecoder(encoding)
  const wide = charset !== undefined && /^(utf-?(16|32)|ucs)/i.test(charset)
  const end = Math.min(most, from + MOST_TEXT)
  let held: Uint8Array[] = []
  let heldOctets = 0
  let before = ''
  const found = (): boolean => {
    const text = before + foldText(decodeText(held.length === 1 ? held[0]! : joinedOctets(held), charset))
    before = words.length > 1 ? text.slice(1 - words.length) : ''
    held = []
    heldOctets = 0
    return text.includes(words)
  }
  for (let start = from; start < end; start += BATCH) {
    const [bytes] = yield* ask({ kind: 'octets', ranges: [{ message, start, end: Math.min(start + BATCH, end) }] })
    if (!bytes) return false
    const decoded = decoder.push(bytes)
    // The end of a line is the end of a character in whatever charset mail is written in, those of wide characters aside.
    const cut = wide ? 0 : heldOctets + decoded.length > MOST_LINE ? decoded.length : decoded.lastIndexOf(LF) + 1
    held.push(decoded.subarray(0, cut))
    heldOctets += cut
    if (cut > 0 && found()) return true
    held.push(decoded.subarray(cut))
    heldOctets += decoded.length - cut
  }
  const rest = decoder.end()
  held.push(rest)
  heldOctets += rest.length
  return found()
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
