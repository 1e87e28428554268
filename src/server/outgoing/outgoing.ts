import { composeMail } from '../../adapters/nodemailer/compose.ts'
import { dial, nodeResolver, stsFetch, widelyHeard } from '../../adapters/node/index.ts'
import type { Dispatch, OutgoingMessage } from '../../contracts/dispatch.ts'
import type { KeyValue } from '../../contracts/key-value.ts'
import type { MailQueue } from '../../contracts/queue.ts'
import type { Recipient } from '../../contracts/received.ts'
import type { Policy } from '../../contracts/policy.ts'
import type { Resolver } from '../../contracts/resolver.ts'
import type { Sign } from '../../contracts/sign.ts'
import { asciiDomain } from '../../message/domain.ts'
import type { Observer } from '../../observe/events.ts'
import { Delivery } from '../../outbound/delivery/delivery.ts'
import { directionsOf } from '../../outbound/delivery/directions.ts'
import type { DeliveryNews, DeliveryRules } from '../../outbound/delivery/options.ts'
import { type RouteTable, routeTable } from '../../outbound/route-table.ts'
import type { SuppressionList } from '../../outbound/suppression.ts'
import { mtaSts } from '../../outbound/sts.ts'
import type { Address } from '../../message/address.ts'
import type { BouncedFacts } from '../../contracts/bounced.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { FilteredDelivery } from '../filtering/filtered-delivery.ts'
import type { LocalQueue } from '../local-queue.ts'
import type { Mailboxes } from '../mailboxes.ts'
import type { Addresses } from '../postmaster.ts'
import { Home } from './home.ts'
import { Returns } from './returns.ts'
import { DmarcReporting } from './dmarc-reporting.ts'
import { TlsReporting, type TlsReportPlaces } from './tls-reporting.ts'
import { inSevenBits } from './conversion.ts'
import { checkOutgoingOptions, type OutgoingOptions } from './options.ts'
import { reportWriter } from './reports.ts'
import { signed } from './signed.ts'

/** What outgoing mail shares with the rest of a server. */
export interface OutgoingPlaces {
  readonly hostname: string
  readonly directory: Addresses
  readonly mailboxes: Mailboxes
  /** Where people have filters. */
  readonly filtering?: FilteredDelivery | undefined
  /** Puts mail that stays here into its mailboxes at once. */
  readonly local: LocalQueue
  readonly queue: MailQueue
  readonly keyValue: KeyValue | undefined
  readonly observe: Observer
  readonly clock: Clock
  readonly random: (octets: number) => Uint8Array
}

/**
 * Mail that goes out. What stays here altogether is in its mailboxes when it has been taken; all else waits in a queue, and is
 * delivered from there.
 */
export class Outgoing implements Dispatch {
  readonly traits: Dispatch['traits']
  readonly delivery: Delivery
  /** Knows mail again that comes back. */
  readonly returns: Returns
  private readonly places: OutgoingPlaces
  private readonly directory: Addresses
  private readonly table: RouteTable
  private readonly sign: Sign | undefined
  private readonly seal: Sign | undefined
  private readonly tlsReporting: TlsReporting | undefined
  private readonly dmarcReporting: DmarcReporting | undefined
  /** The one that nobody has given us: ours to close. */
  private readonly ownResolver: ReturnType<typeof nodeResolver> | undefined
  private isStarted = false

