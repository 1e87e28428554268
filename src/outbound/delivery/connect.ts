import type { LastTry } from '../../contracts/queue.ts'
import { TlsFailure, type TlsFailureReason } from '../../protocol/session/dial.ts'
import type { Transport } from '../../protocol/session/transport.ts'
import {
  type FailedEvent,
  type SmtpClientConfig,
  smtpClientConfig,
  type SmtpClientLimits,
  type SmtpClientTimeouts,
} from '../../protocol/smtp/index.ts'
import { Courier } from './courier.ts'
import type { Failure } from './failure.ts'
import { type Candidate, reach, type ReachTerms } from './reach.ts'
import type { NextHop, SiteTarget } from './target.ts'

/** How connections are made. */
export interface ConnectTerms extends ReachTerms {
  /** What we call ourselves. */
  readonly hello: string
  readonly limits?: Partial<SmtpClientLimits> | undefined
  readonly timeouts?: Partial<SmtpClientTimeouts> | undefined
  /** Addresses that are tried for one connection. */
  readonly candidates: number
  /** Hears of faults of our own. */
  readonly failed: (error: unknown) => void
  /** Hears how securing the connection to a server went; `undefined`: well. Not where it was not tried. */
  readonly secured?: ((hop: NextHop, address: string, failure: TlsTrouble | undefined) => void) | undefined
}

/** Why a connection could not be secured, in the words of RFC 8460 §4.3. */
export type TlsTrouble = TlsFailureReason | 'starttls-not-supported'

/** A connection that takes messages. */
export interface Line {
  readonly courier: Courier
  readonly hop: NextHop
  readonly address: string
  /** Ticks when it was begun. */
  readonly began: number
}

/** Why there is no connection to be had. */
export interface Trouble {
  readonly failure: Failure
  readonly last: LastTry
}

/** Milliseconds after which no further server is tried: several that say nothing must not keep a place for hours. */
const LONGEST = 600_000

/** A connection to one of a site's servers, the first by preference that takes mail now; or why none does. Never rejects. */
export async function connect(target: SiteTarget, terms: ConnectTerms, signal: AbortSignal): Promise<Line | Trouble> {
  const candidates = candidatesOf(target.hops).slice(0, terms.candidates)
  let trouble: Trouble | undefined
  const until = terms.clock.ticks() + LONGEST
  for (let from = 0; from < candidates.length && !(trouble && terms.clock.ticks() >= until); from++) {
    const began = terms.clock.ticks()
    const reached = await reach(candidates, from, terms, signal)
    if ('errors' in reached) {
      const [first] = reached.errors
      return trouble ?? unreached(candidates[first?.at ?? 0], first?.error, terms)
    }
    from = reached.at
    const candidate = candidates[from]!
    const line = await begin(candidate, reached.transport, began, target, terms, signal)
    if ('courier' in line) return line
    // What a server says tells more than a silence.
    trouble ??= line
  }
  return trouble ?? unreached(candidates[0], undefined, terms)
}

/** Addresses in the order in which they are tried: those of the first server, then those of the next. */
function candidatesOf(hops: readonly NextHop[]): Candidate[] {
  return hops.flatMap((hop) => {
    return hop.path === undefined ? hop.addresses.map((address) => ({ hop, address })) : [{ hop, address: hop.path }]
  })
}

/** Greets the server; where TLS is but an offer and comes to nothing, again without (RFC 7435). */
async function begin(
  candidate: Candidate, transport: Transport, began: number, target: SiteTarget, terms: ConnectTerms, signal: AbortSignal,
): Promise<Line | Trouble> {
  const line = await greet(candidate, transport, began, target, candidate.hop.tls, terms, signal)
  if ('courier' in line || line.failure.phase !== 'tls' || candidate.hop.tls !== 'opportunistic' || signal.aborted) return line
  const again = await reach([candidate], 0, terms, signal)
  return 'errors' in again ? line : greet(candidate, again.transport, began, target, 'never', terms, signal)
}

