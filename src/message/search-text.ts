import { isAscii } from '../protocol/bytes/text.ts'
import { decodeText, decodeUnlabelled } from './charset.ts'
import { parseTransferEncoding } from './content.ts'
import { decodeEncodedWords } from './encoded-words.ts'
import type { Part } from './structure.ts'
import { decodeTransfer } from './transfer.ts'

/**
 * The form in which texts are compared and sorted: without regard to case, to how a character is put together, and to what
 * Unicode calls compatible (RFC 5051, which RFC 5255 §4.2 asks for). Upper case: so it is sorted, and a letter becomes the same
 * wherever it stands, which is not so of lower case (`ς`).
 */
export function foldText(text: string): string {
  // Most of it is, and takes a fraction of the time.
  if (isAscii(text)) return text.toUpperCase()
  return text.normalize('NFKD').toUpperCase().normalize('NFKD')
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

/** Whether the part can be read as text: text, and messages that are not taken apart, such as reports and halves of messages. */
export function isText(part: Part): boolean {
  const type = part.type.toLowerCase()
  // RFC 2046 §5.2.
  return part.parts === undefined && (type === 'text' || type === 'message')
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
