import { addressSet, type AddressSet } from '../adapters/node/addresses.ts'
import type { Peer } from '../protocol/session/transport.ts'

/** Whom passwords are taken of without TLS: nobody, everybody, whoever is on this machine. */
export type PlaintextAuth = boolean | 'loopback'

/** On what terms clients are served: whether they can turn to TLS, and whether they may log in without. */
export class Terms<Config> {
  /** For clients of other machines, where the transport cannot be secured. */
  readonly strict: Config
  private readonly strictTls: Config
  private readonly trusting: Config
  private readonly trustingTls: Config
  private readonly isTrusted: AddressSet

  constructor(plaintextAuth: PlaintextAuth | undefined, configOf: (startTls: boolean, withoutTls: boolean) => Config) {
    const plain = plaintextAuth === true
    this.strict = configOf(false, plain)
    this.strictTls = configOf(true, plain)
    this.trusting = configOf(false, true)
    this.trustingTls = configOf(true, true)
    this.isTrusted = addressSet('loopback', plaintextAuth === 'loopback' ? ['127.0.0.0/8', '::1'] : [])
  }

  for({ address }: Peer, startTls: boolean): Config {
    if (this.isTrusted(address)) return startTls ? this.trustingTls : this.trusting
    return startTls ? this.strictTls : this.strict
  }
}
