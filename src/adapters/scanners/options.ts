import { MailError } from '../../protocol/session/errors.ts'
import {
  aCountAboveZero,
  aFunction,
  anObject,
  checkOptions,
  type OptionKind,
  type OptionKinds,
} from '../../protocol/session/options.ts'

/**
 * - `opened`: the scanner has failed so often in a row that it is not asked for a while; `error` is the last failure.
 * - `closed`: it answers again.
 */
export type ScannerEvent =
  | { readonly kind: 'opened'; readonly scanner: string; readonly error: unknown }
  | { readonly kind: 'closed'; readonly scanner: string }

/** For how long a scanner is waited for; all in milliseconds. */
export interface ScannerTimeouts {
  /** For a connection (default 5,000). */
  readonly connect?: number
  /** While nothing moves, in either direction (default 30,000). */
  readonly idle?: number
  /** For all of a scan, the wait for a free connection included (default 60,000). */
  readonly total?: number
}

/** When a scanner is no longer asked. */
export interface ScannerBreaker {
  /** So many failures in a row (default 5): no connection, no answer in time, none that makes sense. */
  readonly failures?: number
  /** Milliseconds for which it is not asked then (default 30,000). After that one message tries it, the others wait for that. */
  readonly pause?: number
}

/** What all scanners take. */
export interface ScannerOptions {
  /** Octets of the largest message that it is given. */
  readonly maxSize?: number
  /** Messages that it is given at a time; others wait. */
  readonly connections?: number
  readonly timeouts?: ScannerTimeouts
  readonly breaker?: ScannerBreaker
  /** What it throws is dropped. */
  readonly onEvent?: (event: ScannerEvent) => void
}

const DAY = 86_400_000
const someTime: OptionKind = {
  takes: 'milliseconds, above 0 and at most a day',
  is: (value) => typeof value === 'number' && value > 0 && value <= DAY,
}

/** What those options take. */
export const scannerKinds: OptionKinds<ScannerOptions> = {
  maxSize: aCountAboveZero,
  connections: aCountAboveZero,
  timeouts: anObject,
  breaker: anObject,
  onEvent: aFunction,
}

/** The options that all scanners take, none of them missing. */
export interface ScannerTerms {
  readonly maxSize: number
  readonly connections: number
  readonly timeouts: Required<ScannerTimeouts>
  readonly breaker: Required<ScannerBreaker>
  readonly onEvent: (event: ScannerEvent) => void
}

/** Looks at what stands inside of options; throws a `config` MailError. */
export function termsOf(
  where: string, options: ScannerOptions, usual: { readonly maxSize: number; readonly connections: number },
): ScannerTerms {
  const { maxSize = usual.maxSize, connections = usual.connections, timeouts = {}, breaker = {} } = options
  checkOptions(`${where}: timeouts`, timeouts, { connect: someTime, idle: someTime, total: someTime })
  checkOptions(`${where}: breaker`, breaker, { failures: aCountAboveZero, pause: someTime })
  const { connect = 5_000, idle = 30_000, total = 60_000 } = timeouts
  const { failures = 5, pause = 30_000 } = breaker
  const { onEvent = () => undefined } = options
  return { maxSize, connections, timeouts: { connect, idle, total }, breaker: { failures, pause }, onEvent }
}

/** Where a scanner listens: a TCP port, or a unix socket. */
export interface ScannerPlace {
  /** A name or an address (default `127.0.0.1`). */
  readonly host?: string
  readonly port?: number
  /** Of a unix socket, in place of host and port. */
  readonly path?: string
}

const aPort: OptionKind = {
  takes: 'a port, 1 to 65535',
  is: (value) => Number.isInteger(value) && (value as number) > 0 && (value as number) < 65_536,
}
const aName: OptionKind = { takes: 'a name or an address', is: (value) => typeof value === 'string' && value !== '' }
const aPath: OptionKind = { takes: 'the path of a unix socket', is: (value) => typeof value === 'string' && value !== '' }

/** What a place takes. */
export const placeKinds: OptionKinds<ScannerPlace> = { host: aName, port: aPort, path: aPath }

/** Where to connect to. */
export type Place = { readonly host: string; readonly port: number } | { readonly path: string }

/** The one place that is meant; throws a `config` MailError where there are two. */
export function placeOf(where: string, { host, port, path }: ScannerPlace, usualPort: number): Place {
  if (path === undefined) return { host: host ?? '127.0.0.1', port: port ?? usualPort }
  if (host === undefined && port === undefined) return { path }
  throw new MailError('config', `${where}: give path, or host and port, not both.`)
}
