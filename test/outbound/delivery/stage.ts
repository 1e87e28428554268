import { memoryQueue } from '../../../src/adapters/memory/queue.ts'
import type { OutgoingMessage } from '../../../src/contracts/dispatch.ts'
import type { AttemptFacts, ReportFacts, SiteFacts } from '../../../src/contracts/delivery.ts'
import type { MailQueue } from '../../../src/contracts/queue.ts'
import type { Envelope, ReceivedMessage, Recipient } from '../../../src/contracts/received.ts'
import { createIndexer } from '../../../src/message/indexer.ts'
import { memoryBody } from '../../../src/adapters/memory/bodies.ts'
import { Delivery } from '../../../src/outbound/delivery/delivery.ts'
import type { DeliveryParts, DeliveryRules } from '../../../src/outbound/delivery/options.ts'
import type { SiteTarget, Target } from '../../../src/outbound/delivery/target.ts'
import { took } from '../../../src/outbound/delivery/tried.ts'
import type { ReceiverOptions } from '../../../src/server/options.ts'
import { receiver } from '../../../src/server/receiver.ts'
import { virtualNetwork, type VirtualNetwork } from '../../../src/testing/network.ts'
import { seededRandom } from '../../../src/testing/random.ts'
import { type VirtualClock, virtualClock } from '../../../src/testing/virtual-clock.ts'

export const octets = (text: string): Uint8Array => Buffer.from(text.replaceAll(/\r?\n/g, '\r\n'), 'utf8')

/** The address of a recipient, as RCPT would give it. */
export function to(address: string, more: Partial<Recipient> = {}): Recipient {
  const [local = '', domain = ''] = address.split('@')
  return { local, domain, user: local, tag: undefined, wire: address, notify: undefined, originalRecipient: undefined, ...more }
}

export function envelope(
  sender: string | null, recipients: readonly (string | Recipient)[], more: Partial<Envelope> = {},
): Envelope {
  return {
    sender: sender === null ? null : to(sender),
    recipients: recipients.map((each) => (typeof each === 'string' ? to(each) : each)),
    size: undefined,
    body: '7BIT',
    smtpUtf8: false,
    ret: undefined,
    envid: undefined,
    requireTls: false,
    deliverBy: undefined,
    priority: undefined,
    hold: undefined,
    ...more,
  }
}

export function outgoing(of: Envelope, text: string, received: number): OutgoingMessage {
  const bytes = octets(text)
  const indexer = createIndexer()
  indexer.push(bytes)
  return { envelope: of, body: memoryBody('x', bytes), facts: indexer.end(), account: undefined, received }
}

/** A server on the stage: what it does, and what it has taken. */
export interface Server {
  readonly taken: ReceivedMessage[]
  connections: number
}

/** A delivery with all around it. */
export class Stage {
  readonly clock: VirtualClock = virtualClock()
  readonly network: VirtualNetwork = virtualNetwork({ clock: this.clock })
  readonly queue: MailQueue
  readonly attempts: AttemptFacts[] = []
  readonly reports: ReportFacts[] = []
  readonly sites: SiteFacts[] = []
  readonly faults: string[] = []
  readonly delivered: { local: string; text: string }[] = []
  readonly targets = new Map<string, Target>()
  readonly delivery: Delivery
  private readonly random = seededRandom(1)

  constructor(rules: Partial<DeliveryRules> = {}, parts: Partial<DeliveryParts> = {}) {
    this.queue = parts.queue ?? memoryQueue()
    this.delivery = new Delivery(
      {
        queue: this.queue,
        destination: ({ domain }) => (domain === 'here.test' ? 'local:' : `mx:${domain}`),
        directions: async (destination) => this.targets.get(destination) ?? { kind: 'here' },
        here: async ({ recipients, message }) => recipients.filter(({ state }) => state === 'waiting').map(({ number }) => {
          const { local } = message.envelope.recipients[number]!
          this.delivered.push({ local, text: Buffer.from(message.body.bytes!).toString('latin1') })
          const last = { at: this.clock.now(), code: 250, enhanced: '2.0.0', text: '', host: undefined, address: undefined }
          return took(number, 'delivered', last)
        }),
        compose: async ({ report }, about) => {
          const told = report.recipients.map(({ recipient, status }) => `${report.kind} ${recipient.local} ${status}`).join(', ')
          const text = `Subject: ${told}\n\nof ${about.envelope.envid}\n`
          return outgoing(envelope(null, [`${report.to.local}@${report.to.domain}`]), text, this.clock.now())
        },
        clock: this.clock,
        chance: () => 0,
        news: {
          attempt: (facts) => void this.attempts.push(facts),
          reported: (facts) => void this.reports.push(facts),
          site: (facts) => void this.sites.push(facts),
          failed: (what, error) => void this.faults.push(`${what}: ${String(error)}`),
        },
        ...parts,
      },
      { dial: this.network.dial, hello: 'us.test', patience: 30_000, head: 2_000, candidates: 8 },
      rules,
    )
    this.delivery.start()
  }

  /** A server for a domain, at an address. */
  server(
    domain: string, address: string,
    options: Partial<ReceiverOptions> & { readonly target?: Partial<SiteTarget>; readonly startTls?: boolean } = {},
  ): Server {
    const { target, startTls = false, ...rest } = options
    const server: Server = { taken: [], connections: 0 }
    const mx = receiver({
      hostname: `mx.${domain}`, accepts: () => true, inMemory: Infinity, clock: this.clock,
      random: (count) => this.random.octets(count), connections: false,
      ...rest,
      deliver: (message, context) => {
        server.taken.push(message)
        return options.deliver?.(message, context)
      },
    })
    this.network.listen(address, 25, (transport) => {
      server.connections++
      mx.serve(transport, { startTls })
    })
    this.route(domain, [address], target)
    return server
  }

  route(domain: string, addresses: readonly string[], target: Partial<SiteTarget> = {}): void {
    this.targets.set(`mx:${domain}`, {
      kind: 'site', key: domain, protocol: 'smtp', verified: false,
      hops: addresses.map((address, at) => ({
        host: `mx${at || ''}.${domain}`, port: 25, addresses: [address], tls: 'opportunistic', demand: { trust: 'none' },
      })),
      ...target,
    })
  }

  async send(
    sender: string | null, recipients: readonly (string | Recipient)[], more: Partial<Envelope> = {},
    text = 'Subject: hi\n\nhello\n',
  ): Promise<string> {
    return (await this.delivery.enqueue(outgoing(envelope(sender, recipients, more), text, this.clock.now()))).id
  }

  /** Lets time pass, in seconds. */
  async pass(seconds: number): Promise<void> {
    await this.clock.advance(seconds * 1000)
  }

  /** What the attempts came to, one word each. */
  get results(): string[] {
    return this.attempts.map(({ recipient, result }) => `${recipient} ${result}`)
  }
}
