import type { Reply } from '../../reply.ts'
import { type ClientContext, refuses, says, type Slot, type Transaction } from '../context.ts'
import { ContentWriter } from '../content.ts'
import type { ContentChunk } from '../events.ts'
import { tellAll, verdictOf } from '../outcomes.ts'
import { sendChunk, sendLastChunk } from './bdat.ts'
import { endContent } from './final.ts'

/** Octets that are written at a time. */
const SLICE = 65_536

/** The reply to DATA. */
export function data(context: ClientContext, reply: Reply, { transaction }: Slot): void {
  if (refuses(reply)) tellAll(context, transaction!, verdictOf(reply, 'data'))
  else if (says(reply)) context.breakOff({ phase: 'data', reason: 'protocol' })
  else if (transaction!.accepted.length > 0) beginContent(context, transaction!)
  else {
    // RFC 2920 §3.1: the server wants content although there is nobody to have it. RFC 2033 §4.2: over LMTP no reply would come.
    context.write('.\r\n')
    if (context.config.lmtp) context.breakOff({ phase: 'data', reason: 'protocol' })
    else context.expect({ settle: () => {}, phase: 'data', patience: 'final', transaction: transaction! })
  }
}

/** The server takes the content. */
export function beginContent(context: ClientContext, transaction: Transaction): void {
  const { chunked } = transaction.plan!
  const writer = new ContentWriter(!chunked ? 'dotted' : transaction.needs.encoding === 'binary' ? 'octets' : 'lines')
  transaction.sending = { writer, pending: undefined, at: 0, last: false, gathered: [], octets: 0 }
  context.enter('content')
}

/** The host has given more. */
export function takeContent({ sending }: Transaction, { bytes, last }: ContentChunk): void {
  sending!.pending = bytes
  sending!.at = 0
  sending!.last = last
}

/** Writes content, or asks for more; false where that has to wait. */
export function sendContent(context: ClientContext, transaction: Transaction): boolean {
  const sending = transaction.sending!
  const { pending, writer } = sending
  const { chunked } = transaction.plan!
  if (chunked && sending.octets > context.config.limits.chunkOctets) return sendChunk(context, transaction)
  if (pending !== undefined) {
    const slice = pending.subarray(sending.at, sending.at + SLICE)
    sending.at += SLICE
    for (const octets of writer.write(slice)) put(context, transaction, octets)
    if (sending.at >= pending.length) sending.pending = undefined
  } else if (sending.last) {
    put(context, transaction, writer.finish())
    if (chunked) return sendLastChunk(context, transaction)
    context.write('.\r\n')
    endContent(context, transaction)
  } else context.ask({ kind: 'content', id: context.id(), message: transaction.id })
  return true
}

function put(context: ClientContext, { plan, sending }: Transaction, octets: Uint8Array): void {
  if (octets.length === 0) return
  if (!plan!.chunked) return context.write(octets)
  sending!.gathered.push(octets)
  sending!.octets += octets.length
}
