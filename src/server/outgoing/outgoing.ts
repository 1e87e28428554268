import { composeMail } from '../../adapters/nodemailer/compose.ts'
import { dial, nodeResolver } from '../../adapters/node/index.ts'
import type { Dispatch, OutgoingMessage } from '../../contracts/dispatch.ts'
import type { KeyValue } from '../../contracts/key-value.ts'
import type { MailQueue } from '../../contracts/queue.ts'
import type { Recipient } from '../../contracts/received.ts'
import { asciiDomain } from '../../message/domain.ts'
import type { Observer } from '../../observe/events.ts'
import { Delivery } from '../../outbound/delivery/delivery.ts'
import { directionsOf } from '../../outbound/delivery/directions.ts'
import type { DeliveryNews, DeliveryRules } from '../../outbound/delivery/options.ts'
import { type RouteTable, routeTable } from '../../outbound/route-table.ts'
import { mtaSts } from '../../outbound/sts.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import type { LocalQueue } from '../local-queue.ts'
import type { Mailboxes } from '../mailboxes.ts'
import type { Addresses } from '../postmaster.ts'
import { Home } from './home.ts'
import { checkOutgoingOptions, type OutgoingOptions } from './options.ts'
import { reportWriter } from './reports.ts'

/** What outgoing mail shares with the rest of a server. */
export interface OutgoingPlaces {
  readonly hostname: string
  readonly directory: Addresses
  readonly mailboxes: Mailboxes
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
  private readonly places: OutgoingPlaces
  private readonly table: RouteTable

  constructor(places: OutgoingPlaces, options: OutgoingOptions = {}) {
    checkOutgoingOptions(options)
    this.places = places
    this.table = routeTable(options.routes)
    const { queue, hostname, clock, random, observe } = places
    this.traits = { durability: queue.traits.durability }
    const chance = chanceOf(random)
    const failed = (what: string, error: unknown): void => observe({ kind: 'failed', at: clock.now(), what, error })
    const home = new Home({ ...places, dispatch: () => this, failed })
    this.delivery = new Delivery(
      {
        queue,
        destination: (recipient, message) => this.destination(recipient, message),
        directions: directionsOf({ ...this.directionParts(options), chance }),
        here: home.deliver,
        compose: reportWriter({ hostname, clock, random, compose: options.compose ?? composeMail }),
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
      },
      rulesOf(options),
    )
  }

  async enqueue(message: OutgoingMessage): Promise<{ readonly id: string }> {
    return (await this.staysHere(message)) ? this.places.local.enqueue(message) : this.delivery.enqueue(message)
  }

  private directionParts({ resolver = nodeResolver(), sts, dane = false, own, loopback = false }: OutgoingOptions) {
    const { keyValue, clock, hostname } = this.places
    const lookup = sts && keyValue ? mtaSts({ resolver, store: keyValue, fetchPolicy: sts, now: () => clock.now() }) : undefined
    const names = [hostname, ...(own?.names ?? [])]
    return { routes: this.table, resolver, sts: lookup, dane, own: { names, addresses: own?.addresses ?? [] }, loopback }
  }

  /** Where mail for a recipient goes; what is ours and nobody's too, so that its sender hears why. */
  private async destination(recipient: Recipient, { envelope, account }: OutgoingMessage): Promise<string> {
    const { local, domain } = recipient
    const found = await this.places.directory.resolve({ local, domain: asciiDomain(domain) })
    return found.kind === 'elsewhere' ? this.table.destination(recipient, envelope.sender, account) : 'local:'
  }

  /** Everybody has a mailbox here, at once, and nobody wants to hear that it was delivered. */
  private async staysHere({ envelope }: OutgoingMessage): Promise<boolean> {
    if (envelope.hold !== undefined || envelope.recipients.some(({ notify }) => notify?.includes('SUCCESS'))) return false
    const { directory } = this.places
    const found = await Promise.all(
      envelope.recipients.map(({ local, domain }) => directory.resolve({ local, domain: asciiDomain(domain) })),
    )
    return found.every((each) => {
      return each.kind === 'here' && each.destinations.length > 0 && each.destinations.every(({ kind }) => kind === 'account')
    })
  }
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
