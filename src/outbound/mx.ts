import type { DnsAnswer, Resolver } from '../contracts/resolver.ts'
import { asciiDomain } from '../message/domain.ts'
import { isMailError } from '../protocol/session/errors.ts'
import { sameAddress } from '../protocol/session/networks.ts'
import { isDomain, parseLiteral } from '../protocol/smtp/index.ts'
import { type RouteFailure, routeFailure } from './route-failure.ts'
import { isLoopback } from './this-host.ts'

/** A server that takes mail for a domain. */
export interface MailHost {
  /** Its name, in A-labels; of an address literal the literal itself. */
  readonly name: string
  /** The lower, the better; 0 where the DNS names none. */
  readonly preference: number
  /** In the order to try them: IPv6 and IPv4 take turns. Never empty. */
  readonly addresses: readonly string[]
  /** DNSSEC has validated its addresses, aliases included: TLSA records may be asked for (RFC 7672 §2.2.2). */
  readonly authenticated: boolean
  /** Where the aliases of its name lead to; absent where it has none. */
  readonly alias?: string
}

/** The servers that take mail for a domain. */
export interface MailHosts {
  /** By preference, those of one preference by chance. Never empty. */
  readonly hosts: readonly MailHost[]
  /** DNSSEC has validated that these are the servers of the domain: the MX records, or that there are none. */
  readonly authenticated: boolean
  /** The domain has no MX records and is its own server (RFC 5321 §5.1). */
  readonly implicit: boolean
  /** Where the aliases of the domain lead to; absent where it has none. */
  readonly alias?: string
}

/** Who we are, so that mail does not come back to us. */
export interface OwnHost {
  /** By which others may name us as a server. */
  readonly names: readonly string[]
  /** By which they reach us. */
  readonly addresses: readonly string[]
}

/** What a look-up of a domain's servers takes. */
export interface MxTerms {
  readonly resolver: Resolver
  /** A number from 0 to 1 (exclusive), drawn anew each time. */
  readonly chance: () => number
  /** Default: nobody. */
  readonly own?: OwnHost
  /** Loopback addresses are like any others: for tests. Otherwise who publishes one names ourselves. Default false. */
  readonly loopback?: boolean
  /** Servers that are looked at, the best (default 20). */
  readonly mostHosts?: number
  /** Addresses of each (default 8). */
  readonly mostAddresses?: number
  readonly signal?: AbortSignal
}

const MOST_HOSTS = 20
const MOST_ADDRESSES = 8

/** A server before its addresses are known. */
interface Named {
  readonly name: string
  readonly preference: number
}

/**
 * Finds the servers of a domain (RFC 5321 §5.1): its MX records, or its own addresses where there are none. The domain is as it
 * stands in the envelope: with U-labels, or an address literal. Never rejects but with what `signal` aborts by.
 */
export async function mxHosts(domain: string, terms: MxTerms): Promise<MailHosts | RouteFailure> {
  if (domain.startsWith('[')) return literalHost(domain, terms)
  const name = asciiDomain(domain)
  if (!isDomain(name)) return routeFailure('no-domain', 550, '1.2', `${shown(domain)} is no domain`)
  const mx = await look(terms, name, 'MX')
  // RFC 5321 §5.1: an error is no reason to take the domain for its own server.
  if (mx === undefined) return routeFailure('dns', 451, '4.3', `The DNS does not answer for ${name}`)
  if (!mx.exists) return routeFailure('no-domain', 550, '1.2', `There is no domain ${name}`)
  const isImplicit = mx.records.length === 0
  const named = isImplicit ? [{ name, preference: 0 }] : ranked(mx, terms)
  // RFC 7505 §3; beside others it means nothing.
  if (named.length === 0) return routeFailure('null-mx', 556, '1.10', `${name} takes no mail`)
  const names = new Set(terms.own?.names.map(asciiDomain))
  const better = betterThanUs(named, (host) => names.has(host.name))
  const found = better.length === 0 ? [] : await withAddresses(better, terms)
  if ('failure' in found) return found
  const way = { authenticated: mx.authenticated, implicit: isImplicit, ...(mx.name === name ? {} : { alias: mx.name }) }
  return withoutUs(name, found, way, terms)
}

/** A domain of the envelope, in a text for people. */
const shown = (domain: string): string => JSON.stringify(domain.slice(0, 255))

/** RFC 5321 §4.1.3: straight to the address, past the DNS. */
function literalHost(literal: string, terms: MxTerms): MailHosts | RouteFailure {
  const parsed = parseLiteral(literal)
  if (parsed === undefined || parsed.kind === 'general') {
    return routeFailure('no-domain', 550, '1.2', `${shown(literal)} is no address that can be reached`)
  }
  const { address } = parsed
  const host = { name: literal.toLowerCase(), preference: 0, addresses: [address], authenticated: false }
  return withoutUs(literal, [host], { authenticated: false, implicit: true }, terms)
}

