import type { Resolver } from '../../contracts/resolver.ts'
import type { TlsDemand } from '../../protocol/session/dial.ts'
import { parseLiteral } from '../../protocol/smtp/index.ts'
import { type DaneFinding, daneOf } from '../dane.ts'
import { addressesOf, type MailHost, type MailHosts, mxHosts, type OwnHost } from '../mx.ts'
import type { RouteFailure } from '../route-failure.ts'
import type { RouteTable, Way } from '../route-table.ts'
import { inOrder, type RouteHost } from '../routes.ts'
import type { StsLookup } from '../sts.ts'
import { type HostTls, hostTls } from '../tls-policy.ts'
import { reportedPolicy } from '../tls-report.ts'
import type { Directions, NextHop, Target } from './target.ts'

/** By what directions are given. */
export interface DirectionParts {
  readonly routes: RouteTable
  readonly resolver: Resolver
  /** Finds MTA-STS policies; without it nobody's is looked for. */
  readonly sts?: StsLookup | undefined
  /** What `resolver` says of DNSSEC can be trusted: TLSA records are looked for (RFC 7672). */
  readonly dane?: boolean
  /** So that mail does not come back to us. */
  readonly own?: OwnHost | undefined
  /** Loopback addresses are like any others: for tests. */
  readonly loopback?: boolean
  /** A number from 0 to 1 (exclusive), drawn anew each time. */
  readonly chance: () => number
}

/** Finds out where destinations lead to: by routes, the DNS, and what domains ask of TLS. */
export function directionsOf(parts: DirectionParts): Directions {
  return async (destination, { strictly, signal }) => {
    const way = parts.routes.way(destination)
    if (!way) return nowhere(NO_ROUTE)
    if (way.kind === 'local') return { kind: 'here' }
    if (way.kind === 'hosts') return toHosts(way, parts, signal)
    return toDomain(way, parts, strictly, signal)
  }
}

const isAddress = (host: string): boolean => parseLiteral(`[${host.includes(':') ? `IPv6:${host}` : host}]`) !== undefined

/** A route that somebody has taken away may come back. */
const NO_ROUTE: RouteFailure = {
  failure: 'temporary', reason: 'no-route', code: 451, enhanced: '4.3.5', text: 'The route of this message is not there any more',
}

/** What is kept of MTA-STS policies cannot be read: sent without them, mail would go to whoever has made us unable to. */
const NO_POLICIES: RouteFailure = {
  failure: 'temporary', reason: 'tls-policy', code: 451, enhanced: '4.3.0', text: 'MTA-STS policies cannot be looked up now',
}

function nowhere({ failure, reason, code, enhanced, text }: RouteFailure): Target {
  const why = reason === 'no-route' ? 'ours' : reason
  return { kind: 'nowhere', failure: { result: failure, phase: 'route', reason: why, code, status: enhanced }, text }
}

async function toHosts({ route }: Extract<Way, { kind: 'hosts' }>, parts: DirectionParts, signal: AbortSignal): Promise<Target> {
  const { resolver, chance } = parts
  const hosts = inOrder(route.hosts, chance)
  const hops: NextHop[] = []
  let isUnknown = false
  for (const host of hosts) {
    const isKnown = host.path !== undefined || isAddress(host.host)
    const found = isKnown ? undefined : await addressesOf({ name: host.host, preference: 0 }, { resolver, chance, signal })
    if (found === 'none') continue
    if (found === 'unknown') isUnknown = true
    else hops.push(hopTo(host, found?.addresses ?? (host.path === undefined ? [host.host] : [])))
  }
  const names = hosts.map(({ host }) => host).join(', ')
  if (hops.length === 0) {
    // Our own choice of servers may be mended: no mail is given back for it.
    const reason = isUnknown ? 'dns' : 'no-address'
    const text = isUnknown ? `The DNS does not answer for ${names}` : `There is no address of ${names}`
    return nowhere({ failure: 'temporary', reason, code: 451, enhanced: '4.4.3', text })
  }
  const verified = hops.every(({ tls, demand }) => (tls === 'required' || tls === 'implicit') && demand?.trust !== 'none')
  return {
    kind: 'site', key: `hosts:${route.name}`, hops, protocol: route.protocol ?? 'smtp', sources: route.sourceAddresses, verified,
  }
}

