import type { Reply } from '../../reply.ts'
import { type ClientContext, refuses, type Sending, type Slot, type Transaction } from '../context.ts'
import { tellAll, verdictOf } from '../outcomes.ts'
import { endContent } from './final.ts'

/*
 * BDAT (RFC 3030). The size of a chunk comes before it, so that content is gathered first. Chunks are of one size but for the
 * last, however the host has cut what it gave.
 */

/** Sends a chunk of the usual size; false where a reply must come first. */
export function sendChunk(context: ClientContext, transaction: Transaction): boolean {
  if (!context.mayWrite) return false
  const { chunkOctets } = context.config.limits
  context.write(`BDAT ${chunkOctets}\r\n`)
  writeOctets(context, transaction.sending!, chunkOctets)
  context.expect({ settle: chunk, phase: 'content', patience: 'block', transaction })
  return true
}

/** Sends what is left; false where a reply must come first. */
export function sendLastChunk(context: ClientContext, transaction: Transaction): boolean {
  const sending = transaction.sending!
  if (sending.octets > context.config.limits.chunkOctets) return sendChunk(context, transaction)
  if (!context.mayWrite) return false
  context.write(`BDAT ${sending.octets} LAST\r\n`)
  writeOctets(context, sending, sending.octets)
  endContent(context, transaction)
  return true
}

/** Writes the first octets of what was gathered. */
function writeOctets(context: ClientContext, sending: Sending, octets: number): void {
  const { gathered } = sending
  sending.octets -= octets
  let left = octets
  let whole = 0
  while (left > 0) {
    const piece = gathered[whole]!
    context.write(piece.subarray(0, left))
    if (piece.length > left) gathered[whole] = piece.subarray(left)
    else whole++
    left -= Math.min(left, piece.length)
  }
  gathered.splice(0, whole)
}

function chunk(context: ClientContext, reply: Reply, { transaction }: Slot): void {
  if (!refuses(reply)) return
  // RFC 3030 §4.2: after a chunk that failed nothing but RSET will do.
  context.unclean = true
  tellAll(context, transaction!, verdictOf(reply, 'content'))
  if (transaction!.end !== 'unsaid') return
  context.withdraw('refused')
  context.enter('envelope')
}
