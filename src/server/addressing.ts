import type { Destination, Resolution } from '../contracts/directory.ts'
import type { Verdict } from '../contracts/policy.ts'
import type { Dispatch } from '../contracts/dispatch.ts'
import type { Recipient } from '../contracts/received.ts'
import { destinationsOf } from '../inbound/destinations.ts'
import { mailboxReplies, refusalOfKind } from '../inbound/mailbox-replies.ts'
import type { Address } from '../message/address.ts'
import { asciiDomain } from '../message/domain.ts'
import type { Mailboxes } from './mailboxes.ts'
import type { Addresses } from './postmaster.ts'
import type { Accepts, ClaimContext } from './reception.ts'

/** Finds out what recipients mean when they are named, and remembers it until their message is there. */
export class Addressing {
  private readonly directory: Addresses
  private readonly mailboxes: Mailboxes
  private readonly queue: Dispatch
  private readonly found = new WeakMap<Recipient, readonly Destination[]>()

  constructor(directory: Addresses, mailboxes: Mailboxes, queue: Dispatch) {
    this.directory = directory
    this.mailboxes = mailboxes
    this.queue = queue
  }

  /** Claims those whose mail is kept here. Nobody else: what comes in here from strangers does not go on to others. */
  readonly ours: Accepts = (to, context) => this.claim(to, context, false)

  /** Claims whomever somebody of ours may write to: those here, and all others where there is a queue that sends. */
  readonly anybody: Accepts = (to, context) => this.claim(to, context, true)

  /** Why mail of so many octets cannot go to a recipient whom somebody of ours has named; nothing where it can. */
  async refusal(to: Recipient, sender: Address | null, size: number | undefined): Promise<Verdict | undefined> {
    const claimed = await this.claim(to, { envelope: { sender, size } }, true)
    return claimed === true ? undefined : claimed
  }

  /** Where mail for a recipient that was claimed goes. */
  destinationsOf(to: Recipient): readonly Destination[] {
    return this.found.get(to) ?? []
  }

  private async claim(
    to: Recipient, { envelope }: { readonly envelope: Pick<ClaimContext['envelope'], 'sender' | 'size'> }, sends: boolean,
  ): Promise<Verdict | true> {
    const address = { local: to.local, domain: asciiDomain(to.domain) }
    const resolution = await this.directory.resolve(address, envelope.sender)
    const destinations = whereTo(resolution, address, sends)
    if (destinations === undefined) return refusalOfKind((resolution as Exclude<Resolution, { kind: 'here' }>).kind)
    const { accounts, outside } = destinationsOf([destinations])
    if (accounts.length + outside.length === 0) return mailboxReplies.broken
    if (outside.length > 0 && this.queue.traits.localOnly === true) return mailboxReplies.notSent
    const refusal = accounts.length > 0 ? await this.mailboxes.refusal(accounts, envelope.size) : undefined
    if (refusal) return refusal
    this.found.set(to, destinations)
    return true
  }
}

function whereTo(resolution: Resolution, address: Address, sends: boolean): readonly Destination[] | undefined {
  if (resolution.kind === 'here') return resolution.destinations
  return resolution.kind === 'elsewhere' && sends ? [{ kind: 'outside', address }] : undefined
}
