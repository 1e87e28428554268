import type { Address } from '../message/address.ts'
import { asciiDomain } from '../message/domain.ts'
import type { TlsDemand } from '../protocol/session/dial.ts'
import { MailError } from '../protocol/session/errors.ts'
import type { SmtpClientAuth } from '../protocol/smtp/index.ts'

/** What a route asks for beyond a domain's own policy: that mail goes encrypted, or also that the server proves its name. */
export type RequiredTls = 'encrypted' | 'verified'

interface AnyRoute {
  /** Addresses of ours to come from, in turn. Default: as the system chooses. */
  readonly sourceAddresses?: readonly string[]
}

/** To the servers that the DNS names for the recipient's domain. */
export interface MxRoute extends AnyRoute {
  readonly kind: 'mx'
  /** Tells it from other routes of this kind; needed where there are several. 1 to 50 of `a-z0-9_-`. */
  readonly name?: string
  readonly requireTls?: RequiredTls
  /** Default 25. */
  readonly port?: number
}

/** A server that mail is given to by our own choice. */
export interface RouteHost {
  /** A name or an IP address. */
  readonly host: string
  readonly port: number
  /** A unix socket in place of them; `host` is its name in reports then. */
  readonly path?: string
  /** All of a lower priority are tried before those of a higher one (default 0). */
  readonly priority?: number
  /** Among those of one priority: the share of mail that it gets first (default 1). */
  readonly weight?: number
  readonly tls: 'never' | 'opportunistic' | 'required' | 'implicit'
  /**
   * What it has to prove when the connection is secured. Default: that it is called `host`, by a certificate that the platform
   * trusts, where `tls` is `required` or `implicit`; nothing where it is `opportunistic`.
   */
  readonly demand?: TlsDemand
  readonly auth?: SmtpClientAuth
}

/** To servers of our own choice: a smart host, a mail store that speaks LMTP. */
export interface HostsRoute extends AnyRoute {
  readonly kind: 'hosts'
  /** Tells it from all other routes. 1 to 50 of `a-z0-9_-`. */
  readonly name: string
  readonly hosts: readonly RouteHost[]
  /** Default `smtp`. */
  readonly protocol?: 'smtp' | 'lmtp'
}

/** Into mailboxes of ours. */
export interface LocalRoute {
  readonly kind: 'local'
}

/** Which way mail goes. */
export type Route = MxRoute | HostsRoute | LocalRoute

/** Chooses a route. `account`: who submitted it; `sender` `null`: a report. */
export type RouteChoice = (recipient: Address, sender: Address | null, account: string | undefined) => Route

/**
 * A row of a table of routes. What is given has to fit: domains are `example.org`, `.example.org` (all below it) or `*`; senders
 * besides `alice@example.org`, and `<>` for reports.
 */
export interface RouteRule {
  /** Domains of recipients (default: all). */
  readonly to?: string | readonly string[]
  /** Senders (default: all). */
  readonly from?: string | readonly string[]
  readonly route: Route
}

/** What {@link destinationOf} has made of a route: to a domain by the DNS, by a route of that name, or into mailboxes here. */
export type DestinationParts =
  | { readonly kind: 'mx'; readonly domain: string; readonly name?: string }
  | { readonly kind: 'hosts'; readonly name: string }
  | { readonly kind: 'local' }

/** The destination of what stays here. */
const LOCAL = 'local:'

/** Characters of a destination: what a queue keeps by. */
const MOST = 320

/**
 * What a queue keeps mail for a recipient by that goes such a way: `mx:example.org`, `mx/NAME:example.org` where the route has a
 * name, `hosts:NAME`, `local:`. The same for all mail that one connection may take.
 */
export function destinationOf(route: Route, recipient: Pick<Address, 'domain'>): string {
  if (route.kind === 'local') return LOCAL
  if (route.kind === 'hosts') return `hosts:${route.name}`
  // What is longer is no domain, and found to be none as well when it is cut.
  return `mx${route.name === undefined ? '' : `/${route.name}`}:${asciiDomain(recipient.domain)}`.slice(0, MOST)
}

/** The inverse of {@link destinationOf}; `undefined`: it is none of ours. */
export function destinationParts(destination: string): DestinationParts | undefined {
  const colon = destination.indexOf(':')
  const head = destination.slice(0, Math.max(colon, 0))
  const rest = destination.slice(colon + 1)
  if (head === 'local' && rest === '') return { kind: 'local' }
  if (rest === '') return undefined
  if (head === 'hosts') return { kind: 'hosts', name: rest }
  if (head === 'mx') return { kind: 'mx', domain: rest }
  return head.startsWith('mx/') ? { kind: 'mx', domain: rest, name: head.slice(3) } : undefined
}

/** Throws a `config` MailError where a route makes no sense. */
export function checkRoute(route: Route): void {
  if (route.kind === 'local') return
  const { name } = route
  if (name !== undefined && !isName(name)) throw wrong(`"${name}" is no name of a route: 1 to 50 of a-z, 0-9, - and _`)
  if (route.sourceAddresses?.length === 0) throw wrong('sourceAddresses: name at least one, or leave it away')
  if (route.kind === 'mx') {
    if (route.port !== undefined) checkPort(route.port)
    return
  }
  if (route.hosts.length === 0) throw wrong(`the route "${route.name}" has no hosts`)
  for (const { host, port, path, weight = 1, priority = 0, tls, auth } of route.hosts) {
    if (host === '') throw wrong(`a host of the route "${route.name}" has no name`)
    if (path === undefined) checkPort(port)
    if (!(weight >= 0 && weight < Infinity)) throw wrong(`weight: ${weight} is no share, which is 0 or more`)
    if (!Number.isFinite(priority)) throw wrong(`priority: ${priority} is no number`)
    const isBare = auth !== undefined && auth.withoutTls !== true && tls === 'never'
    if (isBare) throw wrong(`${host} is logged in to without TLS: say tls, or auth.withoutTls`)
  }
}

function checkPort(port: number): void {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw wrong(`port: ${port} is none`)
}

function isName(name: string): boolean {
  if (name.length < 1 || name.length > 50) return false
  for (let at = 0; at < name.length; at++) {
    const unit = name.charCodeAt(at)
    const isFine = (unit >= 97 && unit <= 122) || (unit >= 48 && unit <= 57) || unit === 45 || unit === 95
    if (!isFine) return false
  }
  return true
}

const wrong = (what: string): MailError => new MailError('config', `routes: ${what}`)

/** The hosts of a route in the order to try them: by priority, those of one priority by chance and weight (RFC 2782). */
export function inOrder(hosts: readonly RouteHost[], chance: () => number): RouteHost[] {
  const left = [...hosts]
  const ordered: RouteHost[] = []
  while (left.length > 0) {
    const best = Math.min(...left.map(({ priority = 0 }) => priority))
    const among = left.filter(({ priority = 0 }) => priority === best)
    const chosen = drawn(among, chance())
    left.splice(left.indexOf(chosen), 1)
    ordered.push(chosen)
  }
  return ordered
}

/** One of them, by weight; those that weigh nothing come when no others are left. */
function drawn(among: readonly RouteHost[], chance: number): RouteHost {
  let rest = chance * among.reduce((sum, { weight = 1 }) => sum + weight, 0)
  for (const host of among) {
    rest -= host.weight ?? 1
    if (rest < 0) return host
  }
  return among[0]!
}
