import { nodeCrypto } from '../adapters/node/crypto.ts'
import { decodeBase64 } from '../protocol/bytes/base64.ts'
import { encodeUtf8 } from '../protocol/bytes/text.ts'
import {
  anonymous,
  cramMd5,
  external,
  login,
  oauthBearer,
  plain,
  type SaslCrypto,
  type SaslMechanism,
  type SaslSecret,
  scram,
  scramPlus,
  xoauth2,
} from '../protocol/sasl/index.ts'
import { MailError } from '../protocol/session/errors.ts'
import type { TlsFacts } from '../protocol/session/tls.ts'

/** Chance that is the same each time: octets that count up. */
const countingUp: SaslCrypto = { ...nodeCrypto, random: (octets) => Uint8Array.from({ length: octets }, (_, at) => at) }
const options = { crypto: countingUp, secret: encodeUtf8('what nobody else knows'), iterations: 4096, plusOffered: true }

const mechanisms: readonly SaslMechanism[] = [
  external,
  scramPlus({ ...options, hash: 'SHA-256' }),
  scramPlus({ ...options, hash: 'SHA-1' }),
  scram({ ...options, hash: 'SHA-256' }),
  scram({ ...options, hash: 'SHA-1' }),
  oauthBearer({ scope: 'mail' }),
  xoauth2({ scope: 'mail' }),
  cramMd5({ crypto: countingUp, hostname: 'mx.example.org' }),
  plain,
  login,
  anonymous,
]

/** The mechanisms that a transcript names, with spaces between them. */
export function namedMechanisms(names: string): readonly SaslMechanism[] {
  return names.split(' ').map((name) => {
    const found = mechanisms.find((mechanism) => mechanism.name === name)
    if (!found) throw new MailError('config', `auth: there is no mechanism ${JSON.stringify(name)}.`)
    return found
  })
}

/** `password WORD`, or `keys SALT ITERATIONS STORED SERVER` in base64: what a `secret` question is answered. */
export function readSecret(text: string): SaslSecret | undefined {
  if (text.startsWith('password ')) return { password: text.slice(9) }
  if (!text.startsWith('keys ')) return undefined
  const [salt, , storedKey, serverKey] = text.slice(5).split(' ').map(decodeBase64)
  const iterations = Number(text.split(' ')[2])
  if (!salt || !storedKey || !serverKey) throw new MailError('config', `${JSON.stringify(text)} is no keys in base64.`)
  return { keys: { salt, iterations, storedKey, serverKey } }
}

/** Facts of TLS as a transcript gives them, in JSON; `binding`: a text that tells the channel from others. */
export function readTlsFacts(json: string): TlsFacts {
  const { binding, ...given } = JSON.parse(json) as Partial<TlsFacts> & { readonly binding?: string }
  const facts = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', ...given }
  return binding === undefined ? facts : { ...facts, channelBinding: () => encodeUtf8(binding) }
}
