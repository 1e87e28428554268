import { mailauthAuthenticator } from '../adapters/mailauth/index.ts'
import type { Authenticator } from '../contracts/authenticator.ts'
import type { Policy } from '../contracts/policy.ts'
import { type AuthenticationOptions, authentication as policy, isOurs } from '../inbound/authentication/policy.ts'
import { checkOptions, texts } from '../protocol/session/options.ts'
import { trustedPeers } from './trusted.ts'

/** What {@link authentication} is told. Nothing has to be. */
export interface TrustOptions extends Omit<AuthenticationOptions, 'authenticator'> {
  /** Who looks. Default: mailauth, which must be installed. */
  readonly authenticator?: Authenticator
  /** Addresses and CIDRs whose mail is not looked at either, such as relays of one's own. */
  readonly trusted?: readonly string[]
}

const networks = { ...texts, takes: "a list of addresses and CIDRs, such as ['10.0.0.0/8']" }

/**
 * Finds out who sent a message (SPF, DKIM, DMARC, ARC, iprev), notes it, writes `Authentication-Results`, takes out forged ones,
 * and does what DMARC asks for. Clients that have logged in, and those on this machine, are exempt.
 *
 * @throws MailError `unavailable`, which names the command that installs what is missing; `config` for options that cannot be
 */
export function authentication({ authenticator, trusted = [], exempt = isOurs, ...options }: TrustOptions = {}): Policy {
  checkOptions('authentication', { trusted }, { trusted: networks })
  const isTrusted = trustedPeers(trusted)
  return policy({
    ...options,
    authenticator: authenticator ?? mailauth(),
    exempt: trusted.length === 0 ? exempt : (connection) => isTrusted(connection.peer) || exempt(connection),
  })
}

/** Loaded at once: that it is missing is to be known when the server is put together, not when the first message has come. */
function mailauth(): Authenticator {
  const found = mailauthAuthenticator()
  void found.ready?.()
  return found
}
