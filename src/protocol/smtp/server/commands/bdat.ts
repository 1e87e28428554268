import { asciiUpper } from '../../../bytes/text.ts'
import type { ContentQuestion, SmtpServerEvent } from '../../events.ts'
import type { Command, Content, ServerContext } from '../context.ts'
import { replies } from '../replies.ts'
import { beginContent, contentRefusal, pipelinedInVain, refuseContent } from './data.ts'

/**
 * BDAT (RFC 3030 §2). Whatever becomes of it, the octets it announces are read and never taken for commands; where their number
 * cannot be read, the connection is lost (S31).
 */
export const bdat: Command = (context, argument) => {
  const words = argument.trimStart().split(' ')
  const size = chunkSize(words[0]!)
  const last = words.length === 2 && asciiUpper(words[1]!) === 'LAST'
  if (size < 0) return context.close('protocol', replies.bdatSyntax)
  if (words.length > 1 && !last) return swallow(context, size, replies.bdatSyntax, true)
  const refusal = contentRefusal(context)
  if (refusal !== undefined) return swallow(context, size, refusal, !pipelinedInVain(context))
  const transaction = context.transaction!
  const begun = transaction.content
  // After a refused chunk the client must RSET: the rest would be stored with a hole (S31). Chunks on their way are no fault.
  if (begun?.refusal !== undefined) return swallow(context, size, replies.chunkFailed, false)
  const content = begun ?? beginContent(context, transaction, true)
  content.remaining = size
  content.last = last
  // Known before it comes: it is read, and goes nowhere.
  const tooLarge = content.reader.octets + size > context.config.limits.messageOctets
  if (tooLarge) refuseContent(context, content, replies.tooLarge)
  if (begun || tooLarge) {
    if (begun) content.began += context.now - content.paused
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
function swallow(context: ServerContext, octets: number, wire: string, fault: boolean): SmtpServerEvent | undefined {
  if (octets > floodMark(context)) return context.close('limit', wire)
  context.swallowing = { left: octets, octets, began: context.now, wire, fault }
  context.expect('swallow')
  return undefined
}

/** A chunk has passed: its reply (RFC 3030 §2: one for each BDAT). The last chunk's is the message's. */
export function endChunk(context: ServerContext, content: Content): void {
  content.paused = context.now
  const { refusal } = content
  context.say(refusal ?? `250 2.0.0 ${content.reader.octets} octets received\r\n`)
  if (refusal?.startsWith('421')) context.close('refused')
}

/** Octets beyond twice the largest message that refused content may still send. */
const FLOOD = 65_536

/** Octets of refused content from which on its sender is not listened to any longer. */
export const floodMark = (context: ServerContext): number => 2 * context.config.limits.messageOctets + FLOOD
