import type { Account, Directory } from '../contracts/directory.ts'
import type { Policy, Stage, Verdict } from '../contracts/policy.ts'
import type { Dispatch } from '../contracts/dispatch.ts'
import type { Envelope, ReceivedMessage, Recipient } from '../contracts/received.ts'
import { mailboxReplies } from '../inbound/mailbox-replies.ts'
import { largestAttachment, mendHeader, sendersOf } from '../inbound/submission.ts'
import { reject } from '../inbound/verdict.ts'
import type { Address } from '../message/address.ts'
import { asciiDomain } from '../message/domain.ts'
import { isMailError } from '../protocol/session/errors.ts'
import { type Content, type Edit, edited } from './edited-body.ts'
import type { Taken } from './local-delivery.ts'
import type { Deliver } from './reception.ts'

/** What submissions are judged by, and where they go. */
export interface SubmissionPlaces {
  readonly hostname: string
  readonly directory: Directory
  readonly queue: Dispatch
  readonly taken?: Taken | undefined
  /** Draws so many random octets. */
  readonly random: (octets: number) => Uint8Array
  /** Hears of faults of ours, in words. */
  readonly failed: (what: string, error: unknown) => void
}

/** A message on its way out, as far as it is looked at. */
export type Unsent = Pick<ReceivedMessage, 'headers' | 'facts' | 'octets' | 'body' | 'received'>

const notNow = reject(550, '5.7.1', 'This account may not send mail')
const notYours = (what: string): Verdict => reject(553, '5.7.1', `${what} is not one that you may send as`)
const nulInHeader = reject(554, '5.6.0', 'Message has a NUL in its header')
const tooLarge = reject(552, '5.3.4', 'Message is larger than this account may send')
const attachmentTooLarge = reject(552, '5.3.4', 'An attachment is larger than this account may send')
const notTaken = reject(554, '5.3.0', 'This message cannot be delivered')

/** Takes mail from people who have an account here (RFC 6409): looks at who they are, mends what they forgot, and queues it. */
export class Submission {
  private readonly places: SubmissionPlaces

  constructor(places: SubmissionPlaces) {
    this.places = places
  }

  /** Looks at the envelope's sender, before anything else is said. */
  get policy(): Policy {
    return {
      name: 'submission',
      sender: (sender, { connection, envelope }: Stage) => this.sender(connection.account, sender, envelope?.size),
    }
  }

  /** Takes a message over. */
  readonly deliver: Deliver = async (message) => {
    const { queue, taken } = this.places
    const account = await this.accountOf(message.connection.account)
    if (!account) return notNow
    const refusal = await this.judge(account, message)
    if (refusal) return refusal
    const { body, facts } = await this.mended(message)
    const envelope = { ...message.envelope, recipients: distinct(message.envelope) }
    try {
      const { id } = await queue.enqueue({ envelope, body, facts, account: account.id, received: message.received })
      taken?.(message, envelope.recipients, id)
      return { kind: 'queued', id }
    } catch (error) {
      return this.refused(error)
    }
  }

  /** Whether an account may send under that sender of an envelope, so many octets. */
  async sender(id: string | undefined, sender: Address | null, size = 0): Promise<Verdict | undefined> {
    const account = await this.accountOf(id)
    if (!account) return notNow
    if (size > (account.messageOctets ?? Infinity)) return tooLarge
    // Reports of people's programs, that a message was read, come from nobody (RFC 8098 §3).
    if (sender === null || (await this.maySendAs(account, sender))) return undefined
    return notYours('The sender address')
  }

  /** Why that account may not send that message; nothing where it may. */
  async judge(account: Account, message: Unsent): Promise<Verdict | undefined> {
    return sizeRefusal(account, message) ?? (await this.named(account, message))
  }

  /** Adds to the header what is missing there, and takes out what is not to leave. */
  mended(message: Unsent): Promise<Content> {
    const { hostname, random } = this.places
    const { headers, received } = message
    const { removed, added } = mendHeader(headers, { now: received, hostname, random: () => random(16) })
    const edits: Edit[] = removed.map(({ start, end }) => ({ from: start, to: end, text: '' }))
    const at = ownFieldsEnd(message)
    if (added !== '') edits.push({ from: at, to: at, text: added })
    return edited(message, edits)
  }

  /** Who has logged in, if he may still send. */
  async accountOf(id: string | undefined): Promise<Account | undefined> {
    const account = id === undefined ? undefined : await this.places.directory.account(id)
    return account && !account.disabled && account.rights.smtp ? account : undefined
  }

  private maySendAs(account: Account, { local, domain }: Address): Promise<boolean> {
    return this.places.directory.maySendAs(account, { local, domain: asciiDomain(domain) })
  }

  /** Looks at whom the header names as senders. */
  private async named(account: Account, { headers, facts }: Unsent): Promise<Verdict | undefined> {
    // Some programs take an octet 0 for the end of a field, others pass over it: each would see another sender.
    if (facts.oddities.some(({ kind, at }) => kind === 'nul-in-header' && at < facts.structure.body)) return nulInHeader
    const named = sendersOf(headers)
    if ('kind' in named) return named
    for (const { field, address } of named) if (!(await this.maySendAs(account, address))) return notYours(`The ${field} address`)
    return undefined
  }

  /** The answer to what a queue has thrown. */
  private refused(error: unknown): Verdict {
    const code = isMailError(error) ? error.code : undefined
    if (code === 'quota') return mailboxReplies.full
    this.places.failed('enqueue', error)
    return code === 'permanent' ? notTaken : mailboxReplies.fault
  }
}

/** RFC 1870 §6.3: what was announced is one thing, what has come another. */
function sizeRefusal(account: Account, message: Unsent): Verdict | undefined {
  const { messageOctets = Infinity, attachmentOctets = Infinity } = account
  // The field that we have put there is not the sender's.
  if (message.octets - ownFieldsEnd(message) > messageOctets) return tooLarge
  const isTooLarge = attachmentOctets !== Infinity && largestAttachment(message.facts.structure) > attachmentOctets
  return isTooLarge ? attachmentTooLarge : undefined
}

/** Where what the client has sent begins: behind our `Received:` field, and what policies have put before that. */
function ownFieldsEnd({ headers }: Unsent): number {
  return headers.get('received')?.end ?? 0
}

/** Each recipient once (S27): the domain without case, the local part as it stands. */
export function distinct({ recipients }: Pick<Envelope, 'recipients'>): Recipient[] {
  const byAddress = new Map<string, Recipient>()
  for (const to of recipients) {
    const key = `${to.local}@${to.domain}`
    if (!byAddress.has(key)) byAddress.set(key, to)
  }
  return [...byAddress.values()]
}
