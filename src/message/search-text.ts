import { decodeText, decodeUnlabelled } from './charset.ts'
import { parseTransferEncoding } from './content.ts'
import { decodeEncodedWords } from './encoded-words.ts'
import type { Part } from './structure.ts'
import { decodeTransfer } from './transfer.ts'

/** The form in which texts are compared: without regard to case, and to how a character is put together (RFC 5255 §4.6). */
export function foldText(text: string): string {
  return text.normalize('NFKC').toLowerCase().normalize('NFKC')
}

/** All parts, the message itself first, those below a part behind it. */
export function partsOf(root: Part): Part[] {
  const found: Part[] = []
  const waiting = [root]
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    found.push(part)
    for (let at = (part.parts?.length ?? 0) - 1; at >= 0; at--) waiting.push(part.parts![at]!)
  }
  return found
}

/** Whether people read the part as text. */
export function isText(part: Part): boolean {
  return part.parts === undefined && part.type.toLowerCase() === 'text'
}

/** What a header, or the body of one of its fields, says: unfolded, encoded words decoded. */
export function headerText(bytes: Uint8Array): string {
  // RFC 5322 §2.2.3: a fold is no part of what a field says.
  return decodeEncodedWords(decodeUnlabelled(bytes).replaceAll('\r\n ', ' ').replaceAll('\r\n\t', '\t'))
}

/** What the body of a text part says: transfer encoding and charset undone. Markup stays. */
export function bodyText({ encoding, params }: Part, bytes: Uint8Array): string {
  const charset = params?.find(([name]) => name.toLowerCase() === 'charset')?.[1]
  return decodeText(decodeTransfer(bytes, parseTransferEncoding(encoding)), charset)
}
