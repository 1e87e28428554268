import { encodeBase64 } from '../bytes/base64.ts'
import { encodeUtf8 } from '../bytes/text.ts'
import type { SaslChannel } from './channel.ts'
import type { SaslCrypto, ScramHash } from './crypto.ts'
import { isName, malformed, type SaslExchange, type SaslMechanism, type SaslSecret, type SaslStep } from './exchange.ts'
import { joined, sameBytes, xored } from './octets.ts'
import { saslprep } from './saslprep.ts'
import { type ScramKeys, scramDefaults } from './scram-keys.ts'
import { authMessage, type ClientFirst, readClientFinal, readClientFirst, writeServerFirst } from './scram-message.ts'

/** What {@link scram} and {@link scramPlus} are made of. */
export interface ScramOptions {
  readonly hash: ScramHash
  readonly crypto: SaslCrypto
  /**
   * Octets that nobody else knows, and the same for as long as the names are to be kept secret: what a name that is nobody's is
   * told for a salt is made of them. Whoever sees that salt change knows that it is none.
   */
  readonly secret: Uint8Array
  /** Rounds that names of nobody are told; those of most accounts. Default 10 000. */
  readonly iterations?: number
}

/** SCRAM (RFC 5802, RFC 7677). `plusOffered`: a -PLUS is offered too, so that a client that can bind and did not was deceived. */
export function scram(options: ScramOptions & { readonly plusOffered?: boolean }): SaslMechanism {
  const { plusOffered = false } = options
  return {
    name: `SCRAM-${options.hash}`,
    plaintext: false,
    begin: (channel) => new ScramExchange(options, channel, plusOffered ? 'offered' : 'none'),
  }
}

/** SCRAM-…-PLUS: bound to the channel (RFC 5802 §6), by the TLS exporter (RFC 9266) or the server's certificate (RFC 5929). */
export function scramPlus(options: ScramOptions): SaslMechanism {
  return {
    name: `SCRAM-${options.hash}-PLUS`,
    plaintext: false,
    usable: ({ secure, binding }) => secure && binding !== undefined,
    begin: (channel) => new ScramExchange(options, channel, 'required'),
  }
}

const EMPTY = new Uint8Array(0)

/** The client's first message, its name prepared, and what `c=` must hold: header and channel binding data. */
type Begun = ClientFirst & { readonly prepared: string; readonly binding: Uint8Array }

/** One exchange: first message, look-up, challenge, proof, signature. */
export class ScramExchange implements SaslExchange {
  private readonly options: ScramOptions
  private readonly channel: SaslChannel
  private readonly plus: 'none' | 'offered' | 'required'
  /** The server's part of the nonce. */
  private readonly nonce: string
  private first: Begun | undefined
  private keys: ScramKeys | undefined
  private known = false
  private serverFirst = ''
  private proven = false

  constructor(options: ScramOptions, channel: SaslChannel, plus: 'none' | 'offered' | 'required', nonce?: string) {
    this.options = options
    this.channel = channel
    this.plus = plus
    this.nonce = nonce ?? encodeBase64(options.crypto.random(18))
  }

  respond(bytes: Uint8Array | undefined): SaslStep {
    if (bytes === undefined) return { kind: 'challenge', bytes: EMPTY }
    if (this.first === undefined) return this.begin(bytes)
    if (!this.proven) return this.prove(bytes)
    return bytes.length === 0 ? this.verified() : malformed('SCRAM ends with an empty response')
  }

  found(secret: SaslSecret | undefined): SaslStep {
    const { first, nonce } = this
    const found = secret !== undefined && 'keys' in secret ? secret.keys : undefined
    this.known = found !== undefined
    this.keys = found ?? this.nobodys(first!.prepared)
    this.serverFirst = writeServerFirst(first!.nonce + nonce, this.keys.salt, this.keys.iterations)
    return { kind: 'challenge', bytes: encodeUtf8(this.serverFirst) }
  }

