import { formatDate } from '../message/date.ts'
import type { DeliveryAction } from '../message/delivery-action.ts'
import { copied } from '../protocol/bytes/text.ts'
import { encodeMailbox } from '../protocol/smtp/path.ts'
import { diagnosticText } from './diagnostic.ts'
import { readableAddress, type Report, type ReportedRecipient } from './report.ts'
import type { Returned } from './report-original.ts'
import { statusWords } from './status-words.ts'

/** What the text says beside the report. */
export interface ReportTextOptions {
  readonly hostname: string
  /** Of the message, decoded; empty where it has none. */
  readonly subject: string
  /** What is attached of the message. */
  readonly returned: Returned['what']
}

/** Columns of a line, where it can be broken at all. */
const WIDTH = 72
/** Characters of the subject, and of what another server said: both are strangers' words. */
const MOST_SUBJECT = 200
const MOST_SAID = 1_000

const OPENINGS: Record<DeliveryAction, string> = {
  failed: 'Your message could not be delivered to',
  delayed: 'Your message has not yet been delivered to',
  delivered: 'Your message was delivered to',
  relayed: 'Your message was passed on to a mail system that tells nothing of delivery, for',
  expanded: 'Your message was passed on to the members of',
}

/** The part of a report that people read (RFC 6522 §3): lines that end in LF, none over 72 columns that has a blank. */
export function reportText(report: Report, { hostname, subject, returned }: ReportTextOptions): string {
  const blocks = [openingOf(report), aboutMessage(report, subject)]
  let action: DeliveryAction | undefined
  for (const recipient of report.recipients) {
    // One report may tell of several things that were done as they were asked for.
    const changes = action !== undefined && recipient.action !== action
    blocks.push((changes ? `${wrapped(`${OPENINGS[recipient.action]}:`, '')}\n\n` : '') + aboutRecipient(recipient))
    action = recipient.action
  }
  blocks.push(wrapped(ending(report, returned), ''), `This report was written by the mail system at ${plain(hostname)}.`)
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`
}

function openingOf({ recipients }: Report): string {
  const [first] = recipients
  const same = recipients.filter(({ action }) => action === first?.action).length
  const whom = same === 1 ? 'one recipient' : `${same} recipients`
  return wrapped(`${OPENINGS[first?.action ?? 'failed']} ${whom}${first?.action === 'expanded' ? ' (a list)' : ''}.`, '')
}

function aboutMessage({ received }: Report, subject: string): string {
  const sent = `  Received: ${formatDate(received)}`
  const shown = plain(subject).trim()
  const cut = shown.length > MOST_SUBJECT ? `${copied(shown.slice(0, MOST_SUBJECT))}…` : shown
  return cut === '' ? sent : `${wrapped(`Subject:  ${cut}`, '  ')}\n${sent}`
}

function aboutRecipient(recipient: ReportedRecipient): string {
  const { action, status, reply, reason, remoteMta, original } = recipient
  const address = plain(encodeMailbox(recipient.recipient))
  const lines = [address]
  const sentTo = original === undefined ? address : plain(readableAddress(original))
  if (sentTo.toLowerCase() !== address.toLowerCase()) lines.push(wrapped(`(you had addressed ${sentTo})`, '  '))
  if (action === 'failed' || action === 'delayed') {
    const words = statusWords(status)
    lines.push(wrapped([words.reason, action === 'failed' ? words.advice ?? '' : ''].join(' '), '  '))
  }
  const said = reply ? diagnosticText(reply) : ''
  if (said !== '') {
    const who = remoteMta === undefined ? 'The other server' : plain(remoteMta)
    lines.push(wrapped(`${who} said: ${plain(said).slice(0, MOST_SAID)}`, '  '))
  } else if (reason !== undefined) lines.push(wrapped(`Details: ${plain(reason).slice(0, MOST_SAID)}`, '  '))
  if (action === 'delayed' && recipient.retryUntil !== undefined) {
    lines.push(`  It is tried again until ${formatDate(recipient.retryUntil)}.`)
  }
  return lines.join('\n')
}

function ending({ kind }: Report, returned: Returned['what']): string {
  const attached = returned === 'message' ? 'The message is attached.' : 'The header of the message is attached.'
  switch (kind) {
    case 'failed':
      return `No further attempt will be made. ${attached}`
    case 'delayed':
      return 'You need not do anything: it will be tried again, and you will be told if it cannot be delivered in the end. ' +
        attached
    case 'succeeded':
      return `You receive this report because you asked for it. ${attached}`
  }
}

/** One line of text, whatever it held; half characters are none. */
function plain(text: string): string {
  return copied(text.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]/g, ' '))
}

/** The text in lines of {@link WIDTH}, each with the indent; longer words stand alone. */
function wrapped(text: string, indent: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (word === '') continue
    if (line !== '' && indent.length + line.length + 1 + word.length > WIDTH) {
      lines.push(indent + line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  if (line !== '') lines.push(indent + line)
  return lines.join('\n')
}
