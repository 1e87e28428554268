import type { ContentQuestion, SmtpServerEvent } from '../../events.ts'
import type { Command, Content, ServerContext } from '../context.ts'
import { replies } from '../replies.ts'
import { beginContent, contentRefusal } from './data.ts'

/**
 * BDAT (RFC 3030 §2). Whatever becomes of it, the octets it announces are read and never taken for commands; where their number
 * cannot be read, the connection is lost (S31).
 */
export const bdat: Command = (context, argument) => {
  const words = argument.trim().split(' ')
  const size = chunkSize(words[0]!)
  const last = words.length === 2 && words[1]!.toUpperCase() === 'LAST'
  if (size < 0) {
    return context.close('protocol', replies.bdatSyntax)
  }
  if (words.length > 1 && !last) return swallow(context, size, replies.bdatSyntax)
  const refusal = contentRefusal(context)
  if (refusal !== undefined) return swallow(context, size, refusal)
  const transaction = context.transaction!
  const begun = transaction.content
  // After a refused chunk the client must RSET: the rest would be stored with a hole (S31).
  if (begun?.refusal !== undefined) return swallow(context, size, replies.chunkFailed)
  const content = begun ?? beginContent(context, transaction, true)
  content.remaining = size
  content.last = last
  if (begun) {
    context.expect('chunk')
    return undefined
  }
  const question: ContentQuestion = { kind: 'content', id: context.id() }
  return context.ask(question)
}

/** RFC 3030 §2: 1*DIGIT. Beyond what a number can hold exactly, no peer means it. */
function chunkSize(text: string): number {
  if (text.length === 0 || text.length > 15) return -1
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < 48 || text.charCodeAt(at) > 57) return -1
  return Number(text)
}

/** Lets the octets of a refused chunk pass, then says why. */
function swallow(context: ServerContext, size: number, wire: string): SmtpServerEvent | undefined {
  context.swallowing = { left: size, wire }
  context.expect('swallow')
  return undefined
}

/** A chunk has passed: its reply (RFC 3030 §2: one for each BDAT). The last chunk's is the message's. */
export function endChunk(context: ServerContext, content: Content): void {
  context.say(content.refusal ?? `250 2.0.0 ${content.reader.octets} octets received\r\n`)
}