  private begin(bytes: Uint8Array): SaslStep {
    const first = readClientFirst(bytes)
    if (typeof first === 'string') return malformed(`SCRAM: ${first}`)
    const { flag } = first.header
    // RFC 5802 §6: who can bind and was not offered it has seen a list that is not ours.
    const deceived = flag === 'y' && this.plus === 'offered' && this.channel.binding !== undefined
    if (deceived) return malformed('SCRAM: server does support channel binding')
    const binds = typeof flag === 'object'
    if (binds !== (this.plus === 'required')) return malformed('SCRAM: channel binding goes with -PLUS alone')
    const data = binds ? this.bindingOf(flag.type) : EMPTY
    if (data === undefined) return malformed('SCRAM: unsupported channel binding type')
    // RFC 5802 §5.1: the server prepares the name, or refuses it.
    const prepared = saslprep(first.username)
    if (prepared === undefined || !isName(prepared, encodeUtf8(prepared).length)) {
      return malformed('SCRAM: bad username encoding')
    }
    if (encodeUtf8(first.header.authorizeAs).length > 255) return malformed('SCRAM: authorization identity too long')
    this.first = { ...first, prepared, binding: joined(encodeUtf8(first.header.text), data) }
    const { hash } = this.options
    return { kind: 'lookUp', lookUp: { kind: 'scramKeys', mechanism: this.mechanism, username: prepared, hash } }
  }

  private prove(bytes: Uint8Array): SaslStep {
    const { first, keys, options } = this
    const final = readClientFinal(bytes)
    if (typeof final === 'string') return malformed(`SCRAM: ${final}`)
    if (final.nonce !== first!.nonce + this.nonce) return malformed('SCRAM: the nonce is not that of this exchange')
    if (!sameBytes(final.binding, first!.binding)) return this.refuted('channel-binding')
    const { hash, crypto: sums } = options
    const message = authMessage(first!.bare, this.serverFirst, final.withoutProof)
    const signature = sums.hmac(hash, keys!.storedKey, message)
    const fits = final.proof.length === signature.length
    const clientKey = fits ? xored(signature, final.proof) : signature
    const isTheirs = sameBytes(sums.hash(hash, clientKey), keys!.storedKey)
    if (!fits || !isTheirs || !this.known) return this.refuted('proof')
    this.proven = true
    return { kind: 'challenge', bytes: encodeUtf8(`v=${encodeBase64(sums.hmac(hash, keys!.serverKey, message))}`) }
  }

  private bindingOf(type: string): Uint8Array | undefined {
    return type === 'tls-exporter' || type === 'tls-server-end-point' ? this.channel.binding?.(type) : undefined
  }

  private verified(): SaslStep {
    const { prepared: username, header } = this.first!
    const credentials = { kind: 'proven', mechanism: this.mechanism, username } as const
    const other = header.authorizeAs !== '' && header.authorizeAs !== username
    return { kind: 'verify', credentials: other ? { ...credentials, authorizeAs: header.authorizeAs } : credentials }
  }

  private refuted(why: 'proof' | 'channel-binding'): SaslStep {
    const username = this.first!.prepared
    return { kind: 'verify', credentials: { kind: 'refuted', mechanism: this.mechanism, username, why } }
  }

  /** Keys for a name that has none, the same each time: nobody learns who is here. Directories tell names by no case, mostly. */
  private nobodys(name: string): ScramKeys {
    const { crypto: sums, hash, secret, iterations = scramDefaults.iterations } = this.options
    const made = (what: string): Uint8Array => sums.hmac(hash, secret, encodeUtf8(`${what} ${hash} ${name.toLowerCase()}`))
    const salt = made('salt').subarray(0, scramDefaults.saltOctets)
    return { salt, iterations, storedKey: made('stored'), serverKey: made('server') }
  }

  private get mechanism(): string {
    return `SCRAM-${this.options.hash}${this.plus === 'required' ? '-PLUS' : ''}`
  }
}
