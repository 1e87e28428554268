import type { Input } from '../../bytes/input.ts'
import { endChunk, floodMark } from './commands/bdat.ts'
import { endContent, takePiece } from './commands/data.ts'
import { type Content, outOfOrder, type ServerContext } from './context.ts'

/*
 * What is read in place rather than line by line. Each function reads as much as makes one event, and tells whether it did
 * anything: `false` means that the input is used up.
 */

/** The content of DATA. */
export function readContent(context: ServerContext, input: Input): boolean {
  const { bytes, at } = input
  if (bytes === undefined) return false
  const content = context.transaction!.content!
  const { reader } = content
  reader.read(bytes, at, bytes.length)
  input.moveTo(reader.at)
  if (reader.piece) takePiece(context, content, reader.piece)
  if (floods(context, content)) context.close('limit', content.refusal)
  else if (reader.done) {
    context.expect('command')
    endContent(context, content)
  }
  return true
}

/** The octets of a BDAT. */
export function readChunk(context: ServerContext, input: Input): boolean {
  const content = context.transaction!.content!
  const { reader } = content
  if (content.remaining === 0) {
    context.expect('command')
    if (!content.last) endChunk(context, content)
    else {
      reader.finish()
      if (reader.piece) takePiece(context, content, reader.piece)
      endContent(context, content)
    }
    return true
  }
  const { bytes, at } = input
  if (bytes === undefined) return false
  reader.read(bytes, at, Math.min(bytes.length, at + content.remaining))
  content.remaining -= reader.at - at
  input.moveTo(reader.at)
  if (reader.piece) takePiece(context, content, reader.piece)
  if (floods(context, content)) context.close('limit', content.refusal)
  return true
}

/** The octets of a BDAT that was refused before it was read. */
export function readSwallowed(context: ServerContext, input: Input): boolean {
  const swallowing = context.swallowing!
  if (swallowing.left === 0) {
    context.expect('command')
    context.swallowing = undefined
    outOfOrder(context, swallowing.wire, !swallowing.fault)
    return true
  }
  const { bytes, at } = input
  if (bytes === undefined) return false
  const octets = Math.min(bytes.length - at, swallowing.left)
  swallowing.left -= octets
  input.moveTo(at + octets)
  return true
}

/** Refused content is read to its end, so that the reply is heard; but not without end. */
function floods(context: ServerContext, { refusal, reader }: Content): boolean {
  return refusal !== undefined && reader.octets > floodMark(context)
}
