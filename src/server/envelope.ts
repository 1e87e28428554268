import type { Envelope, Recipient } from '../contracts/received.ts'
import { type Address, splitTag } from '../message/address.ts'
import type { MailParameters, Path, RecipientQuestion } from '../protocol/smtp/index.ts'

/**
 * A sender or recipient as the rest of the server sees it: domains are compared without case, so they are given in lower
 * case.
 */
const addressOf = (path: Path): Address => ({ local: path.local, domain: path.domain.toLowerCase() })

/** The beginning of an envelope: no recipients yet. */
export function envelopeOf(sender: Path | null, parameters: MailParameters): Envelope & { readonly recipients: Recipient[] } {
  return {
    sender: sender === null ? null : addressOf(sender),
    recipients: [],
    size: parameters.size,
    body: parameters.body,
    smtpUtf8: parameters.smtpUtf8,
    ret: parameters.ret,
    envid: parameters.envid,
    requireTls: parameters.requireTls,
    deliverBy: parameters.deliverBy,
    priority: parameters.priority,
    hold: parameters.hold,
  }
}

/** A recipient, its tag split off. The bare `<postmaster>` is this server's (RFC 5321 §4.5.1). */
export function recipientOf({ recipient, parameters }: RecipientQuestion, hostname: string): Recipient {
  const { local, wire } = recipient
  const { local: user, tag } = splitTag(local)
  return {
    local,
    domain: (recipient.domain === '' ? hostname : recipient.domain).toLowerCase(),
    user,
    tag,
    wire,
    notify: parameters.notify,
    originalRecipient: parameters.originalRecipient,
  }
}
