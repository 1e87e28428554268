import { decodeUtf8, encodeUtf8, hasControl } from '../../bytes/text.ts'
import { writeGs2 } from '../gs2.ts'
import { givesUp, type SaslClientExchange, type SaslClientMechanism, type SaslIdentity } from './exchange.ts'

/** OAUTHBEARER (RFC 7628). */
export const oauthBearerClient: SaslClientMechanism = {
  name: 'OAUTHBEARER',
  plaintext: true,
  fits: hasToken,
  // RFC 7628 §3.2.3: the answer to an error is a separator.
  begin: ({ identity }) => new TokenExchange('OAUTHBEARER', bearer(identity), encodeUtf8('\u0001')),
}

/** XOAUTH2. */
export const xoauth2Client: SaslClientMechanism = {
  name: 'XOAUTH2',
  plaintext: true,
  fits: (identity) => identity.username !== '' && hasToken(identity),
  begin: ({ identity: { username, token = '' } }) =>
    new TokenExchange('XOAUTH2', `user=${username}\u0001auth=Bearer ${token}\u0001\u0001`, new Uint8Array(0)),
}

/** A token and nothing that could be taken for another part of the message; there is no acting as somebody else. */
function hasToken({ username, token = '', host = '', authorizeAs }: SaslIdentity): boolean {
  return token !== '' && !hasControl(username + token + host) && authorizeAs === undefined
}

function bearer({ username, token = '', host, port }: SaslIdentity): string {
  const where = `${host === undefined ? '' : `host=${host}\u0001`}${port === undefined ? '' : `port=${port}\u0001`}`
  return `${writeGs2('n', username)}\u0001${where}auth=Bearer ${token}\u0001\u0001`
}

/** What a server says of a token that it refuses, as it goes into an error message. */
const MOST_TOLD = 300

class TokenExchange implements SaslClientExchange {
  private readonly mechanism: string
  private readonly message: string
  private readonly acknowledgement: Uint8Array
  private said = false
  private refusal: string | undefined

  constructor(mechanism: string, message: string, acknowledgement: Uint8Array) {
    this.mechanism = mechanism
    this.message = message
    this.acknowledgement = acknowledgement
  }

  respond(challenge: Uint8Array | undefined): ReturnType<SaslClientExchange['respond']> {
    if (!this.said) {
      this.said = true
      return { kind: 'response', bytes: encodeUtf8(this.message) }
    }
    if (this.refusal !== undefined) return givesUp(this.refusal)
    const told = challenge && decodeUtf8(challenge)?.slice(0, MOST_TOLD)
    this.refusal = `${this.mechanism}: the server refuses the token: ${told ?? ''}`
    return { kind: 'response', bytes: this.acknowledgement }
  }

  succeeded(): ReturnType<SaslClientExchange['succeeded']> {
    if (!this.said) return givesUp(`${this.mechanism}: the server has not heard the token`)
    return this.refusal === undefined ? { kind: 'done' } : givesUp(this.refusal)
  }
}
