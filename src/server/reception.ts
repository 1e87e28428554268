import type { Authentication } from '../accounts/authenticate.ts'
import type { BodyStore } from '../contracts/bodies.ts'
import type { Awaitable, Verdict } from '../contracts/policy.ts'
import type { Connection, Envelope, ReceivedMessage, Recipient } from '../contracts/received.ts'
import type { Resolver } from '../contracts/resolver.ts'
import type { Pipeline } from '../inbound/pipeline.ts'
import type { Observer } from '../observe/events.ts'
import type { PasswordCredentials } from '../protocol/sasl/exchange.ts'
import type { Clock } from '../protocol/session/clock.ts'
import type { Reply } from '../protocol/smtp/index.ts'

/** The message waits in a queue, under that name: the client hears `250 2.0.0 queued as ID`. */
export interface Queued {
  readonly kind: 'queued'
  /** Printable. */
  readonly id: string
}

/**
 * What became of a delivery: one verdict for all, or one for each recipient in their order. Nothing accepts, and so does what is
 * neither a verdict nor looks as if it was to be one, such as the row that was written. `false`, an error, a list of verdicts
 * for other than all recipients are mistakes: the client hears `451 4.3.0`.
 */
export type Delivered = Verdict | readonly (Verdict | undefined | void)[] | Queued | undefined | void

/**
 * Whether a recipient is claimed: `true` or a verdict. `false` and nothing refuse it with `550 5.1.1`; anything else is a
 * mistake, and the client hears `451 4.3.0`.
 */
export type Claimed = boolean | Verdict | undefined | void

/** What a claim may look at beside the recipient. */
export interface ClaimContext {
  readonly envelope: Envelope
  readonly connection: Connection
  /** Aborted when the answer is no longer wanted. */
  readonly signal: AbortSignal
}

/** What a delivery may use beside the message. */
export interface DeliveryContext {
  /** Aborted when the client has gone or the answer's deadline has passed: what is not committed by then should not be. */
  readonly signal: AbortSignal
}

/** Whose credentials these are. `undefined` and a refusal mean: nobody's. */
export type Authenticated = { readonly account: string } | Verdict | undefined | void

/** Claims recipients, or does not. */
export type Accepts = (to: Recipient, context: ClaimContext) => Awaitable<Claimed>

/** Takes a message over, or says why not. */
export type Deliver = (message: ReceivedMessage, context: DeliveryContext) => Awaitable<Delivered>

/** Judges names and passwords. */
export type Authenticate = (credentials: PasswordCredentials, connection: Connection) => Awaitable<Authenticated>

/** What all connections of one receiver share. */
export interface Reception {
  readonly hostname: string
  readonly lmtp: boolean
  readonly pipeline: Pipeline
  readonly accepts: Accepts
  readonly deliver: Deliver
  readonly authenticate: Authenticate | Authentication | undefined
  readonly bodies: BodyStore
  /** Octets of content from which on it goes to `bodies`. */
  readonly spillAt: number
  /** Put a `Received:` field before each message; `final`: and what a final delivery adds before that. */
  readonly trace: boolean | 'final'
  /** Tell nothing of the client in that field. */
  readonly hideClient: boolean
  readonly clock: Clock
  /** What policies ask. */
  readonly resolver: Resolver
  /** Tell of each message why it became what. */
  readonly explains: boolean
  /** Absent where nobody watches: then no event is even made. */
  readonly observe: Observer | undefined
}

/** The reply that a verdict means, or nothing where it does not refuse. */
export function refusalOf(verdict: Verdict | undefined | void): Reply | undefined {
  return verdict?.kind === 'reject' || verdict?.kind === 'defer' ? verdict.reply : undefined
}
