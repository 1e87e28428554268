import type { Body } from '../../contracts/bodies.ts'
import type { OutgoingMessage } from '../../contracts/dispatch.ts'
import type { Envelope, Recipient } from '../../contracts/received.ts'
import { type Address, splitTag } from '../../message/address.ts'
import { createIndexer } from '../../message/indexer.ts'
import { encodeMailbox } from '../../protocol/smtp/index.ts'

/** What the server says of its own accord: from nobody, who wants to hear nothing of it. */
export function ownMessage(to: readonly Address[], octets: Uint8Array, now: number): OutgoingMessage {
  const recipients = to.map((address): Recipient => {
    const { local, tag } = splitTag(address.local)
    return { ...address, user: local, tag, wire: encodeMailbox(address), notify: [], originalRecipient: undefined }
  })
  const envelope: Envelope = {
    sender: null, recipients, size: undefined, body: '7BIT', smtpUtf8: false, ret: undefined, envid: undefined, requireTls: false,
    deliverBy: undefined, priority: undefined, hold: undefined,
  }
  return messageOf(envelope, octets, now)
}

/** A message out of octets in memory. */
export function messageOf(envelope: Envelope, octets: Uint8Array, received: number): OutgoingMessage {
  const indexer = createIndexer()
  indexer.push(octets)
  const body: Body = {
    size: octets.length,
    bytes: octets,
    async *read({ start, end } = { start: 0, end: octets.length }) {
      if (start < end) yield octets.subarray(start, end)
    },
  }
  return { envelope, body, facts: indexer.end(), account: undefined, received }
}