function hopTo({ host, port, path, tls, demand, auth }: RouteHost, addresses: readonly string[]): NextHop {
  const name = isAddress(host) ? {} : { serverName: host }
  const usual: TlsDemand = { trust: tls === 'opportunistic' ? 'none' : 'pkix', ...name }
  return {
    host, port, addresses, tls,
    ...(path === undefined ? {} : { path }),
    ...(tls === 'never' ? {} : { demand: demand ?? usual }),
    ...(auth === undefined ? {} : { auth }),
  }
}

async function toDomain(
  { domain, route }: Extract<Way, { kind: 'mx' }>, parts: DirectionParts, strictly: boolean, signal: AbortSignal,
): Promise<Target> {
  const { resolver, chance, own, loopback, sts } = parts
  const terms = { resolver, chance, signal, ...(own ? { own } : {}), ...(loopback === undefined ? {} : { loopback }) }
  const finding = domain.startsWith('[') ? undefined : sts?.(domain).catch(() => 'unknown' as const)
  const [found, policy] = await Promise.all([mxHosts(domain, terms), finding])
  if ('failure' in found) return nowhere(found)
  if (policy === 'unknown') return nowhere(NO_POLICIES)
  const wish = { domain, found, sts: policy?.policy, required: route.requireTls, strictly }
  const port = route.port ?? 25
  const judged = await Promise.all(found.hosts.map(async (host) => {
    const finding = await dane(host, port, found, parts, signal)
    return { host, tls: hostTls(host, finding, wish), by: { domain, policy: reportedPolicy(finding, policy?.policy) } }
  }))
  const hops = judged.flatMap(({ host, tls, by }) => (tls.may ? [mxHop(host, port, tls, by)] : []))
  if (hops.length === 0) return nowhere(refusalOf(judged.map(({ tls }) => tls)))
  const verified = judged.every(({ tls }) => !tls.may || tls.verified)
  // What is asked of a server may differ from domain to domain: then they share no connection. Those of one preference come in
  // an order of chance, which makes no other site.
  const asked = judged.map(({ host, tls }) => `${host.preference} ${host.name}/${tls.may ? `${tls.by}-${tls.tls}` : 'no'}`)
  const key = `mx:${route.name ?? ''} ${asked.sort().join(' ')}`
  return { kind: 'site', key, hops, protocol: 'smtp', sources: route.sourceAddresses, verified }
}

async function dane(
  host: MailHost, port: number, found: MailHosts, parts: DirectionParts, signal: AbortSignal,
): Promise<DaneFinding> {
  // RFC 7672 §2.2.1: where the servers' names are not certain, neither is what is said of them.
  if (parts.dane !== true || !found.authenticated) return { kind: 'none' }
  return daneOf(host, port, parts.resolver, signal)
}

function mxHop(
  { name, addresses }: MailHost, port: number, { tls, demand }: Extract<HostTls, { may: true }>,
  judged: NonNullable<NextHop['judged']>,
): NextHop {
  return { host: name, port, addresses, tls, demand, judged }
}

/** Why none of the servers may be used; as long as one of them may later, it is for now. */
function refusalOf(all: readonly HostTls[]): RouteFailure {
  const refusals = all.flatMap((tls) => (tls.may ? [] : [tls]))
  const { failure, text } = refusals.find((each) => each.failure === 'temporary') ?? refusals[0]!
  const isTemporary = failure === 'temporary'
  return { failure, reason: 'tls-policy', code: isTemporary ? 451 : 550, enhanced: isTemporary ? '4.7.5' : '5.7.10', text }
}
