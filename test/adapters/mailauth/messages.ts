import type { Body, ByteRange } from '../../../src/contracts/bodies.ts'
import type { OutgoingMessage } from '../../../src/contracts/dispatch.ts'
import type { ReceivedMessage } from '../../../src/contracts/received.ts'
import { parseHeaderBlock } from '../../../src/message/headers.ts'
import { indexMessage } from '../../../src/message/indexer.ts'

/** A body that is read in pieces of so many octets, or is in memory at once. */
export function bodyOf(bytes: Uint8Array, piece?: number): Body {
  return {
    size: bytes.length,
    ...(piece === undefined ? { bytes } : {}),
    async *read({ start, end } = { start: 0, end: bytes.length }) {
      const step = piece ?? bytes.length
      for (let at = start; at < end; at += step) yield bytes.subarray(at, Math.min(end, at + step))
    },
  }
}

/** A message that somebody of ours has submitted. */
export function outgoing(text: string | Uint8Array, piece?: number): OutgoingMessage {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text
  return {
    envelope: { sender: null, recipients: [], smtpUtf8: false, requireTls: false } as unknown as OutgoingMessage['envelope'],
    body: bodyOf(bytes, piece),
    facts: indexMessage(bytes),
    account: 'alice',
    received: 0,
  }
}

/** A message that has come in, with a body that is read in pieces of so many octets, or is in memory at once. */
export function received(text: string | Uint8Array, piece?: number, more: Partial<ReceivedMessage> = {}): ReceivedMessage {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text
  const body = bodyOf(bytes, piece)
  return {
    id: 'message-1',
    received: 1_800_000_000_000,
    octets: bytes.length,
    body,
    headers: parseHeaderBlock(bytes),
    raw: (range?: ByteRange) => body.read(range),
    ...more,
  } as unknown as ReceivedMessage
}
