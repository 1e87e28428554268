import type { Authentication, SpfFinding } from './authentication.ts'
import type { Awaitable } from './policy.ts'
import type { ReceivedMessage } from './received.ts'

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

/**
 * Finds out who sent a message: SPF, DKIM, DMARC, ARC. Bounded in look-ups, signatures and time; a DNS that does not answer
 * gives `temperror`, never `pass`. Neither rejects but with `closed` where the signal is aborted, or `unavailable` where what it
 * needs is not installed.
 */
export interface Authenticator {
  spf(subject: SpfSubject, signal: AbortSignal): Promise<SpfFinding>
  message(message: ReceivedMessage, what: AuthenticateWhat, signal: AbortSignal): Promise<Omit<Authentication, 'spf' | 'iprev'>>
  /** Loads what it needs, so that what is missing is known at the start. */
  ready?(): Awaitable<void>
}
