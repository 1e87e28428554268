import { decodeUtf8, hasControl } from '../bytes/text.ts'
import { malformed, type SaslMechanism, type SaslStep } from './exchange.ts'

const EMPTY = new Uint8Array(0)

/** ANONYMOUS (RFC 4505): nobody in particular, who may leave a word for the log. */
export const anonymous: SaslMechanism = {
  name: 'ANONYMOUS',
  plaintext: false,
  begin: () => ({
    respond: (bytes) => (bytes === undefined ? { kind: 'challenge', bytes: EMPTY } : read(bytes)),
  }),
}

function read(bytes: Uint8Array): SaslStep {
  const trace = bytes.length > 1020 ? undefined : decodeUtf8(bytes)
  // RFC 4505 §2: up to 255 characters, and nothing that would spoil a log.
  if (trace === undefined || [...trace].length > 255 || hasControl(trace)) {
    return malformed('ANONYMOUS takes a short text or nothing')
  }
  return { kind: 'verify', credentials: { kind: 'anonymous', mechanism: 'ANONYMOUS', username: '', trace } }
}
