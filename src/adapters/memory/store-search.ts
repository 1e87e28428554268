import { decodeText, decodeUnlabelled } from '../../message/charset.ts'
import { parseTransferEncoding } from '../../message/content.ts'
import { decodeEncodedWords } from '../../message/encoded-words.ts'
import type { MessageFacts } from '../../message/facts.ts'
import type { Part } from '../../message/structure.ts'
import { decodeTransfer } from '../../message/transfer.ts'
import type { Message } from './store-messages.ts'

/** Whether the words are in the decoded text of a message, or (`text`) there or in its header. True where it cannot tell. */
export function mayContain({ bytes, facts }: Message, words: string, where: 'body' | 'text'): boolean {
  const { structure } = JSON.parse(facts) as Partial<MessageFacts>
  if (!structure) return true
  const wanted = words.toLowerCase()
  const parts = where === 'text' ? [structure, ...partsBelow(structure)] : partsBelow(structure)
  // The header of a part is text of the body it is in.
  if (parts.some((part) => headerOf(bytes, part).toLowerCase().includes(wanted))) return true
  return [structure, ...partsBelow(structure)].some((part) => textOf(bytes, part)?.toLowerCase().includes(wanted))
}

/** All parts of a part, however deep. */
function partsBelow(root: Part): Part[] {
  const found = [...(root.parts ?? [])]
  for (let at = 0; at < found.length; at++) found.push(...((found[at] as Part).parts ?? []))
  return found
}

function headerOf(bytes: Uint8Array, { header, body }: Part): string {
  // RFC 5322 §2.2.3: a fold is no part of what a field says.
  return decodeEncodedWords(decodeUnlabelled(bytes.subarray(header, body)).replaceAll('\r\n ', ' ').replaceAll('\r\n\t', '\t'))
}

/** The text of a part that is text. */
function textOf(bytes: Uint8Array, { type, parts, encoding, params, body, end }: Part): string | undefined {
  if (parts || type.toLowerCase() !== 'text') return undefined
  const charset = params?.find(([name]) => name.toLowerCase() === 'charset')?.[1]
  return decodeText(decodeTransfer(bytes.subarray(body, end), parseTransferEncoding(encoding)), charset)
}
