import { decodeUtf8, encodeUtf8 } from '../bytes/text.ts'
import { malformed, type SaslExchange, type SaslMechanism, type SaslStep } from './exchange.ts'

// draft-murchison-sasl-login: the prompts are fixed; clients exist that look for exactly these.
const NAME = encodeUtf8('Username:')
const PASSWORD = encodeUtf8('Password:')

/** LOGIN: what old clients speak where they know no PLAIN. The name, then the password; the name may come as initial response. */
export const login: SaslMechanism = { name: 'LOGIN', plaintext: true, begin: () => new LoginExchange() }

class LoginExchange implements SaslExchange {
  private username: string | undefined

  respond(bytes: Uint8Array | undefined): SaslStep {
    if (bytes === undefined) return { kind: 'challenge', bytes: NAME }
    const text = decodeUtf8(bytes)
    if (text === undefined || text === '' || text.includes('\0') || bytes.length > 255) {
      return malformed('LOGIN takes a name, then a password')
    }
    if (this.username === undefined) {
      this.username = text
      return { kind: 'challenge', bytes: PASSWORD }
    }
    return { kind: 'verify', credentials: { kind: 'password', mechanism: 'LOGIN', username: this.username, password: text } }
  }
}
