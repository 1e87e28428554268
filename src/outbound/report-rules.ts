import type { Envelope, Recipient } from '../contracts/received.ts'
import type { DeliveryAction } from '../message/delivery-action.ts'
import type { Reply } from '../protocol/smtp/reply.ts'
import type { Report, ReportedRecipient, ReportKind } from './report.ts'

/** Where the message stands for one recipient. */
export interface RecipientProgress {
  readonly recipient: Recipient
  /**
   * - `waiting`: it was tried, and is tried again; or was not tried yet
   * - `failed`: it is given up
   * - `delivered`: it is in the mailbox
   * - `relayed`: another server has taken it over
   * - `expanded`: it went on to the members of a list or alias, without their success being reported (RFC 3461 §5.2.7.3 c)
   * - `dropped`: it was taken out of the queue and nobody is told
   */
  readonly state: 'waiting' | 'failed' | 'delivered' | 'relayed' | 'expanded' | 'dropped'
  /** The server that has taken it over offered DSN and was given NOTIFY: reporting is its business now. */
  readonly notifyPassedOn?: boolean
  /** A delay was reported. */
  readonly delayReported?: boolean
  /** How it ended was reported, or need not be. */
  readonly endReported?: boolean
  /** What {@link ReportedRecipient} tells; `status` by default the most general one of its class. */
  readonly status?: string
  readonly reply?: Reply
  readonly reason?: string
  readonly remoteMta?: string
  readonly lastAttempt?: number
  readonly retryUntil?: number
}

/** A message in the queue, as far as reports go. */
export interface ReportableMessage {
  readonly envelope: Envelope
  /** Milliseconds since the Unix epoch, like all times here. */
  readonly received: number
  /** From when on delivery was to be tried: later than `received` where the sender asked for it to be held. */
  readonly due: number
  /** The name of the client that it came from. */
  readonly receivedFrom?: string
  readonly recipients: readonly RecipientProgress[]
}

/** A report that is due, and whom of the message it is about. */
export interface DueReport {
  readonly report: Report
  /** Places in the message's list of recipients, in the order of `report.recipients`: mark them as reported. */
  readonly recipients: readonly number[]
}

/** How long a message waits before its sender is told of it: four hours, in milliseconds. */
export const DELAY_AFTER = 14_400_000

const KINDS: readonly ReportKind[] = ['failed', 'delayed', 'succeeded']
const GENERAL: Record<DeliveryAction, string> = {
  failed: '5.0.0', delayed: '4.0.0', delivered: '2.0.0', relayed: '2.0.0', expanded: '2.0.0',
}

/**
 * The reports that are due now: at most one of each kind, each for all the recipients that it concerns (RFC 3461 §5.2.8), in the
 * order failed, delayed, succeeded. None of a message from the null sender: that is itself a report, or asks for none
 * (RFC 5321 §6.1). What is not in them needs no report, or not yet.
 */
export function reportsFor(message: ReportableMessage, now: number, delayAfter = DELAY_AFTER): DueReport[] {
  const { envelope } = message
  const { sender } = envelope
  if (sender === null) return []
  const delayAt = delayDue(message, delayAfter)
  const actions = message.recipients.map((progress) => dueAction(progress, now >= delayAt))
  return KINDS.flatMap((kind) => {
    const concerned = actions.flatMap((action, at) => (action !== undefined && kindOf(action) === kind ? [at] : []))
    if (concerned.length === 0) return []
    const report: Report = {
      kind,
      to: { local: sender.local, domain: sender.domain },
      recipients: concerned.map((at) => reported(message.recipients[at]!, actions[at]!)),
      envelopeId: envelope.envid,
      ret: envelope.ret,
      smtpUtf8: envelope.smtpUtf8,
      requireTls: envelope.requireTls,
      received: message.received,
      ...(message.receivedFrom === undefined ? {} : { receivedFrom: message.receivedFrom }),
    }
    return [{ report, recipients: concerned }]
  })
}

/** When a delay is to be reported that is not yet, or `undefined`: the time at which to ask {@link reportsFor} again. */
export function nextDelayReport(message: ReportableMessage, delayAfter = DELAY_AFTER): number | undefined {
  if (message.envelope.sender === null) return undefined
  const isOpen = message.recipients.some((progress) => dueAction(progress, true) === 'delayed')
  const due = delayDue(message, delayAfter)
  // Who is never told of delays must not be waited for.
  return isOpen && due < Infinity ? due : undefined
}

/** RFC 2852: who asked for delivery by a time, and only to be told when it is over, is told then. */
function delayDue({ envelope: { deliverBy }, received, due }: ReportableMessage, delayAfter: number): number {
  const usual = due + delayAfter
  return deliverBy?.mode === 'notify' ? Math.min(usual, Math.max(received, received + deliverBy.seconds * 1_000)) : usual
}

/** What is to be reported of the recipient now (RFC 3461 §5.2), if anything is. */
function dueAction(progress: RecipientProgress, isLate: boolean): DeliveryAction | undefined {
  const { state } = progress
  const { notify } = progress.recipient
  switch (state) {
    case 'dropped':
      return undefined
    case 'failed':
      // §5.2.6: who did not say anything is told.
      return !progress.endReported && (notify?.includes('FAILURE') ?? true) ? 'failed' : undefined
    case 'waiting':
      // §5.2.5: the same; once, and not before it was tried.
      if (!isLate || progress.delayReported || progress.lastAttempt === undefined) return undefined
      return (notify?.includes('DELAY') ?? true) ? 'delayed' : undefined
    default:
      // §5.2.2 (b), §5.2.3, §5.2.7.3: success is told to those who asked alone; of what was relayed, by the server that has it.
      if (progress.endReported || !notify?.includes('SUCCESS')) return undefined
      return state === 'relayed' && progress.notifyPassedOn ? undefined : state
  }
}

function kindOf(action: DeliveryAction): ReportKind {
  return action === 'failed' || action === 'delayed' ? action : 'succeeded'
}

function reported(progress: RecipientProgress, action: DeliveryAction): ReportedRecipient {
  const { recipient, reply, reason, remoteMta, lastAttempt, retryUntil } = progress
  return {
    recipient: { local: recipient.local, domain: recipient.domain },
    original: recipient.originalRecipient,
    action,
    status: progress.status ?? reply?.enhanced ?? GENERAL[action],
    ...(reply ? { reply } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(remoteMta === undefined ? {} : { remoteMta }),
    ...(lastAttempt === undefined ? {} : { lastAttempt }),
    ...(retryUntil === undefined ? {} : { retryUntil }),
  }
}
