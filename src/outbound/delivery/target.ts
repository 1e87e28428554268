import type { TlsDemand } from '../../protocol/session/dial.ts'
import type { SmtpClientAuth } from '../../protocol/smtp/index.ts'
import type { ReportedPolicy } from '../tls-tally.ts'
import type { Failure } from './failure.ts'
import type { RateRules } from './rate.ts'

/** A server that mail may be given to. */
export interface NextHop {
  /** Its name, as reports give it. */
  readonly host: string
  readonly port: number
  /** IP addresses, in the order to try them. */
  readonly addresses: readonly string[]
  /** A unix socket in place of them. */
  readonly path?: string
  /** As `SmtpClientOptions.tls` has it. */
  readonly tls: 'never' | 'opportunistic' | 'required' | 'implicit'
  /** What it has to prove when the connection is secured; absent where `tls` is `never`. */
  readonly demand?: TlsDemand | undefined
  readonly auth?: SmtpClientAuth | undefined
  /** The domain whose mail led here first, and the policy by which the server is judged: what reports on TLS tell (RFC 8460). */
  readonly judged?: { readonly domain: string; readonly policy: ReportedPolicy }
}

/** Servers that mail for a destination goes to, the first of them by preference. */
export interface SiteTarget {
  readonly kind: 'site'
  /** The same for all destinations that have the same servers, and are to be spoken to in the same way. */
  readonly key: string
  readonly hops: readonly NextHop[]
  readonly protocol: 'smtp' | 'lmtp'
  /** Addresses to come from, in turn; each is a site of its own. Default: as the system chooses. */
  readonly sources?: readonly string[] | undefined
  /** Connections at a time, at the most. */
  readonly connections?: number | undefined
  readonly rate?: RateRules | undefined
  /** What is verified of the servers is enough for REQUIRETLS (RFC 8689 §2). */
  readonly verified: boolean
}

/** Where mail for a destination goes. `here`: into mailboxes of ours; `nowhere`: there is no way, now or at all. */
export type Target =
  | SiteTarget
  | { readonly kind: 'here' }
  | { readonly kind: 'nowhere'; readonly failure: Failure; readonly text: string }

/**
 * Finds out where mail for a destination goes now. Never rejects but with the signal's reason. `strictly`: for messages that ask
 * for REQUIRETLS.
 */
export type Directions = (
  destination: string, want: { readonly strictly: boolean; readonly signal: AbortSignal },
) => Promise<Target>
