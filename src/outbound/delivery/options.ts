import type { AttemptFacts, ReportFacts, SiteFacts } from '../../contracts/delivery.ts'
import type { OutgoingMessage } from '../../contracts/dispatch.ts'
import type { Lease, MailQueue, QueuedMessage } from '../../contracts/queue.ts'
import type { Awaitable } from '../../contracts/policy.ts'
import type { Recipient } from '../../contracts/received.ts'
import type { Address } from '../../message/address.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import type { DueReport } from '../report-rules.ts'
import { type BreakerRules, defaultBreaker } from './breaker.ts'
import type { ConnectTerms } from './connect.ts'
import type { Errand } from './courier.ts'
import type { FailureRule } from './failure.ts'
import type { RateRules } from './rate.ts'
import { defaultSchedule, type RetrySchedule } from './schedule.ts'
import type { Directions } from './target.ts'
import type { Tried } from './tried.ts'
import { defaultWindow, type WindowRules } from './window.ts'

/** What a delivery tells those who watch it. */
export interface DeliveryNews {
  /** A message was tried; once for each recipient. */
  attempt?(facts: AttemptFacts): void
  /** A sender is told. */
  reported?(facts: ReportFacts): void
  /** A site is given up for a while, or is back. */
  site?(facts: SiteFacts): void
  /** A fault of ours, in words. */
  failed?(what: string, error: unknown): void
}

/** Where a delivery touches the world, and what it is made of. */
export interface DeliveryParts {
  readonly queue: MailQueue
  /** The destination of mail for a recipient: what jobs are kept by, and what `directions` knows. What it throws is thrown on. */
  readonly destination: (recipient: Recipient, message: OutgoingMessage) => Awaitable<string>
  readonly directions: Directions
  /** Puts a message into mailboxes here; all of the lease's recipients that wait, each with what became of it. Never rejects. */
  readonly here: (lease: Lease) => Promise<readonly Tried[]>
  /** Makes a message of a report, which is a report on the message given. */
  readonly compose: (due: DueReport, about: OutgoingMessage) => Promise<OutgoingMessage>
  /** The content in a form that a server takes that lacks something; see {@link Errand}. Default: there is none. */
  readonly convert?: (message: OutgoingMessage, to: '7bit' | '8bit') => ReturnType<Errand['convert']>
  /**
   * The sender under which a message goes to one recipient, so that a bounce tells whom it is about: such recipients go each in a
   * transaction of their own. `undefined`: the message's own sender.
   */
  readonly returnPath?: (message: QueuedMessage, recipient: number) => Address | undefined
  /** Why no mail is to go to a recipient, if there is a reason. A rejection is told, and keeps nothing back. */
  readonly suppressed?: (recipient: Recipient) => Promise<string | undefined>
  /**
   * Breaks off what is under way when the delivery is stopped: for platforms that warn of a signal that many listen to. Default:
   * the platform's own.
   */
  readonly stopping?: AbortController
  readonly clock: Clock
  /** A number from 0 to 1 (exclusive), drawn anew each time. */
  readonly chance: () => number
  readonly news?: DeliveryNews
}

/** How a delivery goes about its work. */
export interface DeliveryRules {
  readonly schedule: RetrySchedule
  /** Rows that come before those of `failureTable`. */
  readonly failures: readonly FailureRule[]
  /** Milliseconds after which a sender is told that it takes long. */
  readonly delayAfter: number
  /** Milliseconds that a report waits for other failures of the same message. */
  readonly collect: number
  /** Connections at a time, to all sites. */
  readonly connections: number
  /** Connections of one site. */
  readonly window: WindowRules
  readonly breaker: BreakerRules
  /** Messages that one site gets in a time. */
  readonly rate: RateRules | undefined
  /** Messages that are leased at a time for one connection. */
  readonly batch: number
  /** Milliseconds that a lease lasts; it is prolonged while there is work on it. */
  readonly lease: number
  /** Leases that may run out before a message is held: it may be what kills its workers. */
  readonly crashes: number
  /** Milliseconds that a connection without work is kept. */
  readonly idle: number
  /** Milliseconds after which a queue is looked at, whether it tells anything or not. */
  readonly poll: number
}

/** The rules of a delivery that is given none. */
export const defaultDeliveryRules: DeliveryRules = {
  schedule: defaultSchedule,
  failures: [],
  delayAfter: 14_400_000,
  collect: 2_000,
  connections: 200,
  window: defaultWindow,
  breaker: defaultBreaker,
  rate: undefined,
  batch: 10,
  lease: 600_000,
  crashes: 3,
  idle: 5_000,
  poll: 60_000,
}

/** What connections are made by; the rest is the delivery's own. */
export type Connecting = Omit<ConnectTerms, 'clock' | 'localAddress' | 'failed'>
