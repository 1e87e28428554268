import type { ClientPhase, ClientReason } from '../../protocol/smtp/index.ts'

/**
 * How far a try had come: as a conversation has it, or before there was one: `route` (finding out where to go), `dial`
 * (connecting); or `mailbox`, where mail is kept here.
 */
export type TryPhase = ClientPhase | 'route' | 'dial' | 'mailbox'

/**
 * Why a try came to nothing; of a conversation as {@link ClientReason} has it. Besides:
 *
 * - `dns`: the DNS does not answer; `no-domain`: it says that there is no such domain; `null-mx`: the domain takes no mail
 *   (RFC 7505); `no-address`: its servers have no address; `self`: it leads back to us
 * - `unreachable`: no connection; `tls`: TLS came to nothing; `tls-policy`: nobody there may be sent to, by MTA-STS, DANE or our
 *   own rules
 * - `closed-site`: not tried, since the site could not be reached a little while ago
 * - `doomed`: somebody has ordered it; `expired`: it has taken too long; `late`: it cannot be there in time (RFC 2852)
 * - `full`: the mailbox; `suppressed`: no mail is to go there; `ours`: our own fault
 */
export type TryReason =
  | ClientReason
  | 'dns'
  | 'no-domain'
  | 'null-mx'
  | 'no-address'
  | 'self'
  | 'unreachable'
  | 'tls'
  | 'tls-policy'
  | 'closed-site'
  | 'doomed'
  | 'expired'
  | 'late'
  | 'full'
  | 'suppressed'
  | 'ours'

/** A try that came to nothing, for one recipient. */
export interface Failure {
  /** `unknown`: it may have been taken. */
  readonly result: 'temporary' | 'permanent' | 'unknown'
  readonly phase: TryPhase
  readonly reason: TryReason
  /** Of the reply, or those that say the same. */
  readonly code: number
  readonly status: string
}

/** What is wrong, in the words that an administrator would use. */
export type Cause =
  | 'network'
  | 'timeout'
  | 'dns'
  | 'tls'
  | 'protocol'
  | 'busy'
  | 'greylisted'
  | 'policy'
  | 'unknown-user'
  | 'bad-address'
  | 'moved'
  | 'disabled'
  | 'full'
  | 'size'
  | 'content'
  | 'feature'
  | 'login'
  | 'loop'
  | 'expired'
  | 'ordered'
  | 'suppressed'
  | 'ours'
  | 'temporary'
  | 'permanent'

/**
 * What follows: `retry` at its time; `bounce`: it has failed, and its sender is told; `hold` it until somebody has looked;
 * `drop`: it has failed, and nobody is told.
 */
export type Consequence = 'retry' | 'bounce' | 'hold' | 'drop'

/** What is to be made of a failure. */
export interface Classified {
  readonly cause: Cause
  readonly consequence: Consequence
}

/** A row of the table: what is given has to fit. */
export interface FailureRule extends Classified {
  readonly result?: Failure['result']
  readonly phases?: readonly TryPhase[]
  readonly reasons?: readonly TryReason[]
  readonly codes?: readonly number[]
  /** Without the class: `2.2` fits 4.2.2 and 5.2.2; `7` fits all of 4.7 and 5.7. */
  readonly details?: readonly string[]
}
