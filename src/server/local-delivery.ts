import type { Verdict } from '../contracts/policy.ts'
import type { Dispatch } from '../contracts/dispatch.ts'
import type { ReceivedMessage, Recipient } from '../contracts/received.ts'
import { type Destinations, destinationsOf } from '../inbound/destinations.ts'
import { deliveredTo, loopKey } from '../inbound/loops.ts'
import { mailboxReplies } from '../inbound/mailbox-replies.ts'
import { combine } from '../inbound/verdict.ts'
import { type Address, splitTag } from '../message/address.ts'
import { isMailError } from '../protocol/session/errors.ts'
import { encodeMailbox } from '../protocol/smtp/index.ts'
import type { Addressing } from './addressing.ts'
import { edited } from './edited-body.ts'
import { destinedFor } from './filtering/destined.ts'
import type { FilteredDelivery } from './filtering/filtered-delivery.ts'
import type { Mailboxes } from './mailboxes.ts'
import type { Deliver } from './reception.ts'

/**
 * Hears of each message that was taken over, before the client does: for whom, and its id in the store, or in the queue where it
 * is for other servers alone.
 */
export type Taken = (message: ReceivedMessage, to: readonly Recipient[], id: string) => void

/** What a delivery works with. */
export interface DeliveryPlaces {
  readonly addressing: Addressing
  readonly mailboxes: Mailboxes
  /** Where people have filters. */
  readonly filtering?: FilteredDelivery | undefined
  /** For aliases that lead to other servers. */
  readonly queue: Dispatch
  /** The sender under which mail is forwarded. Default: its own. */
  readonly forwarded?: ((sender: Address | null) => Promise<Address | null>) | undefined
  readonly taken?: Taken | undefined
  /** Hears of faults of ours, in words. */
  readonly failed: (what: string, error: unknown) => void
}

/** What became of a message for some recipients: its id where it is now, or why it is nowhere. */
type Outcome = { readonly id: string } | { readonly refusal: Verdict }

/** Recipients, and where mail for them goes. */
interface Group extends Destinations {
  readonly recipients: readonly Recipient[]
}

/**
 * Delivers mail that comes from outside to the mailboxes of its recipients; one copy of it for all. Over SMTP, where one reply
 * stands for all, everybody gets it or nobody; over LMTP each recipient by himself.
 */
export class LocalDelivery {
  private readonly places: DeliveryPlaces

  constructor(places: DeliveryPlaces) {
    this.places = places
  }

  /** For receivers that speak SMTP. */
  readonly toAll: Deliver = async (message, { signal }) => {
    const { recipients } = message.envelope
    const group = this.groupOf(recipients)
    const outcome = await this.deliver(message, group, refusalBefore(message, group), signal)
    if ('refusal' in outcome) return outcome.refusal
    this.places.taken?.(message, recipients, outcome.id)
    return undefined
  }

  /** For receivers that speak LMTP. */
  readonly toEach: Deliver = async (message, { signal }) => {
    const { recipients } = message.envelope
    const groups = recipients.map((to) => this.groupOf([to]))
    const refusals = groups.map((group) => refusalBefore(message, group))
    const { own, owners } = shared(groups, refusals)
    // Side by side: what is stored at once shares one flush.
    const outcomes = await Promise.all(own.map((group, at) => this.deliver(message, group, refusals[at], signal)))
    const verdicts = owners.map((each) => {
      return combine(each.map((owner): Verdict => ('refusal' in outcomes[owner]! ? outcomes[owner].refusal : { kind: 'pass' })))
    })
    const to = recipients.filter((_, at) => verdicts[at]!.kind === 'pass')
    const first = outcomes.find((outcome, at) => 'id' in outcome && own[at]!.accounts.length + own[at]!.outside.length > 0)
    if (to.length > 0 && first && 'id' in first) this.places.taken?.(message, to, first.id)
    return verdicts
  }

  private groupOf(recipients: readonly Recipient[]): Group {
    return { recipients, ...destinationsOf(recipients.map((to) => this.places.addressing.destinationsOf(to))) }
  }

