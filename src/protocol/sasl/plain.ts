import { decodeUtf8 } from '../bytes/text.ts'
import { malformed, type SaslMechanism, type SaslStep } from './exchange.ts'

const EMPTY = new Uint8Array(0)

/** PLAIN (RFC 4616): `[authzid] NUL authcid NUL password`, in UTF-8. */
export const plain: SaslMechanism = {
  name: 'PLAIN',
  plaintext: true,
  begin: () => ({
    respond: (bytes) => (bytes === undefined ? { kind: 'challenge', bytes: EMPTY } : read(bytes)),
  }),
}

function read(bytes: Uint8Array): SaslStep {
  const parts = decodeUtf8(bytes)?.split('\0', 4)
  if (parts?.length !== 3) return malformed('PLAIN takes authzid NUL authcid NUL password')
  const [authorizeAs, username, password] = parts as [string, string, string]
  // RFC 4616 §2: neither may be empty, each at most 255 octets.
  if (username === '' || password === '' || bytes.length > 3 * 255 + 2) {
    return malformed('name and password must not be empty or overlong')
  }
  const credentials = { kind: 'password', mechanism: 'PLAIN', username, password } as const
  return {
    kind: 'verify',
    credentials: authorizeAs === '' || authorizeAs === username ? credentials : { ...credentials, authorizeAs },
  }
}
