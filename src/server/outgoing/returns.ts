import type { BouncedFacts } from '../../contracts/bounced.ts'
import type { Destination } from '../../contracts/directory.ts'
import type { KeyValue } from '../../contracts/key-value.ts'
import type { QueuedMessage } from '../../contracts/queue.ts'
import { readRange } from '../../contracts/read-body.ts'
import type { ReceivedMessage } from '../../contracts/received.ts'
import type { Address } from '../../message/address.ts'
import { asciiDomain } from '../../message/domain.ts'
import { readBounce } from '../../outbound/bounce.ts'
import type { Srs } from '../../outbound/srs.ts'
import type { SuppressionList } from '../../outbound/suppression.ts'
import type { Verp } from '../../outbound/verp.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import { encodeMailbox } from '../../protocol/smtp/index.ts'
import { readAddress } from '../../accounts/address.ts'
import type { Addresses } from '../postmaster.ts'

/** How mail that comes back is known again. */
export interface ReturnParts {
  readonly directory: Addresses
  readonly clock: Clock
  readonly srs: Srs | undefined
  readonly verp: Verp | undefined
  /** Keeps who had sent what, for as long as it may come back; needed with `verp`. */
  readonly keyValue: KeyValue | undefined
  readonly suppressions: SuppressionList | undefined
  readonly bounced: (facts: BouncedFacts) => void
  readonly failed: (what: string, error: unknown) => void
}

/** Milliseconds for which it is known who had sent a message: as long as VERP takes bounces, and more. */
const KNOWN_FOR = 40 * 86_400_000
/** Octets of a bounce that are read. */
const MOST_READ = 262_144

/** Servers of old bounce under a name in place of the null sender (RFC 5321 §4.5.5, RFC 3834 §2). */
const BOUNCERS: ReadonlySet<string> = new Set(['mailer-daemon', 'postmaster'])

/** Whether mail from that sender may be a bounce. */
const bounces = (sender: Address | null | undefined): boolean => !sender || BOUNCERS.has(sender.local.toLowerCase())

/** What is kept of a message that went out under senders of ours. */
interface Sent {
  readonly sender: string
  readonly recipients: readonly string[]
}

/** Senders under which mail goes out, and addresses by which it comes back: SRS for what is forwarded, VERP for what is sent. */
export class Returns {
  private readonly parts: ReturnParts

  constructor(parts: ReturnParts) {
    this.parts = parts
  }

  /** The directory, with the addresses by which mail comes back: it goes to whom it was for. */
  get addresses(): Addresses {
    const { directory, srs, verp } = this.parts
    if (!srs && !verp) return directory
    return { resolve: async (address, sender) => (await this.resolve(address, sender)) ?? directory.resolve(address, sender) }
  }

  /** The sender under which mail from `sender` is forwarded. */
  async forwarded(sender: Address | null): Promise<Address | null> {
    const { srs, clock, directory } = this.parts
    if (!srs || sender === null) return sender
    const { kind } = await directory.resolve({ local: sender.local, domain: asciiDomain(sender.domain) })
    // Whoever is of ours may be sent for by us.
    return kind === 'elsewhere' ? (srs.forward(sender, clock.now()) ?? sender) : sender
  }

  /** The sender under which a message goes to one of its recipients. */
  returnPath({ id, envelope, account }: QueuedMessage, recipient: number): Address | undefined {
    const { verp, clock } = this.parts
    // What the server says of its own accord, and what it passes on, is nobody's to hear of again.
    if (!verp || envelope.sender === null || account === undefined) return undefined
    return verp.encode({ message: id, recipient }, clock.now())
  }

  /** Takes down who has sent a message, for when it comes back. */
  async note(id: string, { envelope, account }: Pick<QueuedMessage, 'envelope' | 'account'>): Promise<void> {
    const { verp, keyValue, clock } = this.parts
    if (!verp || !keyValue || envelope.sender === null || account === undefined) return
    const sent: Sent = { sender: encodeMailbox(envelope.sender), recipients: envelope.recipients.map(encodeMailbox) }
    const now = clock.now()
    await keyValue.set(`sent:${id}`, JSON.stringify(sent), { now, until: now + KNOWN_FOR })
  }

  /** A message was taken over: if it came to an address of VERP, tells what it says. Never rejects. */
  async read(message: ReceivedMessage): Promise<void> {
    const { verp, clock } = this.parts
    if (!verp) return
    try {
      for (const recipient of message.envelope.recipients) {
        const subject = verp.decode(recipient, clock.now())
        if (!('refused' in subject)) await this.tell(message, subject.message, subject.recipient)
      }
    } catch (error) {
      this.parts.failed('bounce', error)
    }
  }

  private async tell(message: ReceivedMessage, id: string, number: number): Promise<void> {
    const { suppressions, bounced, clock } = this.parts
    const sent = await this.sent(id)
    const recipient = sent?.recipients[number]
    const { body, envelope } = message
    const bounce = readBounce(await readRange(body, { start: 0, end: Math.min(body.size, MOST_READ) }), envelope.sender)
    const [told] = bounce?.recipients ?? []
    if (!sent || recipient === undefined || !told) return
    const address = readAddress(recipient)
    const suppressed = address ? ((await suppressions?.addBounce(address, told, clock.now())) ?? false) : false
    const { action, lasting, status, diagnostic } = told
    bounced({ message: id, recipient, sender: sent.sender, action, lasting, status, diagnostic, suppressed })
  }

  private async resolve(
    address: Address, sender: Address | null | undefined,
  ): Promise<{ kind: 'here'; destinations: readonly Destination[] } | undefined> {
    const { srs, verp, clock } = this.parts
    // Whoever writes to a rewritten sender by himself would use us to hide where his mail comes from.
    const reversed = bounces(sender) ? srs?.reverse(address, clock.now()) : undefined
    if (reversed && 'address' in reversed) return this.to(reversed.address)
    const subject = verp?.decode(address, clock.now())
    if (!subject || 'refused' in subject) return undefined
    const first = (await this.sent(subject.message))?.sender
    const known = first === undefined ? undefined : readAddress(first)
    return known && this.to(known)
  }

  private async to(address: Address): Promise<{ kind: 'here'; destinations: readonly Destination[] }> {
    const found = await this.parts.directory.resolve({ local: address.local, domain: asciiDomain(address.domain) })
    return found.kind === 'here' ? found : { kind: 'here', destinations: [{ kind: 'outside', address }] }
  }

  private async sent(id: string): Promise<Sent | undefined> {
    const text = await this.parts.keyValue?.get(`sent:${id}`, this.parts.clock.now())
    return text === undefined ? undefined : (JSON.parse(text) as Sent)
  }
}
