import { decodeText } from '../../../message/charset.ts'
import { parseTransferEncoding } from '../../../message/content.ts'
import { foldText } from '../../../message/search-text.ts'
import type { Part } from '../../../message/structure.ts'
import { transferDecoder } from '../../../message/transfer.ts'
import { ask, type Run } from '../run.ts'

/** Octets of a part that are looked through. More text than any book has. */
const MOST_TEXT = 16 * 1024 * 1024

/** Octets of a part that are fetched at a time. */
const CHUNK = 256 * 1024

/** Octets of a line that are decoded at once; in a longer one a character may be cut in two. */
const MOST_LINE = 1024 * 1024

/** Octets that are looked through before others have their turn. */
const TURN = 2 * 1024 * 1024

const LF = 10

/** Counts what a search has looked through. */
export interface Looked {
  looked: number
}

/** Notes so many octets as looked through, and lets others have their turn where it was much (I65). */
export function* look(so: Looked, octets: number): Run<void> {
  so.looked += octets
  if (so.looked < TURN) return
  so.looked = 0
  yield { kind: 'pause', until: 0 }
}

/** Whether the body of a text part of a message has the folded words in it. No more of it is held than a piece. */
export function* partContains(so: Looked, message: string, part: Part, words: string): Run<boolean> {
  const charset = part.params?.find(([name]) => name.toLowerCase() === 'charset')?.[1]
  const decoder = transferDecoder(parseTransferEncoding(part.encoding))
  const wide = charset !== undefined && /^(utf-?(16|32)|ucs)/i.test(charset)
  const end = Math.min(part.end, part.body + MOST_TEXT)
  let held: Uint8Array[] = []
  let heldOctets = 0
  let before = ''
  const found = (): boolean => {
    const text = before + foldText(decodeText(joined(held, heldOctets), charset))
    before = words.length > 1 ? text.slice(1 - words.length) : ''
    held = []
    heldOctets = 0
    return text.includes(words)
  }
  for (let start = part.body; start < end; start += CHUNK) {
    const range = { message, start, end: Math.min(start + CHUNK, end) }
    const [bytes] = yield* ask({ kind: 'octets', ranges: [range] })
    if (!bytes) return false
    yield* look(so, bytes.length)
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

function joined(pieces: readonly Uint8Array[], octets: number): Uint8Array {
  if (pieces.length === 1) return pieces[0]!
  const all = new Uint8Array(octets)
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
