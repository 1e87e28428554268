import { isAscii } from '../../bytes/text.ts'
import { dateTimeOf } from '../date-time.ts'
import type { SmtpCapabilities } from './capabilities.ts'
import { compose, type Composed } from './composing.ts'
import type { ClientContext, Plan, Rcpt, Transaction } from './context.ts'
import type { ClientReason } from './events.ts'
import type { ClientMessage, ContentNeeds } from './message.ts'
import { tell, verdictOn } from './outcomes.ts'

/** What comes of looking at a message: how it is sent; why not; or what its content would have to be. */
export type Planned = Plan | { readonly reason: ClientReason } | { readonly to: '7bit' | '8bit' }

/** Recipients that a message may have on this connection. */
export function mostRecipients({ config, capabilities }: ClientContext): number {
  return Math.min(config.limits.recipients, capabilities.limits.rcptMax ?? Infinity)
}

/** Decides how a message is sent, by what it needs and what the server offers. Recipients that cannot go are told of. */
export function planMessage(context: ClientContext, transaction: Transaction): Planned {
  const { capabilities } = context
  const { message, needs } = transaction
  const composed = compose(message)
  const reason = demandOf(context, transaction, composed)
  if (reason !== undefined) return { reason }
  const to = mostOf(capabilities)
  if (ranks[bodyOf(needs)] > ranks[to]) {
    if (transaction.converted) return { reason: needs.encoding === 'binary' ? 'binarymime' : '8bitmime' }
    return { to: to === 'binary' ? '8bit' : to }
  }
  // RFC 1870 §6.1: what the server has said it will not take is not sent.
  if (needs.size !== undefined && capabilities.size !== undefined && needs.size > capabilities.size) return { reason: 'size' }
  const utf8 = capabilities.keywords.has('SMTPUTF8')
  const rcpt = recipientsOf(context, transaction, composed, utf8)
  const isUtf8 = utf8 && (needs.utf8 === true || !composed.sender.ascii || rcpt.some(({ line }) => !isAscii(line)))
  const binary = bodyOf(needs) === 'binary'
  const chunked = binary || (context.config.chunking === 'always' && capabilities.keywords.has('CHUNKING'))
  return { mail: mailLine(context, composed, needs, isUtf8), rcpt, chunked }
}

const ranks = { '7bit': 0, '8bit': 1, binary: 2 } as const

/** RFC 6531 §3.1: UTF-8 in header fields is 8-bit content too. */
const bodyOf = ({ encoding, utf8 }: ContentNeeds): '7bit' | '8bit' | 'binary' =>
  encoding === '7bit' && utf8 === true ? '8bit' : encoding

/** The most that a server takes. RFC 3030 §3: binary content goes by BDAT alone. */
function mostOf({ keywords }: SmtpCapabilities): '7bit' | '8bit' | 'binary' {
  if (keywords.has('BINARYMIME') && keywords.has('CHUNKING')) return 'binary'
  return keywords.has('8BITMIME') ? '8bit' : '7bit'
}

/** What the message demands and the server does not offer. */
function demandOf(context: ClientContext, { message, needs }: Transaction, composed: Composed): ClientReason | undefined {
  const { keywords } = context.capabilities
  // RFC 8689 §4.2.1.
  if (message.requireTls === true && !(context.secure && keywords.has('REQUIRETLS'))) return 'requiretls'
  const { deliverBy } = message
  if (deliverBy?.mode === 'return') {
    // RFC 2852 §4: a server that knows nothing of it would deliver too late; its parameter is the least it can do.
    const least = keywords.get('DELIVERBY')
    if (least === undefined || deliverBy.seconds <= 0 || deliverBy.seconds < Number(least.split(' ', 1)[0])) return 'deliverby'
  }
  if (message.hold !== undefined && !keeps(keywords.get('FUTURERELEASE'), message.hold)) return 'futurerelease'
  const isUtf8 = needs.utf8 === true || !composed.sender.ascii
  return isUtf8 && !keywords.has('SMTPUTF8') ? 'smtputf8' : undefined
}

/** Whether a server keeps a message so long, by the parameters of its keyword: the most seconds, the latest date (RFC 4865). */
function keeps(offer: string | undefined, hold: NonNullable<ClientMessage['hold']>): boolean {
  if (offer === undefined) return false
  const [seconds = '', until = ''] = offer.split(' ')
  if ('seconds' in hold) return !(hold.seconds > Number(seconds))
  return !((dateTimeOf(hold.until) ?? 0) > (dateTimeOf(until) ?? Infinity))
}

/** RCPT for all recipients that can go; the others are told of. */
function recipientsOf(context: ClientContext, transaction: Transaction, { recipients }: Composed, utf8: boolean): Rcpt[] {
  const { capabilities, domains } = context
  const isDsn = capabilities.keywords.has('DSN')
  const most = mostRecipients(context)
  const mostDomains = capabilities.limits.rcptDomainMax ?? Infinity
  const rcpt: Rcpt[] = []
  recipients.forEach(({ octets, ascii, domain, dsn }, recipient) => {
    const refuse = (reason: ClientReason): void =>
      tell(context, transaction, recipient, verdictOn({ phase: 'recipient', reason }))
    if (!ascii && !utf8) return refuse('smtputf8')
    // RFC 9422: what is beyond a limit is not tried, but kept for another message or another connection.
    if (rcpt.length >= most || (!domains.has(domain) && domains.size >= mostDomains)) return refuse('recipients')
    if (mostDomains !== Infinity) domains.add(domain)
    rcpt.push({ recipient, line: `RCPT TO:${octets}${isDsn ? dsn : ''}` })
  })
  return rcpt
}

function mailLine(context: ClientContext, { sender, parameters }: Composed, needs: ContentNeeds, utf8: boolean): string {
  const { keywords } = context.capabilities
  let line = `MAIL FROM:${sender.octets}`
  if (needs.size !== undefined && keywords.has('SIZE')) line += ` SIZE=${needs.size}`
  const body = bodyOf(needs)
  if (body === 'binary') line += ' BODY=BINARYMIME'
  else if (body === '8bit') line += ' BODY=8BITMIME'
  // RFC 6531 §3.4, S10: only where something needs it.
  if (utf8) line += ' SMTPUTF8'
  for (const [keyword, octets] of parameters) {
    const offered = keyword === 'AUTH' ? context.mechanism !== undefined : keywords.has(keyword)
    if (offered) line += octets
  }
  return line
}
