import type { Authentication, SpfFinding } from './authentication.ts'
import type { Awaitable } from './policy.ts'
import type { ReceivedMessage } from './received.ts'
import type { Resolver } from './resolver.ts'

/** Who is connected, and in whose name he sends. */
export interface SpfSubject {
  /** IPv4 or IPv6. */
  readonly address: string
  /** The name that EHLO gave. */
  readonly helo: string
  /** The sender of the envelope as an address, `local@domain`; `''` for the null sender. */
  readonly sender: string
  /** Of the server that asks (macro `r`). */
  readonly hostname: string
  /** Milliseconds since the Unix epoch (macro `t`). */
  readonly now: number
}

/** What is to be found out about a message. */
export interface AuthenticateWhat {
  /** What was found at MAIL. */
  readonly spf: SpfFinding | undefined
  readonly dkim: boolean
  readonly dmarc: boolean
  readonly arc: boolean
  readonly bimi: boolean
}

/** With what it is found out. */
export interface AuthenticateBy {
  readonly resolver: Resolver
  /** Aborted when nobody wants to know any more. */
  readonly signal: AbortSignal
}

/**
 * Finds out who sent a message: SPF, DKIM, DMARC, ARC. Bounded in look-ups and signatures; time is bounded by whoever asks, who
 * aborts the signal. A DNS that does not answer gives `temperror`, never `pass`. Rejects with `closed` where the signal is
 * aborted, with `unavailable` where what it needs is not installed, and with what reading the message does.
 */
export interface Authenticator {
  /** What SPF says of the sender of the envelope, or, where that is null, of the name in EHLO. */
  spf(subject: SpfSubject, by: AuthenticateBy): Promise<SpfFinding>
  /** What DKIM, ARC and DMARC say of a message. */
  message(message: ReceivedMessage, what: AuthenticateWhat, by: AuthenticateBy): Promise<Omit<Authentication, 'spf' | 'iprev'>>
  /** Loads what it needs, so that what is missing is known at the start. */
  ready?(): Awaitable<void>
}
