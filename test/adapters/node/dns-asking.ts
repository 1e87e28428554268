import type { Packet } from 'dns-packet'
import { afterEach } from 'vitest'
import { nodeResolver, type ResolverOptions } from '../../../src/adapters/node/index.ts'
import type { Resolver } from '../../../src/contracts/index.ts'
import { type FakeZone, type VirtualClock, virtualClock } from '../../../src/testing/index.ts'
import { type DnsTestServer, dnsServer, type Script } from './dns-server.ts'

/** What is closed after the test, in this order. */
export const open: { close?(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close?.()
})

/** What honest servers serve. */
export const zone: FakeZone = {
  'a.test': { A: '192.0.2.1', MX: '10 mail.a.test', ttl: 60 },
  'b.test': { A: '192.0.2.2', ttl: 0 },
  'alias.test': { CNAME: 'a.test', ttl: 600 },
}

/** An honest server. */
export const right: Script = (_, packet) => [packet]
/** A silent one. */
export const nothing: Script = () => []

/** Servers by script, a resolver that asks them, and a clock that goes on to the next time-out when a server is silent. */
export async function asking(
  scripts: readonly Script[],
  options: Partial<ResolverOptions> = {},
): Promise<{ resolver: Resolver; servers: DnsTestServer[]; clock: VirtualClock }> {
  const clock = virtualClock()
  const servers: DnsTestServer[] = []
  for (const script of scripts) {
    const server = await dnsServer(zone, (asked, packet) => {
      const given = script(asked, packet)
      if (given.length === 0) void clock.next()
      return given
    })
    servers.push(server)
    open.push(server)
  }
  const resolver = nodeResolver({ servers: servers.map(({ at }) => at), hosts: false, clock, ...options })
  open.unshift(resolver)
  return { resolver, servers, clock }
}

/** Another packet. */
export const changed = (packet: Packet, change: Partial<Packet>): Packet => ({ ...packet, ...change })
