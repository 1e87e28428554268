import type { Lease } from '../../contracts/queue.ts'
import type { OutgoingMessage } from '../../contracts/dispatch.ts'
import type { Address } from '../../message/address.ts'
import type { ClientMessage, ClientRecipient, ContentNeeds } from '../../protocol/smtp/index.ts'
import type { Errand } from './courier.ts'
import type { DeliveryParts } from './options.ts'
import { deliverByTime } from './release.ts'

/** A leased message for a courier, for some of its recipients. `sender`: under which it goes; default its own. */
export function errandOf(
  { message }: Lease, numbers: readonly number[], sender: Address | undefined, now: number, parts: DeliveryParts,
): Errand {
  const own = clientMessage(message, numbers, now)
  return {
    message: sender === undefined ? own : { ...own, sender },
    body: message.body,
    convert: async (to) => parts.convert?.(message, to),
  }
}

function clientMessage(message: OutgoingMessage, numbers: readonly number[], now: number): ClientMessage {
  const { envelope, received } = message
  const { sender, ret, envid, requireTls, deliverBy, priority } = envelope
  const by = deliverByTime(envelope, received)
  return {
    sender,
    recipients: numbers.map((number): ClientRecipient => envelope.recipients[number]!),
    content: needsOf(message),
    ret,
    envid,
    // RFC 8689 §5.
    requireTls: requireTls && sender !== null,
    priority,
    ...(deliverBy && by !== undefined ? { deliverBy: { ...deliverBy, seconds: Math.floor((by - now) / 1000) } } : {}),
  }
}

/** What the octets of a message ask of a server. */
function needsOf({ envelope, body, facts }: OutgoingMessage): ContentNeeds {
  const isBinary = envelope.body === 'BINARYMIME' || facts.nul
  return {
    size: body.size,
    encoding: isBinary ? 'binary' : facts.eightBit ? '8bit' : '7bit',
    // A header of old in some 8-bit charset asks for nothing that was not asked for when it came in.
    utf8: envelope.smtpUtf8 && facts.oddities.some(({ kind }) => kind === '8bit-header'),
  }
}
