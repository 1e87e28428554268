import type { Destination } from '../../contracts/directory.ts'
import type { Dispatch } from '../../contracts/dispatch.ts'
import type { Verdict } from '../../contracts/policy.ts'
import type { LastTry, Lease } from '../../contracts/queue.ts'
import type { Recipient } from '../../contracts/received.ts'
import { destinationsOf } from '../../inbound/destinations.ts'
import { mailboxReplies, refusalOfKind } from '../../inbound/mailbox-replies.ts'
import { type Address, splitTag } from '../../message/address.ts'
import { asciiDomain } from '../../message/domain.ts'
import { missed, took, type Tried } from '../../outbound/delivery/tried.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import { encodeMailbox } from '../../protocol/smtp/index.ts'
import { edited } from '../edited-body.ts'
import type { FilteredDelivery } from '../filtering/filtered-delivery.ts'
import type { Mailboxes } from '../mailboxes.ts'
import type { Addresses } from '../postmaster.ts'
import { finalFields } from '../trace.ts'
import { Doorsteps } from './doorsteps.ts'

/** What the last leg of mail for people here takes. */
export interface HomeParts {
  readonly directory: Addresses
  readonly mailboxes: Mailboxes
  /** Where people have filters. */
  readonly filtering?: FilteredDelivery | undefined
  /** The sender under which mail is forwarded. */
  readonly forwarded: (sender: Address | null) => Promise<Address | null>
  /** For aliases that lead to other servers. */
  readonly dispatch: () => Dispatch
  readonly clock: Clock
  /** Hears of faults of ours, in words. */
  readonly failed: (what: string, error: unknown) => void
}

/** Recipients of a message that are delivered to side by side. */
const BESIDE = 10
/** Addresses of ours that an alias may lead through, one after the other or side by side. */
const MOST_THROUGH = 100
/** Recipients whose mailboxes are remembered to have the message already. */
const MOST_KEPT = 10_000

/** Brings queued mail into mailboxes here, and on to where aliases lead. */
export class Home {
  private readonly parts: HomeParts
  /** Recipients whose mailboxes have the message, though it could not go on yet: they get it once. */
  private readonly kept = new Set<string>()
  private readonly doorsteps: Doorsteps

  constructor(parts: HomeParts) {
    this.parts = parts
    this.doorsteps = new Doorsteps(parts.clock)
  }

  /** Delivers to all recipients of a lease that wait. Never rejects. */
  readonly deliver = async (lease: Lease): Promise<readonly Tried[]> => {
    const waiting = lease.recipients.filter(({ state }) => state === 'waiting')
    const tried: Tried[] = []
    let isStuck = false
    for (let at = 0; at < waiting.length; at += BESIDE) {
      const some = waiting.slice(at, at + BESIDE)
      // Where nobody answers, not each of a thousand is waited for.
      const ended = await Promise.all(some.map(({ number }) => (isStuck ? undefined : this.attempt(lease, number))))
      isStuck ||= ended.every((each) => each === undefined)
      tried.push(...ended.map((each, place) => each ?? this.unanswered(some[place]!.number)))
    }
    return tried
  }

  private attempt(lease: Lease, number: number): Promise<Tried | undefined> {
    const { message } = lease
    const address = keyOf(message.envelope.recipients[number]!)
    return this.doorsteps.attempt(`${message.id}/${number}`, address, (signal) => this.one(lease, number, signal))
  }

  private unanswered(number: number): Tried {
    const failure = { result: 'temporary', phase: 'mailbox', reason: 'timeout', code: 451, status: '4.3.0' } as const
    return missed(number, failure, this.last(451, '4.3.0', 'The mailbox does not answer'))
  }

  private async one(lease: Lease, number: number, signal: AbortSignal): Promise<Tried> {
    const recipient = lease.message.envelope.recipients[number]!
    try {
      const destinations = await this.destinationsOf(recipient)
      if ('kind' in destinations) return this.refused(number, destinations)
      return await this.bring(lease, number, recipient, destinations, signal)
    } catch (error) {
      this.parts.failed('deliver', error)
      return this.refused(number, mailboxReplies.fault)
    }
  }

  private async destinationsOf({ local, domain }: Recipient): Promise<readonly Destination[] | Verdict> {
    const address = { local, domain: asciiDomain(domain) }
    const found = await this.parts.directory.resolve(address)
    if (found.kind !== 'here') return refusalOfKind(found.kind)
    if (found.destinations.length === 0) return mailboxReplies.broken
    const followed = await this.followed(address, found.destinations)
    return followed.length > 0 ? followed : mailboxReplies.loop
  }

