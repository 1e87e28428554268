import { addressSet } from '../adapters/node/addresses.ts'
import type { Peer } from '../protocol/session/transport.ts'

/**
 * Who may say for whom it speaks: addresses, CIDRs, and `unix` for peers of unix sockets. Those have no address; but neither has
 * a client that a proxy cannot name.
 *
 * @throws MailError `config` that names the entry it cannot read
 */
export function trustedPeers(trusted: readonly string[]): (peer: Peer) => boolean {
  const unix = trusted.includes('unix')
  const among = addressSet('trusted', trusted.filter((entry) => entry !== 'unix'))
  return ({ address, proxy }) => (address === undefined ? unix && proxy === undefined : among(address))
}
