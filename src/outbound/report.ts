import type { Address } from '../message/address.ts'
import type { DeliveryAction } from '../message/delivery-action.ts'
import { decodeUtf8Address } from '../message/utf8-address.ts'
import type { Reply } from '../protocol/smtp/reply.ts'

/** What a report tells: failures, delays, or what its sender asked to be told of (delivered, relayed, expanded). */
export type ReportKind = 'failed' | 'delayed' | 'succeeded'

/** What a report says of one recipient. */
export interface ReportedRecipient {
  /** The address that the message came for. */
  readonly recipient: Address
  /** RFC 3461 §4.2: whom the sender had addressed, as the ORCPT parameter said it. */
  readonly original: TypedAddress | undefined
  readonly action: DeliveryAction
  /** RFC 3463: `5.1.1`. */
  readonly status: string
  /** What the other server said last. */
  readonly reply?: Reply
  /** Why, in our words, where no other server said anything: `Host mx.example.net does not answer`. */
  readonly reason?: string
  /** The host that was last spoken to. */
  readonly remoteMta?: string
  /** Milliseconds since the Unix epoch, like all times here. */
  readonly lastAttempt?: number
  /** Of what is delayed: until when it is tried. */
  readonly retryUntil?: number
}

/** An address and what kind of address it is: `rfc822`, `utf-8`. */
export interface TypedAddress {
  readonly type: string
  readonly address: string
}

/** A delivery status notification (RFC 3464), before it is written. */
export interface Report {
  readonly kind: ReportKind
  /** The sender of the message, whom the report goes to. */
  readonly to: Address
  readonly recipients: readonly ReportedRecipient[]
  /** RFC 3461 §4.4. */
  readonly envelopeId: string | undefined
  /** RFC 3461 §4.3. */
  readonly ret: 'FULL' | 'HDRS' | undefined
  /** The message came with SMTPUTF8, with REQUIRETLS. */
  readonly smtpUtf8: boolean
  readonly requireTls: boolean
  /** When the message arrived. */
  readonly received: number
  /** The name of the client that it came from. */
  readonly receivedFrom?: string
}

/** The address as people write it: what came in the 7-bit form of RFC 6533 (§3) is decoded. */
export function readableAddress({ type, address }: TypedAddress): string {
  return type.toLowerCase() === 'utf-8' ? decodeUtf8Address(address) : address
}
