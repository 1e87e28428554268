import { decodeUtf8, encodeUtf8 } from '../bytes/text.ts'
import type { SaslCrypto } from './crypto.ts'
import { isName, malformed, type SaslExchange, type SaslMechanism, type SaslSecret, type SaslStep } from './exchange.ts'
import { hexOf, sameBytes } from './octets.ts'

/** What {@link cramMd5} is made of. */
export interface CramMd5Options {
  readonly crypto: SaslCrypto
  /** Stands in the challenge. */
  readonly hostname: string
}

/** CRAM-MD5 (RFC 2195): the server must know the password itself, and a listener can guess it at leisure. For old clients. */
export function cramMd5(options: CramMd5Options): SaslMechanism {
  return {
    name: 'CRAM-MD5',
    plaintext: false,
    serverFirst: true,
    begin: () => {
      const challenge = `<${hexOf(options.crypto.random(16))}@${options.hostname}>`
      return new CramMd5Exchange(options.crypto, challenge)
    },
  }
}

/** One exchange: challenge, response, look-up. */
export class CramMd5Exchange implements SaslExchange {
  private readonly sums: SaslCrypto
  private readonly challenge: Uint8Array
  private username = ''
  private digest = ''

  constructor(sums: SaslCrypto, challenge: string) {
    this.sums = sums
    this.challenge = encodeUtf8(challenge)
  }

  respond(bytes: Uint8Array | undefined): SaslStep {
    if (bytes === undefined) return { kind: 'challenge', bytes: this.challenge }
    const text = decodeUtf8(bytes) ?? ''
    // RFC 2195 §2: the name may hold spaces.
    const space = text.lastIndexOf(' ')
    const username = text.slice(0, Math.max(0, space))
    const digest = text.slice(space + 1)
    if (!isName(username, bytes.length - 33) || digest.length !== 32) return malformed('CRAM-MD5 takes a name and a digest')
    this.username = username
    this.digest = digest
    return { kind: 'lookUp', lookUp: { kind: 'password', mechanism: 'CRAM-MD5', username } }
  }

  found(secret: SaslSecret | undefined): SaslStep {
    const password = secret !== undefined && 'password' in secret ? secret.password : undefined
    const wanted = this.sums.hmac('MD5', encodeUtf8(password ?? ''), this.challenge)
    const isTheirs = sameBytes(encodeUtf8(hexOf(wanted)), encodeUtf8(this.digest))
    const { username } = this
    // An empty password proves nothing.
    if (!isTheirs || !password) {
      return { kind: 'verify', credentials: { kind: 'refuted', mechanism: 'CRAM-MD5', username, why: 'proof' } }
    }
    return { kind: 'verify', credentials: { kind: 'proven', mechanism: 'CRAM-MD5', username } }
  }
}
