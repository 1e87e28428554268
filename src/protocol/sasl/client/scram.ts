import { encodeBase64 } from '../../bytes/base64.ts'
import { encodeUtf8 } from '../../bytes/text.ts'
import type { ScramHash } from '../crypto.ts'
import { encodeSaslName, writeGs2 } from '../gs2.ts'
import { joined, sameBytes, xored } from '../octets.ts'
import { saslprep } from '../saslprep.ts'
import { keysOf, passwordOctets } from '../scram-keys.ts'
import { authMessage, readServerFinal, readServerFirst } from '../scram-message.ts'
import {
  givesUp,
  type SaslClientContext,
  type SaslClientExchange,
  type SaslClientMechanism,
  type SaslClientStep,
} from './exchange.ts'
import { hasPassword } from './plain.ts'

/**
 * Rounds that a client works through. Fewer would let whoever poses as the server guess the password too fast (RFC 7677 §4), more
 * are an attack on the client.
 */
const ROUNDS = { least: 4096, most: 1_000_000 }

/** SCRAM (RFC 5802, RFC 7677), with or without channel binding. The server proves that it knows the password, too. */
export function scramClient(hash: ScramHash, plus: boolean): SaslClientMechanism {
  return {
    name: `SCRAM-${hash}${plus ? '-PLUS' : ''}`,
    plaintext: false,
    fits: (identity, { binding }) => hasPassword(identity) && (!plus || binding !== undefined),
    begin: (context) => new ScramClientExchange(hash, plus, context),
  }
}

const EMPTY = new Uint8Array(0)

/** One exchange: first message, key, proof, the server's signature. */
export class ScramClientExchange implements SaslClientExchange {
  private readonly hash: ScramHash
  private readonly plus: boolean
  private readonly context: SaslClientContext
  private readonly nonce: string
  private state: 'begin' | 'first' | 'deriving' | 'final' | 'proven' = 'begin'
  /** Gs2 header and channel binding data. */
  private binding: Uint8Array = EMPTY
  private bare = ''
  private serverFirst = ''
  private fullNonce = ''
  private signature: Uint8Array = EMPTY

  constructor(hash: ScramHash, plus: boolean, context: SaslClientContext, nonce?: string) {
    this.hash = hash
    this.plus = plus
    this.context = context
    this.nonce = nonce ?? encodeBase64(context.crypto.random(18))
  }

  respond(challenge: Uint8Array | undefined): SaslClientStep {
    const { state } = this
    if (state === 'begin') return this.begin()
    if (state === 'first' && challenge !== undefined) return this.readFirst(challenge)
    if (state === 'final' && challenge !== undefined) return this.readFinal(challenge)
    return givesUp('SCRAM: a challenge where none belongs')
  }

  derived(salted: Uint8Array): SaslClientStep {
    if (this.state !== 'deriving') return givesUp('SCRAM: a key where none was asked for')
    const { hash } = this
    const { crypto: sums } = this.context
    const { client, server } = keysOf(sums, hash, salted)
    const withoutProof = `c=${encodeBase64(this.binding)},r=${this.fullNonce}`
    const message = authMessage(this.bare, this.serverFirst, withoutProof)
    const proof = xored(client, sums.hmac(hash, sums.hash(hash, client), message))
    this.signature = sums.hmac(hash, server, message)
    this.state = 'final'
    return { kind: 'response', bytes: encodeUtf8(`${withoutProof},p=${encodeBase64(proof)}`) }
  }

  succeeded(): SaslClientStep {
    return this.state === 'proven' ? { kind: 'done' } : givesUp('SCRAM: the server has not proven that it knows the password')
  }

  private begin(): SaslClientStep {
    const { username, authorizeAs = '' } = this.context.identity
    const name = saslprep(username)
    if (!name || authorizeAs.includes('\0')) return givesUp('SCRAM: the name holds what is not allowed')
    const bound = this.bind()
    if (bound === undefined) return givesUp('SCRAM: the channel cannot be bound to')
    const header = writeGs2(bound.flag, authorizeAs)
    this.binding = joined(encodeUtf8(header), bound.data)
    this.bare = `n=${encodeSaslName(name)},r=${this.nonce}`
    this.state = 'first'
    return { kind: 'response', bytes: encodeUtf8(header + this.bare) }
  }

  /** What the first message says of channel binding (RFC 5802 §6). */
  private bind(): { readonly flag: 'n' | 'y' | `p=${string}`; readonly data: Uint8Array } | undefined {
    const { channel, offered } = this.context
    if (!this.plus) {
      const couldBind = channel.binding !== undefined && !offered.some((name) => name.toUpperCase().endsWith('-PLUS'))
      return { flag: couldBind ? 'y' : 'n', data: EMPTY }
    }
    for (const type of ['tls-exporter', 'tls-server-end-point'] as const) {
      const data = channel.binding?.(type)
      if (data !== undefined) return { flag: `p=${type}`, data }
    }
    return undefined
  }

  private readFirst(challenge: Uint8Array): SaslClientStep {
    const first = readServerFirst(challenge)
    if (typeof first === 'string') return givesUp(`SCRAM: ${first}`)
    const { nonce, salt, iterations, text } = first
    // RFC 5802 §5.1: the server's nonce goes on where the client's ends.
    if (!nonce.startsWith(this.nonce) || nonce === this.nonce) return givesUp('SCRAM: the nonce is not that of this exchange')
    if (iterations < ROUNDS.least || iterations > ROUNDS.most) return givesUp(`SCRAM: ${iterations} iterations`)
    this.fullNonce = nonce
    this.serverFirst = text
    this.state = 'deriving'
    const password = passwordOctets(this.context.identity.password ?? '')
    return { kind: 'derive', hash: this.hash, password, salt, iterations }
  }

  private readFinal(challenge: Uint8Array): SaslClientStep {
    const final = readServerFinal(challenge)
    if (typeof final === 'string') return givesUp(`SCRAM: ${final}`)
    if (!sameBytes(final.signature, this.signature)) return givesUp('SCRAM: the server does not know the password')
    this.state = 'proven'
    return { kind: 'response', bytes: EMPTY }
  }
}