  private async deliver(
    message: ReceivedMessage, group: Group, refusal: Verdict | undefined, signal: AbortSignal,
  ): Promise<Outcome> {
    if (refusal) return { refusal }
    const { accounts, outside } = group
    // Mailboxes first: what they have no room for must not have gone on to others.
    const here = accounts.length > 0 ? await this.store(message, group, signal) : undefined
    if (here && 'refusal' in here) return here
    const there = outside.length > 0 ? await this.passOn(message, group) : undefined
    if (there && 'refusal' in there) return there
    return { id: here?.id ?? there?.id ?? message.id }
  }

  /** Puts a message into mailboxes. What is set apart is past filters: none of them takes it out again. */
  private async store(message: ReceivedMessage, group: Group, signal: AbortSignal): Promise<Outcome> {
    const { accounts, outside, recipients } = group
    const { mailboxes, filtering, addressing } = this.places
    const place = message.notes.some(({ kind }) => kind === 'quarantine') ? 'junk' : 'inbox'
    if (filtering && place === 'inbox') {
      const to = destinedFor(accounts, recipients, recipients.map((one) => addressing.destinationsOf(one)))
      return filtering.deliver(message, to, { signal, refuses: outside.length === 0 })
    }
    const { body, facts, received } = message
    const outcome = await mailboxes.deliver(accounts, { body, facts, received }, place, signal)
    return 'refusal' in outcome ? outcome : { id: outcome.stored.id }
  }

  /** Gives a message to the queue, for other servers. */
  private async passOn(message: ReceivedMessage, group: Group): Promise<Outcome> {
    const [path] = message.headers.all('return-path')
    try {
      // RFC 5321 §4.4: it is not delivered for good yet.
      const { body, facts } = await edited(message, path ? [{ from: path.start, to: path.end, text: '' }] : [])
      const { sender: own } = message.envelope
      const sender = this.places.forwarded ? await this.places.forwarded(own) : own
      const envelope = { ...message.envelope, sender, recipients: forwardedTo(group) }
      return await this.places.queue.enqueue({ envelope, body, facts, account: undefined, received: message.received })
    } catch (error) {
      this.places.failed('enqueue', error)
      const isFinal = isMailError(error) && error.code === 'permanent'
      return { refusal: isFinal ? mailboxReplies.notStored : mailboxReplies.fault }
    }
  }
}

/** Why a message is not even tried to be delivered: it has been here, or somebody does not take it as large as it is. */
function refusalBefore(message: ReceivedMessage, { recipients, accounts }: Group): Verdict | undefined {
  // Where there is one recipient, one field is ours.
  const before = deliveredTo(message.headers, message.envelope.recipients.length === 1 ? 1 : 0)
  if (before.size > 0 && recipients.some((to) => before.has(loopKey(to)))) return mailboxReplies.loop
  return accounts.some(({ messageOctets = Infinity }) => message.octets > messageOctets) ? mailboxReplies.tooLarge : undefined
}

/**
 * Of several groups, what each is to deliver so that nobody gets a message twice, and which groups decide about each. A group
 * that is refused delivers nothing, not even for others.
 */
function shared(groups: readonly Group[], refusals: readonly (Verdict | undefined)[]): { own: Group[]; owners: number[][] } {
  const ownerOf = new Map<string, number>()
  const own: Group[] = []
  const owners: number[][] = []
  groups.forEach((group, at) => {
    const deciding = new Set([at])
    const isOwn = (key: string): boolean => {
      if (refusals[at]) return false
      if (!ownerOf.has(key)) ownerOf.set(key, at)
      deciding.add(ownerOf.get(key)!)
      return ownerOf.get(key) === at
    }
    const accounts = group.accounts.filter(({ id }) => isOwn(`account ${id}`))
    const outside = group.outside.filter((address) => isOwn(`outside ${encodeMailbox(address)}`))
    own.push({ ...group, accounts, outside })
    owners.push([...deciding])
  })
  return { own, owners }
}

/** The recipients at other servers, to whom mail for ours goes on. */
function forwardedTo({ recipients, accounts, outside }: Group): Recipient[] {
  const [first] = recipients
  const isOne = recipients.length + outside.length === 2 && accounts.length === 0
  // RFC 3461 §5.2.7.2 and §5.2.7.3 (a): what the sender wants to hear goes on with a message that has a single way to go.
  const { notify, originalRecipient } = first && isOne ? first : { notify: undefined, originalRecipient: undefined }
  return outside.map((address) => {
    const { local, tag } = splitTag(address.local)
    return { ...address, user: local, tag, wire: encodeMailbox(address), notify, originalRecipient }
  })
}
