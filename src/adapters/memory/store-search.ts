import type { MessageFacts } from '../../message/facts.ts'
import { unpackFacts } from '../../message/packed-facts.ts'
import { bodyText, foldText, headerText, isText, partsOf } from '../../message/search-text.ts'
import type { Message } from './store-messages.ts'

/** Whether the words are in the decoded text of a message, or (`text`) there or in its header. True where it cannot tell. */
export function mayContain({ bytes, facts }: Message, words: string, where: 'body' | 'text'): boolean {
  const { structure } = unpackFacts(facts) as Partial<MessageFacts>
  if (!structure) return true
  const wanted = foldText(words)
  const parts = partsOf(structure)
  // Whoever asks can tell the header of a part from its text.
  const headers = where === 'text' ? parts : parts.slice(1)
  if (headers.some(({ header, body }) => foldText(headerText(bytes.subarray(header, body))).includes(wanted))) return true
  return parts.some((part) => isText(part) && foldText(bodyText(part, bytes.subarray(part.body, part.end))).includes(wanted))
}