  constructor(places: OutgoingPlaces, options: OutgoingOptions = {}) {
    checkOutgoingOptions(options, places.hostname)
    this.places = places
    this.table = routeTable(options.routes)
    this.sign = options.sign
    this.seal = options.seal
    const { queue, hostname, clock, random, observe } = places
    this.traits = { durability: queue.traits.durability }
    const chance = chanceOf(random)
    const failed = (what: string, error: unknown): void => observe({ kind: 'failed', at: clock.now(), what, error })
    const { suppressions, compose: composer = composeMail } = options
    this.ownResolver = options.resolver ? undefined : nodeResolver()
    const resolver = options.resolver ?? this.ownResolver!
    this.returns = returnsFor(places, options, failed)
    this.directory = this.returns.addresses
    const reporting = this.reportingParts({ resolver, compose: composer, chance, failed })
    this.tlsReporting = options.tlsReports && new TlsReporting(options.tlsReports, reporting('tlsReports'))
    this.dmarcReporting = options.dmarcReports && new DmarcReporting(options.dmarcReports, reporting('dmarcReports'))
    const forwarded = (sender: Address | null): Promise<Address | null> => this.returns.forwarded(sender)
    const home = new Home({ ...places, directory: this.directory, forwarded, dispatch: () => this.forwards, failed })
    const compose = reportWriter({ hostname, clock, random, compose: composer })
    this.delivery = new Delivery(
      {
        queue,
        destination: (recipient, message) => this.destination(recipient, message),
        directions: directionsOf({ ...this.directionParts(options, resolver), chance }),
        here: home.deliver,
        compose: async (due, about) => signed(await compose(due, about), this.sign),
        convert: inSevenBits,
        returnPath: (message, recipient) => this.returns.returnPath(message, recipient),
        ...(suppressions ? { suppressed: (recipient: Recipient) => suppressed(suppressions, recipient, clock.now()) } : {}),
        stopping: widelyHeard(),
        clock,
        chance,
        news: newsFor(observe, clock),
      },
      {
        dial: options.dial ?? dial,
        hello: options.hello ?? hostname,
        limits: options.limits,
        timeouts: options.timeouts,
        patience: 30_000,
        head: 2_000,
        candidates: 10,
        secured: (hop, address, failure) => this.tlsReporting?.note(hop, address, failure),
      },
      rulesOf(options),
    )
  }

  /** Takes mail of those who are here, and signs it. */
  async enqueue(message: OutgoingMessage): Promise<{ readonly id: string }> {
    return this.take(await signed(message, this.sign))
  }

  /** Takes mail that is passed on, and seals it. It may say that it is from anybody, us too, so it is not signed. */
  get forwards(): Dispatch {
    return { traits: this.traits, enqueue: async (message) => this.take(await signed(message, this.seal)) }
  }

  private async take(message: OutgoingMessage): Promise<{ readonly id: string }> {
    if (await this.staysHere(message)) return this.places.local.enqueue(message)
    const queued = await this.delivery.enqueue(message)
    // It is safe; that a bounce could not be matched to it later is no reason to say otherwise.
    await this.returns.note(queued.id, message).catch((error: unknown) => {
      this.places.observe({ kind: 'failed', at: this.places.clock.now(), what: 'note a message for VERP', error })
    })
    return queued
  }

  /** What hears of mail that arrives. */
  get policies(): readonly Policy[] {
    return this.dmarcReporting ? [this.dmarcReporting.policy] : []
  }

  /** Begins to deliver. May be called again. */
  start(): void {
    if (this.isStarted) return
    this.isStarted = true
    this.delivery.start()
    this.tlsReporting?.start()
    this.dmarcReporting?.start()
  }

  /** Ends what is under way within so many milliseconds; what is left waits for the next time. */
  async stop(how: { readonly within: number }): Promise<void> {
    await this.delivery.stop(how)
    await this.tlsReporting?.stop()
    await this.dmarcReporting?.stop()
    await this.ownResolver?.close()
  }

  private reportingParts(
    parts: Pick<TlsReportPlaces, 'resolver' | 'compose' | 'chance' | 'failed'>,
  ): (option: string) => TlsReportPlaces {
    const { keyValue: store, hostname, clock, random } = this.places
    // Signed, so that those who get it know whose it is.
    const enqueue = async (message: OutgoingMessage): Promise<unknown> => this.delivery.enqueue(await signed(message, this.sign))
    return (option) => {
      if (store) return { ...parts, hostname, store, enqueue, clock, random }
      throw new MailError('config', `outgoing.${option}: give the server a keyValue too, which keeps what to tell.`)
    }
  }

