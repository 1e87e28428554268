import type { SaslChannel } from '../channel.ts'
import type { SaslCrypto, ScramHash } from '../crypto.ts'

/** As whom a client logs in, and with what. A mechanism is chosen among those that it has what it takes for. */
export interface SaslIdentity {
  /** May be empty where token or certificate says it. */
  readonly username: string
  readonly password?: string
  /** An OAuth 2.0 bearer token. */
  readonly token?: string
  /** The connection shows the client's certificate: EXTERNAL. */
  readonly certificate?: boolean
  /** A word for the log of whoever lets anybody in: ANONYMOUS. */
  readonly anonymous?: string
  /** As whom to act, where that is somebody else. */
  readonly authorizeAs?: string
  /** Where the client has connected to (OAUTHBEARER). */
  readonly host?: string
  readonly port?: number
}

/** What a client-side exchange wants next. */
export type SaslClientStep =
  /** Send this as answer to the challenge; at the start as initial response, or to the empty challenge that asks for it. */
  | { readonly kind: 'response'; readonly bytes: Uint8Array }
  /** The server speaks first: wait for its challenge. */
  | { readonly kind: 'wait' }
  /** Derive a key (`SaslCrypto.pbkdf2`) and give it to `derived`. */
  | {
      readonly kind: 'derive'
      readonly hash: ScramHash
      readonly password: Uint8Array
      readonly salt: Uint8Array
      readonly iterations: number
    }
  /** Logged in, and the server is the right one as far as the mechanism can tell. */
  | { readonly kind: 'done' }
  /** Cancel the exchange, and do not use the connection where the server had said yes. */
  | { readonly kind: 'failed'; readonly why: string }

/** The client's side of one exchange. Pure, like the server's. That the server refuses is the protocol's to notice. */
export interface SaslClientExchange {
  /** `undefined` once at the start, then the server's challenges, but for one that only asks for the initial response. */
  respond(challenge: Uint8Array | undefined): SaslClientStep
  /** The key that a `derive` step asked for. */
  derived?(key: Uint8Array): SaslClientStep
  /** The server says yes: `done`, or `failed` where it has not proven to know the secret. */
  succeeded(): SaslClientStep
}

/** What an exchange takes. */
export interface SaslClientContext {
  readonly identity: SaslIdentity
  readonly channel: SaslChannel
  readonly crypto: SaslCrypto
  /** The names of the mechanisms that the server offers. */
  readonly offered: readonly string[]
}

/** A mechanism, client side. */
export interface SaslClientMechanism {
  readonly name: string
  /** What crosses the wire lets everybody log in who sees it. */
  readonly plaintext: boolean
  /** Whether identity and channel have what it takes. */
  fits(identity: SaslIdentity, channel: SaslChannel): boolean
  /** Begins an exchange. */
  begin(context: SaslClientContext): SaslClientExchange
}

/** The step that gives up. */
export const givesUp = (why: string): SaslClientStep => ({ kind: 'failed', why })

/** An exchange of fixed words: to each challenge the next, and nothing for the server to prove. */
export function saying(mechanism: string, words: readonly (Uint8Array | 'wait')[]): SaslClientExchange {
  let said = 0
  return {
    respond: () => {
      const word = words[said++]
      if (word === undefined) return givesUp(`${mechanism}: the server asks for more than there is`)
      return word === 'wait' ? { kind: 'wait' } : { kind: 'response', bytes: word }
    },
    succeeded: () => (said < words.length ? givesUp(`${mechanism}: the server has not heard all`) : { kind: 'done' }),
  }
}