async function greet(
  { hop, address }: Candidate, transport: Transport, began: number, { protocol }: SiteTarget, tls: NextHop['tls'],
  terms: ConnectTerms, signal: AbortSignal,
): Promise<Line | Trouble> {
  const { clock, failed } = terms
  const courier = new Courier(transport, { config: configOf(hop, protocol, tls, terms), clock, failed })
  const stop = (): void => courier.reset()
  signal.addEventListener('abort', stop)
  try {
    const isFree = await courier.free()
    if (!isFree) return troubleOf(await courier.over, courier.broken, { hop, address }, terms)
    if (courier.tls) terms.secured?.(hop, address, undefined)
    return { courier, hop, address, began }
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function configOf(hop: NextHop, protocol: 'smtp' | 'lmtp', tls: NextHop['tls'], terms: ConnectTerms): SmtpClientConfig {
  const { hello, limits, timeouts } = terms
  return smtpClientConfig({
    protocol,
    hello,
    tls,
    ...(hop.auth === undefined ? {} : { auth: hop.auth }),
    ...(limits === undefined ? {} : { limits }),
    ...(timeouts === undefined ? {} : { timeouts }),
  })
}

/** The reply that a failure stands for. */
const NO_CONNECTION = { result: 'temporary', phase: 'dial', reason: 'unreachable', code: 451, status: '4.4.1' } as const
const NO_TLS = { result: 'temporary', phase: 'tls', reason: 'tls', code: 454, status: '4.7.5' } as const

function unreached(candidate: Candidate | undefined, error: unknown, { clock, secured }: ConnectTerms): Trouble {
  const isTls = error instanceof TlsFailure
  const failure = isTls ? NO_TLS : NO_CONNECTION
  if (isTls && candidate) secured?.(candidate.hop, candidate.address, error.reason)
  const why = error instanceof Error ? error.message : 'There is no address to try'
  const text = candidate ? `No connection to ${candidate.hop.host} [${candidate.address}]: ${why}` : why
  const { code, status } = failure
  const last = { at: clock.now(), code, enhanced: status, text, host: undefined, address: candidate?.address }
  return { failure, last }
}

function troubleOf(
  event: FailedEvent | undefined, broken: Error | undefined, { hop, address }: Candidate, terms: ConnectTerms,
): Trouble {
  const at = terms.clock.now()
  if (broken instanceof TlsFailure || event?.phase === 'tls') {
    const reason = broken instanceof TlsFailure ? broken.reason : event?.reason
    terms.secured?.(hop, address, tlsReason(reason))
    const text = `TLS with ${hop.host} [${address}] failed: ${broken?.message ?? String(event?.reason)}`
    return { failure: NO_TLS, last: { at, code: NO_TLS.code, enhanced: NO_TLS.status, text, host: undefined, address } }
  }
  if (!event) return unreached({ hop, address }, broken ?? new Error('it was broken off'), terms)
  const { phase, reason, reply, code, status } = event
  const failure: Failure = { result: code >= 500 ? 'permanent' : 'temporary', phase, reason, code, status }
  const said = reply ? textOf(reply.text) : `${hop.host} [${address}]: ${broken?.message ?? reason} (${phase})`
  return { failure, last: { at, code, enhanced: status, text: said, host: reply ? hop.host : undefined, address } }
}

const tlsReason = (reason: FailedEvent['reason'] | TlsFailureReason | undefined): TlsTrouble => {
  if (reason === 'tls-not-offered') return 'starttls-not-supported'
  return reason?.startsWith('certificate') || reason === 'tlsa-invalid' ? (reason as TlsFailureReason) : 'validation-failure'
}

/** Characters of a reply that are kept with each of its recipients. */
const MOST_TEXT = 1_000

/** The text of a reply on one line, not all of it where it is long. */
export function textOf(text: string | readonly string[]): string {
  const line = typeof text === 'string' ? text : text.join(' ')
  return line.length > MOST_TEXT ? `${line.slice(0, MOST_TEXT - 3)}...` : line
}