  private directionParts({ sts, dane = false, own, loopback = false }: OutgoingOptions, resolver: Resolver) {
    const { keyValue, clock, hostname } = this.places
    const fetchPolicy = sts === false ? undefined : (sts ?? stsFetch({ resolver }))
    const now = (): number => clock.now()
    const lookup = fetchPolicy && keyValue ? mtaSts({ resolver, store: keyValue, fetchPolicy, now }) : undefined
    const names = [hostname, ...(own?.names ?? [])]
    return { routes: this.table, resolver, sts: lookup, dane, own: { names, addresses: own?.addresses ?? [] }, loopback }
  }

  /** Where mail for a recipient goes; what is ours and nobody's too, so that its sender hears why. */
  private async destination(recipient: Recipient, { envelope, account }: OutgoingMessage): Promise<string> {
    const { local, domain } = recipient
    const found = await this.directory.resolve({ local, domain: asciiDomain(domain) })
    return found.kind === 'elsewhere' ? this.table.destination(recipient, envelope.sender, account) : 'local:'
  }

  /** Everybody has a mailbox here, at once, and nobody wants to hear that it was delivered. */
  private async staysHere({ envelope }: OutgoingMessage): Promise<boolean> {
    if (envelope.recipients.length === 0 || envelope.hold !== undefined) return false
    if (envelope.recipients.some(({ notify }) => notify?.includes('SUCCESS'))) return false
    const { directory } = this
    const found = await Promise.all(
      envelope.recipients.map(({ local, domain }) => directory.resolve({ local, domain: asciiDomain(domain) })),
    )
    return found.every((each) => {
      return each.kind === 'here' && each.destinations.length > 0 && each.destinations.every(({ kind }) => kind === 'account')
    })
  }
}

function returnsFor(
  { directory, keyValue, observe, clock }: OutgoingPlaces, { srs, verp, suppressions }: OutgoingOptions,
  failed: (what: string, error: unknown) => void,
): Returns {
  if (verp && !keyValue) {
    throw new MailError('config', 'outgoing.verp: give the server a keyValue too, which keeps who has sent what.')
  }
  const bounced = (facts: BouncedFacts): void => observe({ kind: 'bounced', at: clock.now(), ...facts })
  return new Returns({ directory, clock, srs, verp, keyValue, suppressions, bounced, failed })
}

async function suppressed(list: SuppressionList, recipient: Recipient, now: number): Promise<string | undefined> {
  const found = await list.find(recipient, now)
  if (!found) return undefined
  return `No mail goes to this address: ${found.reason}${found.detail === undefined ? '' : `, ${found.detail}`}`
}

function rulesOf(options: OutgoingOptions): Partial<DeliveryRules> {
  const { schedule, failures, connections, window, breaker, rate, lease } = options
  const delayAfter = options.delayAfter === false ? Infinity : options.delayAfter
  const given = { schedule, failures, connections, window, breaker, rate, lease, delayAfter }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/** Numbers from 0 to 1 (exclusive). */
function chanceOf(random: (octets: number) => Uint8Array): () => number {
  return () => {
    const [a = 0, b = 0, c = 0, d = 0] = random(4)
    return (((a * 256 + b) * 256 + c) * 256 + d) / 2 ** 32
  }
}

function newsFor(observe: Observer, clock: Clock): DeliveryNews {
  return {
    attempt: (facts) => observe({ kind: 'attempt', at: clock.now(), ...facts }),
    reported: (facts) => observe({ kind: 'reported', at: clock.now(), ...facts }),
    site: (facts) => observe({ kind: 'site', at: clock.now(), ...facts }),
    failed: (what, error) => observe({ kind: 'failed', at: clock.now(), what, error }),
  }
}
