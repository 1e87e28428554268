import type { ComposeMail } from '../../contracts/draft.ts'
import type { OutgoingMessage } from '../../contracts/dispatch.ts'
import type { ReceivedMessage, Recipient } from '../../contracts/received.ts'
import { parseHeaderBlock } from '../../message/headers.ts'
import { reportsFor } from '../../outbound/report-rules.ts'
import { isAscii } from '../../protocol/bytes/text.ts'
import { reportWriter, type ReportPlaces } from '../outgoing/reports.ts'
import { ownMessage } from '../outgoing/own-message.ts'
import type { FilterReply } from './plan.ts'

/** By what answers are written. */
export interface AnswerPlaces extends ReportPlaces {
  readonly compose: ComposeMail
}

/** Ids that an answer names. */
const MOST_REFERENCES = 20

/**
 * Tells the sender that a recipient's filter has refused the message (RFC 5429 §2.1.2). `undefined` where nobody is to be told:
 * there is no sender, or he wants to hear of no failure.
 */
export async function rejectionReport(
  message: OutgoingMessage, recipient: Recipient, reason: string, places: AnswerPlaces,
): Promise<OutgoingMessage | undefined> {
  const { envelope, received } = message
  const now = places.clock.now()
  const progress = {
    recipient, state: 'failed', status: '5.7.1', reason: `The recipient's mail filter refused the message: ${reason}`,
  } as const
  const [due] = reportsFor({ envelope, received, due: received, recipients: [progress] }, now)
  return due && reportWriter(places)(due, message)
}

/** Writes what a filter answers (RFC 5230 §5): from nobody, to one. */
export async function writtenReply(
  { facts }: Pick<ReceivedMessage, 'facts'>, reply: FilterReply, { hostname, clock, random, compose }: AnswerPlaces,
): Promise<OutgoingMessage> {
  const { to, from, subject, text, mime } = reply
  const now = clock.now()
  const octets = await compose({
    from,
    to: [to],
    subject,
    date: now,
    messageId: `<${Buffer.from(random(16)).toString('hex')}@${hostname}>`,
    references: [...facts.references, ...(facts.messageId === undefined ? [] : [facts.messageId])].slice(-MOST_REFERENCES),
    fields: [
      // RFC 3834 §3.1.7, RFC 5230 §5.
      ['Auto-Submitted', 'auto-replied'],
      // Programs that know no better ask for this one.
      ['X-Auto-Response-Suppress', 'All'],
    ],
    text: mime ? '' : text,
  })
  const message = ownMessage([to], mime ? withEntity(octets, text) : octets, now)
  const needs = { body: message.facts.eightBit ? '8BITMIME' : '7BIT', smtpUtf8: !isAscii(to.local) } as const
  return { ...message, envelope: { ...message.envelope, ...needs } }
}

/** A message with a MIME entity in place of its content: of the entity's header no more than what is about content counts. */
function withEntity(message: Uint8Array, entity: string): Uint8Array {
  const octets = Buffer.from(entity.replaceAll('\r\n', '\n').replaceAll('\n', '\r\n'))
  const own = parseHeaderBlock(octets)
  const isContent = ({ name }: { readonly name: string }): boolean => name.toLowerCase().startsWith('content-')
  const kept = parseHeaderBlock(message).fields.filter((field) => !isContent(field))
  const fields = [
    ...kept.map(({ start, end }) => message.subarray(start, end)),
    ...own.fields.filter(isContent).map(({ start, end }) => octets.subarray(start, end)),
  ]
  const body = own.complete ? octets.subarray(own.end) : octets
  return Buffer.concat([...fields, Buffer.from('\r\n'), body])
}
