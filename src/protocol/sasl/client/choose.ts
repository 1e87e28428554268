import { asciiUpper } from '../../bytes/text.ts'
import type { SaslChannel } from '../channel.ts'
import { cramMd5Client } from './cram-md5.ts'
import type { SaslClientMechanism, SaslIdentity } from './exchange.ts'
import { anonymousClient, externalClient } from './external.ts'
import { oauthBearerClient, xoauth2Client } from './oauth.ts'
import { loginClient, plainClient } from './plain.ts'
import { scramClient } from './scram.ts'

/** The mechanisms of a client, strongest first. */
export const clientMechanisms: readonly SaslClientMechanism[] = [
  externalClient,
  scramClient('SHA-256', true),
  scramClient('SHA-1', true),
  scramClient('SHA-256', false),
  scramClient('SHA-1', false),
  oauthBearerClient,
  xoauth2Client,
  cramMd5Client,
  plainClient,
  loginClient,
  anonymousClient,
]

/** What {@link chooseMechanism} goes by. */
export interface MechanismChoice {
  /** As the server names them, in any case. */
  readonly offered: readonly string[]
  readonly identity: SaslIdentity
  readonly channel: SaslChannel
  /** Only these, in this order. Default: all, strongest first. */
  readonly allowed?: readonly string[]
}

/**
 * The strongest mechanism that the server offers and the client has what it takes for; `undefined` where there is none. One that
 * tells the password or token itself is never chosen without TLS.
 */
export function chooseMechanism({ offered, identity, channel, allowed }: MechanismChoice): SaslClientMechanism | undefined {
  const names = new Set(offered.map(asciiUpper))
  const mine =
    allowed === undefined
      ? clientMechanisms
      : allowed.flatMap((name) => clientMechanisms.filter((mechanism) => mechanism.name === asciiUpper(name)))
  return mine.find(
    (mechanism) =>
      names.has(mechanism.name) && (channel.secure || !mechanism.plaintext) && mechanism.fits(identity, channel),
  )
}