/** The servers by preference, those of one preference by chance, each once; the null MX is none. */
function ranked({ records }: DnsAnswer<'MX'>, { chance, mostHosts = MOST_HOSTS }: MxTerms): Named[] {
  const best = new Map<string, number>()
  for (const { preference, exchange } of records) {
    if (exchange !== '') best.set(exchange, Math.min(preference, best.get(exchange) ?? Infinity))
  }
  return shuffled([...best], chance)
    .sort(([, one], [, other]) => one - other)
    .slice(0, mostHosts)
    .map(([name, preference]) => ({ name, preference }))
}

/** RFC 5321 §5.1: servers of one preference share the load. */
function shuffled<T>(items: readonly T[], chance: () => number): T[] {
  const all = [...items]
  for (let at = all.length - 1; at > 0; at--) {
    const other = Math.floor(chance() * (at + 1))
    const item = all[at]!
    all[at] = all[other]!
    all[other] = item
  }
  return all
}

/** Those that have addresses; why there is none otherwise. */
async function withAddresses(named: readonly Named[], terms: MxTerms): Promise<readonly MailHost[] | RouteFailure> {
  const found = await Promise.all(named.map((host) => addressesOf(host, terms)))
  const hosts = found.filter((host) => typeof host === 'object')
  if (hosts.length > 0) return hosts
  const names = named.slice(0, 3).map(({ name }) => name).join(', ')
  if (found.includes('unknown')) return routeFailure('dns', 451, '4.3', `The DNS does not answer for ${names}`)
  return routeFailure('no-address', 550, '4.4', `There is no address of ${names}`)
}

/** A server with its addresses; `none` where it has none, `unknown` where the DNS does not tell. */
export async function addressesOf(
  { name, preference }: Pick<MailHost, 'name' | 'preference'>, terms: MxTerms,
): Promise<MailHost | 'none' | 'unknown'> {
  const answers = await Promise.all([look(terms, name, 'AAAA'), look(terms, name, 'A')])
  const told = answers.filter((answer) => answer !== undefined)
  const some = told.filter(({ records }) => records.length > 0)
  const [first] = some
  if (first === undefined) return told.length < answers.length && told.every(({ exists }) => exists) ? 'unknown' : 'none'
  const [six, four] = answers.map((answer) => shuffled(answer?.records ?? [], terms.chance))
  const addresses = takingTurns(six!, four!).slice(0, terms.mostAddresses ?? MOST_ADDRESSES)
  const authenticated = some.every((answer) => answer.authenticated)
  return { name, preference, addresses, authenticated, ...(first.name === name ? {} : { alias: first.name }) }
}

/** RFC 8305 §4: one family after the other, so that one which does not work costs one try. */
function takingTurns(one: readonly string[], other: readonly string[]): string[] {
  const all: string[] = []
  for (let at = 0; at < Math.max(one.length, other.length); at++) all.push(...one.slice(at, at + 1), ...other.slice(at, at + 1))
  return all
}

/** Leaves out the servers by which mail would come back to us. */
function withoutUs(
  domain: string, all: readonly MailHost[], way: Omit<MailHosts, 'hosts'>, { own, loopback = false }: MxTerms,
): MailHosts | RouteFailure {
  const names = new Set(own?.names.map(asciiDomain))
  const isOurs = (address: string): boolean =>
    (!loopback && isLoopback(address)) || (own?.addresses.some((each) => sameAddress(each, address)) ?? false)
  const hosts = betterThanUs(all, ({ alias = '', addresses }) => names.has(alias) || addresses.some(isOurs))
  if (hosts.length > 0) return { hosts, ...way }
  return routeFailure('self', 554, '4.6', `Mail for ${domain} leads back to this server`)
}

/**
 * RFC 5321 §5.1: where we are among the servers, only those that are better than ourselves may be given the mail; where none is,
 * it would go round for ever.
 */
function betterThanUs<Host extends Named>(hosts: readonly Host[], isUs: (host: Host) => boolean): readonly Host[] {
  const us = hosts.find(isUs)
  return us === undefined ? hosts : hosts.filter(({ preference }) => preference < us.preference)
}

/** What the DNS says; `undefined`: nothing. */
async function look<Type extends 'MX' | 'A' | 'AAAA'>(
  { resolver, signal }: MxTerms, name: string, type: Type,
): Promise<DnsAnswer<Type> | undefined> {
  try {
    return await resolver.resolve(name, type, signal)
  } catch (error) {
    signal?.throwIfAborted()
    if (!isMailError(error)) throw error
    return undefined
  }
}
