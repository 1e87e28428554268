import { nodeCrypto, nodeResolver, randomBytes } from '../adapters/node/index.ts'
import type { KeyValue } from '../contracts/key-value.ts'
import type { Resolver } from '../contracts/resolver.ts'
import type { Route } from '../outbound/routes.ts'
import { srs } from '../outbound/srs.ts'
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
  /** In lower case; at least one. */
  readonly domains: readonly string[]
  readonly smarthost: Smarthost | undefined
  /** `host:port` of a resolver; without it those of the system. */
  readonly dns: string | undefined
  /** Waits between tries, in milliseconds. */
  readonly retry: readonly number[]
}

/** Octets of the key that senders of forwarded mail are signed by. */
const KEY = 32

/** Milliseconds. */
const LEASE = 30_000

/** How the reference server sends mail, and how to let go of what that takes. */
export async function referenceOutgoing(
  { bind, domains, smarthost, dns, retry }: ReferenceOutgoingSettings, keyValue: KeyValue, clock: Clock,
): Promise<{ readonly options: OutgoingOptions; readonly resolver: Resolver; readonly close: () => Promise<void> }> {
  const resolver = nodeResolver({ clock, ...(dns === undefined ? {} : { servers: [dns] }) })
  const options: OutgoingOptions = {
    resolver,
    schedule: retry,
    // Nobody else works on this queue. What a crash has left in hand is to go on soon after the next start.
    lease: LEASE,
    // A server that only this machine can reach is one to try things with: so are those that it sends to.
    loopback: isThisMachine(bind),
    srs: srs({ domain: domains[0]!, keys: [await secretOf(keyValue, 'srs', clock.now())], crypto: nodeCrypto }),
    ...(smarthost ? { routes: routeTo(smarthost) } : {}),
  }
  return { options, resolver, close: () => resolver.close() }
}

/** A key that was made when it was first needed. */
async function secretOf(keyValue: KeyValue, what: string, now: number): Promise<Uint8Array> {
  const key = `secret:${what}`
  const made = Buffer.from(randomBytes(KEY)).toString('base64')
  await keyValue.swap(key, undefined, made, { now })
  return Buffer.from((await keyValue.get(key, now)) ?? made, 'base64')
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
