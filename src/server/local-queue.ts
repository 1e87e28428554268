import { nodeClock } from '../adapters/node/index.ts'
import type { Destination } from '../contracts/directory.ts'
import type { Verdict } from '../contracts/policy.ts'
import type { Dispatch, OutgoingMessage } from '../contracts/dispatch.ts'
import type { MailStore } from '../contracts/store.ts'
import { destinationsOf } from '../inbound/destinations.ts'
import { mailboxReplies } from '../inbound/mailbox-replies.ts'
import type { Address } from '../message/address.ts'
import { asciiDomain } from '../message/domain.ts'
import type { Observer } from '../observe/events.ts'
import type { Clock } from '../protocol/session/clock.ts'
import { MailError } from '../protocol/session/errors.ts'
import { aFunction, checkOptions, having, type OptionKinds, required } from '../protocol/session/options.ts'
import { edited } from './edited-body.ts'
import { destinedFor } from './filtering/destined.ts'
import type { FilteredDelivery } from './filtering/filtered-delivery.ts'
import { Mailboxes } from './mailboxes.ts'
import type { Addresses } from './postmaster.ts'
import { finalFields } from './trace.ts'

/** What {@link localQueue} is made of. */
export interface LocalQueueOptions {
  /** Says whose mailboxes there are. */
  readonly directory: Addresses
  readonly store: MailStore
  /** Hears of quotas that are nearly used up, and of failures. */
  readonly observe?: Observer
  /** Default: the platform's. */
  readonly clock?: Clock
}

const kinds: OptionKinds<LocalQueueOptions> = {
  directory: required(having('a directory', 'resolve')),
  store: required(having('a mail store', 'append', 'mailboxes')),
  observe: aFunction,
  clock: having('a clock', 'now', 'ticks', 'alarm'),
}

/**
 * A queue in which nothing waits: a message is in the mailboxes of all its recipients when `enqueue` resolves. For servers that
 * send no mail to others; a message that is for anybody elsewhere is refused (`permanent`). The id that it gives is the store's.
 */
export function localQueue(options: LocalQueueOptions): Dispatch {
  checkOptions('localQueue', options, kinds)
  const { directory, store, observe = () => undefined, clock = nodeClock } = options
  return new LocalQueue(directory, new Mailboxes(store, clock, observe), store)
}

/** Octets that we may have added to what was sent (`Received`, `Date`, `Message-ID`): nobody is refused for those. */
const OURS = 1024

/** {@link localQueue} over mailboxes that others use as well. */
export class LocalQueue implements Dispatch {
  readonly traits: Dispatch['traits']
  private readonly directory: Addresses
  private readonly mailboxes: Mailboxes
  private readonly filtering: FilteredDelivery | undefined

  constructor(directory: Addresses, mailboxes: Mailboxes, store: MailStore, filtering?: FilteredDelivery) {
    this.directory = directory
    this.mailboxes = mailboxes
    this.filtering = filtering
    this.traits = { durability: store.traits.durability, localOnly: true }
  }

  async enqueue(message: OutgoingMessage): Promise<{ readonly id: string }> {
    const { sender, recipients } = message.envelope
    if (recipients.length === 0) throw new MailError('misuse', 'enqueue: envelope.recipients is empty')
    const destinations = await Promise.all(recipients.map((to) => this.destinationsOf(to)))
    const { accounts } = destinationsOf(destinations)
    const text = finalFields(sender, recipients)
    const most = Math.min(...accounts.map(({ messageOctets = Infinity }) => messageOctets))
    if (message.body.size > most + OURS) throw errorFor(mailboxReplies.tooLarge)
    const content = await edited(message, [{ from: 0, to: 0, text }])
    // Who rejects it says so to the sender by himself: nobody else's mail is to fail for that.
    const to = destinedFor(accounts, recipients, destinations)
    const outcome = this.filtering
      ? await this.filtering.queued(message, content, to, { refuses: false })
      : await this.mailboxes.deliver(accounts, { ...content, received: message.received }, 'inbox')
    if ('refusal' in outcome) throw errorFor(outcome.refusal)
    return { id: 'id' in outcome ? outcome.id : outcome.stored.id }
  }

  private async destinationsOf({ local, domain }: Address): Promise<readonly Destination[]> {
    const found = await this.directory.resolve({ local, domain: asciiDomain(domain) })
    const isHere = found.kind === 'here' && found.destinations.every(({ kind }) => kind === 'account')
    if (isHere && found.destinations.length > 0) return found.destinations
    // What a look at the aliases will mend is no reason to give the message back.
    const code = found.kind === 'broken' ? 'temporary' : 'permanent'
    throw new MailError(code, `No mailbox here: ${local}@${domain} is ${found.kind === 'here' ? 'elsewhere' : found.kind}`)
  }
}

/** What a refusal by mailboxes is to whoever enqueues. */
function errorFor(refusal: Verdict): MailError {
  const text = 'reply' in refusal ? refusal.reply.text : refusal.kind
  if (refusal === mailboxReplies.full) return new MailError('quota', text)
  return new MailError(refusal.kind === 'defer' ? 'temporary' : 'permanent', text)
}
