import type { Envelope } from '../../contracts/received.ts'
import { dateTimeOf } from '../../protocol/smtp/index.ts'

/** RFC 4865: from when on a message may be delivered, in milliseconds since the Unix epoch. */
export function releaseTime({ hold }: Envelope, received: number): number {
  if (hold === undefined) return received
  return Math.max(received, 'seconds' in hold ? received + hold.seconds * 1000 : dateTimeOf(hold.until) ?? received)
}

/** RFC 2852: by when a message is to be delivered; `undefined`: any time. */
export function deliverByTime({ deliverBy }: Envelope, received: number): number | undefined {
  return deliverBy && received + deliverBy.seconds * 1000
}
