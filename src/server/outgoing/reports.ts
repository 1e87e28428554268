import { readRange } from '../../contracts/read-body.ts'
import type { ComposeMail } from '../../contracts/draft.ts'
import type { DeliveryParts } from '../../outbound/delivery/options.ts'
import { octetsForReport, writeReport } from '../../outbound/write-report.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import { messageOf } from './own-message.ts'

/** By what reports are written. */
export interface ReportPlaces {
  readonly hostname: string
  readonly clock: Clock
  readonly random: (octets: number) => Uint8Array
  readonly compose: ComposeMail
  /** Hears of faults of ours, in words. */
  readonly failed?: (what: string, error: unknown) => void
}

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex')

/** Makes messages of reports (RFC 3464). */
export function reportWriter(
  { hostname, clock, random, compose, failed = () => undefined }: ReportPlaces,
): DeliveryParts['compose'] {
  return async ({ report }, about) => {
    const now = clock.now()
    const wanted = octetsForReport(report, about.body.size, {})
    // The sender has to hear of it even where nobody can read the message any more: then without its octets.
    const octets = await readRange(about.body, { start: 0, end: wanted }).catch((error: unknown) => {
      failed('read a message to report on', error)
      return new Uint8Array(0)
    })
    const written = writeReport(report, octets, about.body.size, {
      hostname, now, messageId: `<${hex(random(16))}@${hostname}>`, boundary: hex(random(16)),
    })
    return messageOf(written.envelope, await compose(written.draft), now)
  }
}
