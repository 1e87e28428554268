import type { Routes } from '../../outbound/route-table.ts'
import type { MxRoute } from '../../outbound/routes.ts'
import type { FetchPolicy } from '../../outbound/sts.ts'
import { TlsFailure } from '../../protocol/session/dial.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Draws } from './draws.ts'
import { serversOf, type SimulatedServers, type TlsWish } from './servers.ts'
import type { ClientConnection, Security } from './tls-weather.ts'

/** Somebody's servers and what is asked of them. */
export interface WishingServers extends SimulatedServers {
  readonly wish: TlsWish
}

/** Milliseconds after which a host that has had a policy has nothing under way that it began without. */
const HEARD_OF = 3 * 3_600_000

const routes: Partial<Record<TlsWish, MxRoute>> = {
  encrypted: { kind: 'mx', name: 'encrypted', requireTls: 'encrypted' },
  verified: { kind: 'mx', name: 'verified', requireTls: 'verified' },
}

/** Routes that ask for what is not asked by the domains themselves. */
export function routesFor(servers: readonly WishingServers[]): Routes {
  const rules = servers.flatMap(({ domain, wish }) => (routes[wish] ? [{ to: domain, route: routes[wish] }] : []))
  return [...rules, { route: { kind: 'mx' } }]
}

/** What a host knows of policies, and what came to it without what they ask for. */
export class TlsWishes {
  private readonly ticks: () => number
  private readonly servers: readonly WishingServers[]
  /** By host and domain: when it has first had the policy, in ticks. */
  private readonly known = new Map<string, number>()

  constructor(ticks: () => number, servers: readonly WishingServers[]) {
    this.ticks = ticks
    this.servers = servers
  }

  /** Fetches policies for a host; one time in so many something is wrong, until all is healed. */
  fetching(host: string, draws: Draws, fails: number, isHealed: () => boolean): FetchPolicy {
    return async (domain) => {
      const found = this.servers.find((each) => each.domain === domain)
      if (!isHealed() && draws.oneIn(fails)) {
        const how = draws.pick(['nothing', 'certificate', 'nonsense'] as const)
        if (how === 'nothing') throw new MailError('temporary', `The policy of ${domain} cannot be had`)
        if (how === 'certificate') throw new TlsFailure('certificate-expired', `mta-sts.${domain}: expired`)
        return 'It works!'
      }
      if (!found?.wish.startsWith('sts')) throw new MailError('temporary', `${domain} has no policy`)
      const key = `${host} ${domain}`
      if (!this.known.has(key)) this.known.set(key, this.ticks())
      const mode = found.wish.slice('sts-'.length)
      return ['version: STSv1', `mode: ${mode}`, ...serversOf(found).map(({ name }) => `mx: ${name}`), 'max_age: 31557600', '']
        .join('\r\n')
    }
  }

  /** What is wrong with a connection of a host, on which mail for the domain came. */
  fault(host: string, { domain, wish }: WishingServers, { security, began }: ClientConnection): string | undefined {
    const wanted = this.wanted(host, domain, wish, began)
    if (wanted.length === 0 || wanted.includes(security)) return undefined
    return `${host} has given mail for ${domain} away on a connection that is ${security}; it asks for ${wish}`
  }

  private wanted(host: string, domain: string, wish: TlsWish, began: number): readonly Security[] {
    if (wish === 'encrypted') return ['encrypted', 'pkix', 'tlsa']
    if (wish === 'verified') return ['pkix', 'tlsa']
    if (wish === 'dane') return ['tlsa']
    const known = this.known.get(`${host} ${domain}`) ?? Infinity
    return wish === 'sts-enforce' && began > known + HEARD_OF ? ['pkix', 'tlsa'] : []
  }
}
