import type { KeyValue } from '../../contracts/key-value.ts'
import type { SpecialUse } from '../../contracts/mailbox.ts'
import type { Awaitable } from '../../contracts/policy.ts'
import type { Address } from '../../message/address.ts'
import type { CompiledSieve } from './check.ts'

/** What a script may use. What comes to a bound fails, and the message is kept in INBOX. */
export interface SieveLimits {
  /** Actions and changes of the header (default 32). */
  readonly actions: number
  /** Addresses that a message is redirected to (default 4). */
  readonly redirects: number
  /** Scripts that are included, each time counted (default 32), 10 of them in one another. */
  readonly includes: number
  /** Variables (default 128). */
  readonly variables: number
  /** Characters of a variable (default 8192): what is longer is cut (RFC 5229 §6). */
  readonly variableSize: number
  /** Steps, where a comparison of 64 characters is about one (default 2,000,000: a tenth of a second or so). */
  readonly work: number
  /** Octets of a body that are looked at (default 1 MiB). */
  readonly bodyOctets: number
  /** Seconds between two answers of `vacation` to the same sender: the least (default one hour) and the most (90 days). */
  readonly vacationLeast: number
  readonly vacationMost: number
  /** Seconds for which `duplicate` remembers a message at most (default 30 days). */
  readonly duplicateMost: number
  /** Steps of the trace that are kept (default 200). */
  readonly trace: number
}

/** Bounds for scripts of people whom nobody watches. */
export const defaultSieveLimits: SieveLimits = {
  actions: 32,
  redirects: 4,
  includes: 32,
  variables: 128,
  variableSize: 8192,
  work: 2_000_000,
  bodyOctets: 1024 * 1024,
  vacationLeast: 3600,
  vacationMost: 90 * 86_400,
  duplicateMost: 30 * 86_400,
  trace: 200,
}

/** What a script runs in: for whom, when, and whom it may ask. */
export interface SieveEnvironment {
  /** By which recipient of the envelope the message came. */
  readonly recipient: Address
  /** Milliseconds since the Unix epoch: all of a run is at one moment (RFC 5260 §5). */
  readonly now: number
  /** Whether the account has a mailbox. */
  hasMailbox(path: readonly string[]): Awaitable<boolean>
  /** Whether it has one with that special use. */
  hasUse(use: SpecialUse): Awaitable<boolean>
  /** Other addresses of the account: mail to them is mail to it, and answers may come from them. */
  readonly addresses?: readonly Address[] | undefined
  /** Whether answers may come from an address beside those. */
  maySendAs?(address: Address): Awaitable<boolean>
  /** The script that another includes; `undefined`: there is none. Without it, none can be included. */
  script?(location: 'personal' | 'global', name: string): Awaitable<CompiledSieve | undefined>
  /** What has been seen and who was answered, and the account in whose name it is remembered. Without it: nothing, nobody. */
  readonly memory?: { readonly store: KeyValue; readonly account: string } | undefined
  /** This server's name, for `environment`. */
  readonly hostname?: string | undefined
  /** Minutes that local time is ahead of UTC, for dates without a zone (default 0). */
  readonly zone?: number | undefined
  readonly limits?: Partial<SieveLimits> | undefined
  /** Notes each test in the trace, not only what came of it. */
  readonly explain?: boolean | undefined
}
