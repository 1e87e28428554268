import type { Policy } from '../../contracts/policy.ts'
import type { Connection } from '../../contracts/received.ts'
import { aCount, checkOptions } from '../../protocol/session/options.ts'
import { clientOf, networkOf } from '../../protocol/session/networks.ts'
import { defer } from '../verdict.ts'

/** How many connections {@link maxConnections} lets be open at a time. */
export interface MaxConnectionsOptions {
  /** Of the whole server (default 100). */
  readonly server?: number
  /** Of one address (default 20); of IPv6 of its /64, since a single machine may use all of that. */
  readonly address?: number
  /** Of one /24 or /64 (default: no bound). */
  readonly network?: number
}

const full = defer(421, '4.3.2', 'Too many connections, try again later')
const fullForYou = defer(421, '4.7.0', 'Too many connections from your address, try again later')

/** Refuses connections beyond what server, address or network may have open at a time: `421`, and the connection is closed. */
export function maxConnections(options: MaxConnectionsOptions = {}): Policy {
  checkOptions('maxConnections', options, { server: aCount, address: aCount, network: aCount })
  const { server = 100, address = 20, network = Infinity } = options
  const open = new Map<Connection, readonly string[]>()
  const counts = new Map<string, number>()
  return {
    name: 'maxConnections',
    connect(connection) {
      const { peer } = connection
      // XCLIENT and a refusal before it bring the same connection again.
      this.closed!(connection)
      if (open.size >= server) return full
      const keys = peer.address === undefined ? [] : [clientOf(peer.address), networkOf(peer.address)]
      if (keys.length > 0 && ((counts.get(keys[0]!) ?? 0) >= address || (counts.get(keys[1]!) ?? 0) >= network)) return fullForYou
      open.set(connection, keys)
      for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
      return undefined
    },
    closed(connection) {
      for (const key of open.get(connection) ?? []) {
        const left = counts.get(key)! - 1
        if (left === 0) counts.delete(key)
        else counts.set(key, left)
      }
      open.delete(connection)
    },
  }
}
