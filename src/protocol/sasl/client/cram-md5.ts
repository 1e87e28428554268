import { encodeUtf8 } from '../../bytes/text.ts'
import { hexOf } from '../octets.ts'
import { givesUp, type SaslClientMechanism } from './exchange.ts'
import { hasPassword } from './plain.ts'

/** CRAM-MD5 (RFC 2195). */
export const cramMd5Client: SaslClientMechanism = {
  name: 'CRAM-MD5',
  plaintext: false,
  fits: (identity) => hasPassword(identity) && identity.authorizeAs === undefined,
  begin: (context) => {
    const { username, password = '' } = context.identity
    let answered = false
    return {
      respond: (challenge) => {
        if (challenge === undefined) return { kind: 'wait' }
        if (answered) return givesUp('CRAM-MD5: a second challenge')
        answered = true
        const digest = hexOf(context.crypto.hmac('MD5', encodeUtf8(password), challenge))
        return { kind: 'response', bytes: encodeUtf8(`${username} ${digest}`) }
      },
      succeeded: () => (answered ? { kind: 'done' } : givesUp('CRAM-MD5: the server has not asked')),
    }
  },
}
