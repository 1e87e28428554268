import { encodeUtf8 } from '../../bytes/text.ts'
import { type SaslClientMechanism, saying } from './exchange.ts'

/** EXTERNAL (RFC 4422 appendix A): the connection's certificate, and as whom to act where that is not clear from it. */
export const externalClient: SaslClientMechanism = {
  name: 'EXTERNAL',
  plaintext: false,
  fits: ({ certificate = false }, { secure }) => certificate && secure,
  begin: ({ identity: { username, authorizeAs } }) => saying('EXTERNAL', [encodeUtf8(authorizeAs ?? username)]),
}

/** ANONYMOUS (RFC 4505). */
export const anonymousClient: SaslClientMechanism = {
  name: 'ANONYMOUS',
  plaintext: false,
  fits: ({ anonymous }) => anonymous !== undefined,
  begin: ({ identity: { anonymous = '' } }) => saying('ANONYMOUS', [encodeUtf8(anonymous)]),
}
