import { readContent } from '../adapters/mailparser/index.ts'
import type { ParsedMessage, ReceivedMessage } from '../contracts/received.ts'
import { splitReply } from '../message/reply.ts'

/** What is needed of a message to parse it. */
type Unparsed = Pick<ReceivedMessage, 'body' | 'facts' | 'headers'>

/** A message as a person would read it. Rejects with `unavailable` where mailparser is not installed. */
export async function parseMessage({ body, facts, headers }: Unparsed): Promise<ParsedMessage> {
  const content = await readContent(body, facts.structure)
  const { reply, quotation, signature } = splitReply(content.text)
  return { subject: headers.text('subject') ?? '', ...content, reply: { text: reply, quotation, signature } }
}
