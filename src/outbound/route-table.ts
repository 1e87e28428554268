import type { Address } from '../message/address.ts'
import { asciiDomain } from '../message/domain.ts'
import { MailError } from '../protocol/session/errors.ts'
import {
  checkRoute, destinationOf, destinationParts, type HostsRoute, type MxRoute, type Route, type RouteChoice, type RouteRule,
} from './routes.ts'

/**
 * Which way all mail goes: one route for everything, a table of which the first row that fits counts (and the DNS where none
 * does), or a choice of one's own, with the routes that have a name.
 */
export type Routes =
  | Route
  | readonly RouteRule[]
  | { readonly choose: RouteChoice; readonly named?: readonly (MxRoute | HostsRoute)[] }

/** Where a destination leads to. */
export type Way =
  | { readonly kind: 'mx'; readonly domain: string; readonly route: MxRoute }
  | { readonly kind: 'hosts'; readonly route: HostsRoute }
  | { readonly kind: 'local' }

/** Routes, ready for use. */
export interface RouteTable {
  /** The destination of mail on the way that is chosen for it. Throws `misuse` where a choice gives a route it has not named. */
  destination(recipient: Address, sender: Address | null, account: string | undefined): string
  /** Where a destination leads to now, which may have been given long ago; `undefined`: there is no such route any more. */
  way(destination: string): Way | undefined
}

const BY_MX: MxRoute = { kind: 'mx' }

/** Checks routes and makes them ready. Throws a `config` MailError where they make no sense. */
export function routeTable(routes: Routes = BY_MX): RouteTable {
  const { choose, known, several } = parted(routes)
  const named = new Map<string, MxRoute | HostsRoute>()
  for (const route of known) {
    checkRoute(route)
    if (route.kind === 'local') continue
    const { name } = route
    if (several && route.kind === 'mx' && name === undefined && Object.keys(route).length > 1) {
      throw new MailError('config', 'routes: a route by MX that asks for something needs a name where there are other routes')
    }
    const key = `${route.kind}/${name ?? ''}`
    const other = named.get(key)
    if (name !== undefined && other !== undefined && other !== route) {
      throw new MailError('config', `routes: two different ones are called "${name}"`)
    }
    named.set(key, route)
  }
  const way = (destination: string): Way | undefined => {
    const parts = destinationParts(destination)
    if (parts === undefined || parts.kind === 'local') return parts
    const route = named.get(`${parts.kind}/${parts.name ?? ''}`)
    if (parts.kind === 'hosts') return route?.kind === 'hosts' ? { kind: 'hosts', route } : undefined
    const byMx = route ?? (parts.name === undefined ? BY_MX : undefined)
    return byMx?.kind === 'mx' ? { kind: 'mx', domain: parts.domain, route: byMx } : undefined
  }
  return {
    way,
    destination(recipient, sender, account) {
      const destination = destinationOf(choose(recipient, sender, account), recipient)
      if (way(destination) !== undefined) return destination
      throw new MailError('misuse', `routes: choose gave a route that leads to ${destination}; list it in named too.`)
    },
  }
}

function parted(routes: Routes): { readonly choose: RouteChoice; readonly known: readonly Route[]; readonly several: boolean } {
  if (isTable(routes)) return { choose: choiceOf(routes), known: routes.map(({ route }) => route), several: true }
  if ('choose' in routes) return { choose: routes.choose, known: routes.named ?? [], several: true }
  return { choose: () => routes, known: [routes], several: false }
}

const isTable = (routes: Routes): routes is readonly RouteRule[] => Array.isArray(routes)

/** A rule and what its senders have to be. */
interface Row {
  readonly fits: (sender: Address | null) => boolean
  readonly route: Route
}

/** Rows are found by domain, so that a table of thousands costs as much as one of ten. */
function choiceOf(rules: readonly RouteRule[]): RouteChoice {
  const rows = rules.map(({ from, route }): Row => ({ fits: senderTest(from), route }))
  const byDomain = new Map<string, number[]>()
  for (const [number, { to = '*' }] of rules.entries()) {
    for (const pattern of [to].flat()) {
      const key = pattern === '*' ? '*' : domainPattern(pattern)
      const numbers = byDomain.get(key)
      if (numbers === undefined) byDomain.set(key, [number])
      else numbers.push(number)
    }
  }
  return (recipient, sender) => {
    let best = rows.length
    for (const key of patternsFor(asciiDomain(recipient.domain))) {
      const found = byDomain.get(key)?.find((number) => number >= best || rows[number]!.fits(sender))
      if (found !== undefined && found < best) best = found
    }
    return rows[best]?.route ?? BY_MX
  }
}

/** The patterns that a domain fits: itself, each domain above it, and all. An address literal has nothing above it. */
function patternsFor(domain: string): string[] {
  const patterns = [domain, '*']
  if (domain.startsWith('[')) return patterns
  for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) patterns.push(domain.slice(dot))
  return patterns
}

function domainPattern(pattern: string): string {
  const isBelow = pattern.startsWith('.')
  const domain = asciiDomain(isBelow ? pattern.slice(1) : pattern)
  if (domain === '' || domain.includes('*') || domain.includes('@') || domain.startsWith('.')) {
    throw new MailError('config', `routes: "${pattern}" is no domain, no .domain and no *`)
  }
  return isBelow ? `.${domain}` : domain
}

function senderTest(from: RouteRule['from']): Row['fits'] {
  if (from === undefined) return () => true
  const domains = new Set<string>()
  const addresses = new Set<string>()
  let reports = false
  for (const pattern of [from].flat()) {
    const at = pattern.lastIndexOf('@')
    if (pattern === '<>') reports = true
    else if (at > 0) addresses.add(`${pattern.slice(0, at)}@${domainPattern(pattern.slice(at + 1))}`)
    else domains.add(pattern === '*' ? '*' : domainPattern(pattern))
  }
  return (sender) => {
    if (sender === null) return reports || domains.has('*')
    const domain = asciiDomain(sender.domain)
    return addresses.has(`${sender.local}@${domain}`) || patternsFor(domain).some((each) => domains.has(each))
  }
}
