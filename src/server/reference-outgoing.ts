import { nodeCrypto, nodeResolver } from '../adapters/node/index.ts'
import type { Route } from '../outbound/routes.ts'
import type { Clock } from '../protocol/session/clock.ts'
import { isThisMachine } from './addresses.ts'
import type { OutgoingOptions } from './outgoing/options.ts'

/** A server that all mail for others is given to. */
export interface Smarthost {
  /** A name or an IP address. */
  readonly host: string
  readonly port: number
  /** TLS comes first. */
  readonly implicitTls: boolean
  readonly login: { readonly username: string; readonly password: string } | undefined
}

/** What the reference server is told of outgoing mail. */
export interface ReferenceOutgoingSettings {
  readonly bind: string
  readonly smarthost: Smarthost | undefined
  /** `host:port` of a resolver; without it those of the system. */
  readonly dns: string | undefined
  /** Waits between tries, in milliseconds. */
  readonly retry: readonly number[]
}

/** How the reference server sends mail, and how to let go of what that takes. */
export function referenceOutgoing(
  { bind, smarthost, dns, retry }: ReferenceOutgoingSettings, clock: Clock,
): { readonly options: OutgoingOptions; readonly close: () => Promise<void> } {
  const resolver = nodeResolver({ clock, ...(dns === undefined ? {} : { servers: [dns] }) })
  const options: OutgoingOptions = {
    resolver,
    schedule: retry,
    // A server that only this machine can reach is one to try things with: so are those that it sends to.
    loopback: isThisMachine(bind),
    ...(smarthost ? { routes: routeTo(smarthost) } : {}),
  }
  return { options, close: () => resolver.close() }
}

function routeTo({ host, port, implicitTls, login }: Smarthost): Route {
  const isHere = isThisMachine(host)
  // A password goes to nobody who has not proven who he is; between here and here there is nobody.
  const encrypted = login && !isHere ? 'required' : 'opportunistic'
  return {
    kind: 'hosts',
    name: 'smarthost',
    hosts: [
      {
        host,
        port,
        tls: implicitTls ? 'implicit' : encrypted,
        ...(isHere ? { demand: { trust: 'none' } } : {}),
        ...(login ? { auth: { identity: login, crypto: nodeCrypto, withoutTls: isHere } } : {}),
      },
    ],
  }
}
