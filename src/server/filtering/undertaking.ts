import type { Dispatch, OutgoingMessage } from '../../contracts/dispatch.ts'
import { readRange } from '../../contracts/read-body.ts'
import type { ReceivedMessage, Recipient } from '../../contracts/received.ts'
import { loopKey, redirectedBy } from '../../inbound/loops.ts'
import { type Address, splitTag } from '../../message/address.ts'
import { asciiDomain } from '../../message/domain.ts'
import { formatField } from '../../message/format-field.ts'
import { parseHeaderBlock } from '../../message/headers.ts'
import { isAscii } from '../../protocol/bytes/text.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { encodeMailbox } from '../../protocol/smtp/index.ts'
import { type Content, edited } from '../edited-body.ts'
import type { Addresses } from '../postmaster.ts'
import { type AnswerPlaces, rejectionReport, writtenReply } from './answers.ts'
import type { Destined } from './destined.ts'
import type { Contents } from './header-edits.ts'
import type { Plan } from './plan.ts'
import { webhookOf, type Webhooks } from './webhooks.ts'

/** What filters need to do more than store a message. */
export interface UndertakingPlaces {
  readonly addresses: () => Addresses
  /** For what the server says itself, and for what it passes on. */
  readonly dispatch: () => Dispatch
  readonly forwards: () => Dispatch
  /** The sender under which mail is forwarded. */
  readonly forwarded: (sender: Address | null) => Promise<Address | null>
  readonly answers: AnswerPlaces
  readonly webhooks: Webhooks | undefined
  /** Hears of faults of ours, in words. */
  readonly failed: (what: string, error: unknown) => void
}

/** What has come of what a filter wanted. */
export interface Undertaken {
  /** In words. */
  readonly done: readonly string[]
  /** Something could not be done: the message has to be kept. */
  readonly lost: boolean
}

/** Addresses that a filter may redirect one message to. */
const MOST_REDIRECTS = 4
/** Filters here that a message may be redirected by, one after the other. */
const MOST_HOPS = 5

const never = (why: string): MailError => new MailError('permanent', why)

/** Carries out what filters want done with a message, beside storing it. Never rejects. */
export class Undertaking {
  private readonly places: UndertakingPlaces

  constructor(places: UndertakingPlaces) {
    this.places = places
  }

  /** All that a plan says. `contents`: the message as the filter has changed it. */
  async undertake(message: ReceivedMessage, to: Destined, plan: Plan, contents: Contents): Promise<Undertaken> {
    const done: string[] = []
    let lost = false
    const attempt = async (what: string, act: () => Promise<string | undefined>): Promise<void> => {
      try {
        const told = await act()
        if (told === undefined) lost = true
        else if (told !== '') done.push(told)
      } catch (error) {
        lost = true
        this.places.failed(`${what} for ${to.account.id}`, error)
      }
    }
    for (const at of plan.redirects.keys()) {
      const what = `redirect to ${encodeMailbox(plan.redirects[at]!.to)}`
      await attempt(what, async () => ((await this.redirect(message, to, contents, plan, at)) ? what : undefined))
    }
    const { rejection } = plan
    if (rejection !== undefined) await attempt('reject', () => this.reject(message, to.recipient, rejection))
    for (const reply of plan.replies) {
      // RFC 5230 §4.6: nobody is there to answer.
      if (message.envelope.sender === null) continue
      await attempt(`reply to ${encodeMailbox(reply.to)}`, async () => {
        await this.places.dispatch().enqueue(await writtenReply(message, reply, this.places.answers))
        return `reply to ${encodeMailbox(reply.to)}`
      })
    }
    for (const url of plan.webhooks) {
      done.push(webhookOf(url))
      const { webhooks, failed } = this.places
      if (webhooks) webhooks.tell(url, message, to, plan.tags)
      else failed(webhookOf(url), new MailError('config', 'mailServer: a filter has a webhook; give webhooks: { secret }.'))
    }
    return { done, lost }
  }

  /** `false`: it leads back to where it comes from. */
  private async redirect(
    message: ReceivedMessage, { account, recipient }: Destined, contents: Contents, plan: Plan, at: number,
  ): Promise<boolean> {
    const { to, edits } = plan.redirects[at]!
    const before = redirectedBy(message.headers)
    if (at >= MOST_REDIRECTS) throw never(`A message is redirected to ${MOST_REDIRECTS} addresses at the most`)
    if (before.includes(loopKey(recipient))) throw never('It was redirected here before: this is a mail loop')
    if (before.length >= MOST_HOPS) throw never(`It was redirected ${before.length} times before`)
    const found = await this.places.addresses().resolve({ local: to.local, domain: asciiDomain(to.domain) })
    const leads = found.kind === 'here' ? found.destinations : []
    if (leads.some((one) => one.kind === 'account' && one.account.id === account.id)) return false
    const isOnly = plan.redirects.length === 1 && plan.copies.length === 0 && message.envelope.recipients.length === 1
    const { body, facts } = await marked(message, await contents(edits), recipient)
    const sender = await this.places.forwarded(message.envelope.sender)
    const envelope = {
      ...message.envelope,
      sender,
      recipients: [recipientOf(to, isOnly ? recipient : undefined)],
      smtpUtf8: message.envelope.smtpUtf8 || !isAscii(to.local),
      // That it waits is over.
      hold: undefined,
    }
    await this.places.forwards().enqueue({ envelope, body, facts, account: undefined, received: message.received })
    return true
  }

  /** Tells the sender, where there is one who wants to hear. */
  private async reject(message: ReceivedMessage, recipient: Recipient, reason: string): Promise<string> {
    const { envelope, body, facts, received } = message
    const about: OutgoingMessage = { envelope, body, facts, account: undefined, received }
    const report = await rejectionReport(about, recipient, reason, this.places.answers)
    if (report) await this.places.dispatch().enqueue(report)
    return report ? `reject: ${reason}` : `reject, and tell nobody: ${reason}`
  }
}

/** The message as it goes on: not delivered for good yet (RFC 5321 §4.4), and marked so that it is known where it has been. */
async function marked({ envelope }: ReceivedMessage, content: Content, recipient: Recipient): Promise<Content> {
  const address = encodeMailbox(recipient)
  // Where it came for one recipient, it says so already.
  const deliveredTo = envelope.recipients.length === 1 ? '' : formatField('Delivered-To', address)
  const text = formatField('X-Sieve-Redirected-From', address) + deliveredTo
  const head = await readRange(content.body, { start: 0, end: content.facts.structure.body })
  const path = parseHeaderBlock(head).get('return-path')
  return edited(content, [{ from: 0, to: 0, text }, ...(path ? [{ from: path.start, to: path.end, text: '' }] : [])])
}

/** RFC 3461 §5.2.7.2: what has a single way to go takes the sender's wishes along. */
function recipientOf(to: Address, alone: Recipient | undefined): Recipient {
  const { local, tag } = splitTag(to.local)
  const { notify, originalRecipient } = alone ?? { notify: undefined, originalRecipient: undefined }
  return { local: to.local, domain: to.domain, user: local, tag, wire: encodeMailbox(to), notify, originalRecipient }
}
