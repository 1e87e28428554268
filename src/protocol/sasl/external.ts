import { decodeUtf8 } from '../bytes/text.ts'
import { isName, malformed, type SaslMechanism, type SaslStep } from './exchange.ts'

const EMPTY = new Uint8Array(0)

/** EXTERNAL (RFC 4422 appendix A): the client is whom its certificate shows; it may say as whom it wants to act. */
export const external: SaslMechanism = {
  name: 'EXTERNAL',
  plaintext: false,
  usable: ({ secure, certified }) => secure && certified,
  begin: () => ({
    respond: (bytes) => (bytes === undefined ? { kind: 'challenge', bytes: EMPTY } : read(bytes)),
  }),
}

function read(bytes: Uint8Array): SaslStep {
  const username = decodeUtf8(bytes)
  if (username === undefined || (username !== '' && !isName(username, bytes.length))) {
    return malformed('EXTERNAL takes a name or nothing')
  }
  return { kind: 'verify', credentials: { kind: 'external', mechanism: 'EXTERNAL', username } }
}
