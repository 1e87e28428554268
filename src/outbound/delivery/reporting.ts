import type { Lease, Outcome, QueuedMessage, QueuedRecipient } from '../../contracts/queue.ts'
import { reply } from '../../protocol/smtp/reply.ts'
import { releaseTime } from './release.ts'
import { type DueReport, nextDelayReport, type RecipientProgress, type ReportableMessage, reportsFor } from '../report-rules.ts'

/** The destination of jobs that report on a message to its sender. */
export const REPORT = 'report:'

/** A recipient in a queue, as reports see it. */
export function progressOf({ envelope }: QueuedMessage, { number, state, last, told }: QueuedRecipient): RecipientProgress {
  const heard = last && last.host !== undefined
  return {
    recipient: envelope.recipients[number]!,
    state,
    delayReported: told !== undefined,
    endReported: told === 'end',
    ...(last === undefined ? {} : { lastAttempt: last.at }),
    ...(last && last.enhanced !== undefined ? { status: last.enhanced } : {}),
    ...(heard ? { reply: reply(last.code, last.enhanced, last.text), remoteMta: last.host! } : {}),
    ...(last && !heard ? { reason: last.text } : {}),
  }
}

/** A message in a queue, as reports see it. */
export function reportableOf(message: QueuedMessage, recipients: readonly RecipientProgress[]): ReportableMessage {
  const { envelope, received } = message
  return { envelope, received, due: releaseTime(envelope, received), recipients }
}

/** What a job of {@link REPORT} is to tell now, and what is to be noted of it; and when it is due again. */
export interface ReportingTurn {
  readonly reports: readonly DueReport[]
  readonly outcomes: readonly Outcome[]
  readonly due: number | undefined
}

/** Works out what the sender of a message is to be told now. */
export function reportingTurn({ message, recipients }: Lease, now: number, delayAfter: number): ReportingTurn {
  const progress = recipients.map((each) => progressOf(message, each))
  const reports = reportsFor(reportableOf(message, progress), now, delayAfter)
  const told = new Map<number, 'delay' | 'end'>()
  for (const { report, recipients: places } of reports) {
    for (const place of places) told.set(place, report.kind === 'delayed' ? 'delay' : 'end')
  }
  const after = progress.map((each, place): RecipientProgress => {
    const mark = told.get(place)
    return mark === undefined ? each : { ...each, delayReported: true, endReported: each.endReported || mark === 'end' }
  })
  const outcomes = [...told].map(([place, mark]): Outcome => ({ number: recipients[place]!.number, told: mark }))
  return { reports, outcomes, due: nextDelayReport(reportableOf(message, after), delayAfter) }
}
