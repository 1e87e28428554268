import type { FakeDns } from '../fake-dns.ts'

/**
 * What is asked of TLS with the servers of a domain: by itself (MTA-STS, DANE), or by a route of those who send there
 * (`encrypted`, `verified`).
 */
export type TlsWish = 'none' | 'sts-testing' | 'sts-enforce' | 'dane' | 'encrypted' | 'verified'

/** All wishes there are. */
export const tlsWishes: readonly TlsWish[] = ['none', 'sts-testing', 'sts-enforce', 'dane', 'encrypted', 'verified']

/** Somebody's servers. */
export interface SimulatedServers {
  readonly domain: string
  readonly addresses: readonly string[]
  /** What is asked of TLS with them; absent: nobody asks, and they go by one name. */
  readonly wish?: TlsWish
}

/** A server of a domain, by its name. */
export interface NamedServer {
  readonly name: string
  readonly addresses: readonly string[]
}

/** The servers of a domain, the first of them by preference. Those whose TLS is somebody's wish have a name each. */
export function serversOf({ domain, addresses, wish }: SimulatedServers): readonly NamedServer[] {
  if (wish === undefined) return [{ name: `mx.${domain}`, addresses }]
  return addresses.map((address, at) => ({ name: at === 0 ? `mx.${domain}` : `mx${at + 1}.${domain}`, addresses: [address] }))
}

/** Tells the DNS of a domain's servers, and of what it asks. */
export function publish(dns: FakeDns, servers: SimulatedServers): void {
  const { domain, wish = 'none' } = servers
  const named = serversOf(servers)
  const authenticated = wish === 'dane'
  dns.set(domain, { MX: named.map(({ name }, at) => `${10 * (at + 1)} ${name}`), authenticated })
  for (const { name, addresses } of named) {
    dns.set(name, { A: addresses, authenticated })
    if (wish === 'dane') dns.set(`_25._tcp.${name}`, { TLSA: `3 1 1 ${'0d'.repeat(32)}`, authenticated })
  }
  if (wish.startsWith('sts')) dns.set(`_mta-sts.${domain}`, { TXT: 'v=STSv1; id=1;' })
}