  /**
   * Where what leads to other addresses of ours leads in the end. Each of them is followed once: what went back into the queue
   * for an address that it came from would go round there for ever, past all counting of hops (RFC 5321 §6.3).
   */
  private async followed(from: Address, destinations: readonly Destination[]): Promise<readonly Destination[]> {
    const seen = new Set([keyOf(from)])
    const ends: Destination[] = []
    const open = [...destinations]
    for (let next = open.shift(); next; next = open.shift()) {
      // What is too long to be followed now goes on by itself: nobody is left out.
      if (seen.size > MOST_THROUGH) return [...ends, next, ...open]
      if (next.kind === 'account') {
        ends.push(next)
        continue
      }
      const address = { local: next.address.local, domain: asciiDomain(next.address.domain) }
      if (seen.has(keyOf(address))) continue
      const found = await this.parts.directory.resolve(address)
      if (found.kind !== 'here') ends.push(next)
      else {
        seen.add(keyOf(address))
        open.push(...found.destinations)
      }
    }
    return ends
  }

  private async bring(
    { message }: Lease, number: number, recipient: Recipient, destinations: readonly Destination[], signal: AbortSignal,
  ): Promise<Tried> {
    const { accounts, outside } = destinationsOf([destinations])
    const most = Math.min(...accounts.map(({ messageOctets = Infinity }) => messageOctets))
    if (message.body.size > most) return this.refused(number, mailboxReplies.tooLarge)
    const key = `${message.id}/${number}`
    if (accounts.length > 0 && !this.kept.has(key)) {
      const text = finalFields(message.envelope.sender, [recipient])
      const content = await edited(message, [{ from: 0, to: 0, text }])
      const { mailboxes, filtering } = this.parts
      const to = accounts.map((account) => ({ account, recipient }))
      const own = { ...message, envelope: { ...message.envelope, recipients: [recipient] } }
      const outcome = filtering
        ? await filtering.queued(own, content, to, { signal, refuses: outside.length === 0 }, key)
        : await mailboxes.deliver(accounts, { ...content, received: message.received }, 'inbox', signal)
      if ('refusal' in outcome) return this.refused(number, outcome.refusal)
      if (outside.length > 0 && this.kept.size < MOST_KEPT) this.kept.add(key)
    }
    if (outside.length > 0) {
      // It comes again.
      signal.throwIfAborted()
      const isOne = outside.length === 1 && accounts.length === 0
      // RFC 3461 §5.2.7.2: what has a single way to go takes the sender's wishes along; of a list only the way to it is told.
      const { notify, originalRecipient } = isOne ? recipient : { notify: undefined, originalRecipient: undefined }
      const recipients = outside.map((address): Recipient => {
        const { local, tag } = splitTag(address.local)
        return { ...address, user: local, tag, wire: encodeMailbox(address), notify, originalRecipient }
      })
      const { body, facts, received } = message
      const envelope = { ...message.envelope, sender: await this.parts.forwarded(message.envelope.sender), recipients }
      // It is not his who submitted it any more, but what somebody here has wished for his mail.
      await this.parts.dispatch().enqueue({ envelope, body, facts, account: undefined, received })
      this.kept.delete(key)
      return took(number, isOne ? 'relayed' : 'expanded', this.last(250, '2.0.0', ''), isOne)
    }
    return took(number, 'delivered', this.last(250, '2.0.0', ''))
  }

  /** What a refusal by mailboxes is to a queue. */
  private refused(number: number, refusal: Verdict): Tried {
    const { code, enhanced = '4.3.0', text } = 'reply' in refusal ? refusal.reply : { code: 451, text: 'Not now' }
    const isFull = enhanced.endsWith('.2.2')
    const reason = isFull ? 'full' : refusal === mailboxReplies.fault ? 'ours' : 'refused'
    // There is no hurry: a mailbox that is full today may have room tomorrow.
    const result = code >= 500 && !isFull ? 'permanent' : 'temporary'
    const said = [text].flat().join(' ')
    return missed(number, { result, phase: 'mailbox', reason, code, status: enhanced }, this.last(code, enhanced, said))
  }

  private last(code: number, enhanced: string, text: string): LastTry {
    return { at: this.parts.clock.now(), code, enhanced, text, host: undefined, address: undefined }
  }
}

const keyOf = ({ local, domain }: Address): string => `${local}@${domain}`
