import type { SaslChannel } from './channel.ts'
import type { ScramHash } from './crypto.ts'
import type { ScramKeys } from './scram-keys.ts'

/**
 * What a SASL exchange asks the host to judge, in the end: whose it is, and whether that one may log in. Plain data.
 *
 * Of all of them `username` is as the client sent it (SCRAM prepares it by SASLprep), up to 255 octets of UTF-8 without NUL, and
 * `authorizeAs` is there where the client wants to act as somebody else. The mechanism has judged neither.
 */
export type Credentials =
  | PasswordCredentials
  | TokenCredentials
  | ExternalCredentials
  | AnonymousCredentials
  | ProvenCredentials
  | RefutedCredentials

/** A name and a password in the clear: PLAIN, LOGIN. */
export interface PasswordCredentials {
  readonly kind: 'password'
  readonly mechanism: string
  /** Whose password it is. */
  readonly username: string
  readonly password: string
  /** As whom to act, where that is somebody else (RFC 4616 §2). */
  readonly authorizeAs?: string
}

/** An OAuth 2.0 bearer token: OAUTHBEARER, XOAUTH2. */
export interface TokenCredentials {
  readonly kind: 'token'
  readonly mechanism: string
  /** Empty where the client leaves it to the token (OAUTHBEARER). */
  readonly username: string
  readonly token: string
  readonly authorizeAs?: undefined
}

/** What the channel itself proves: the certificate of the connection's client (EXTERNAL). */
export interface ExternalCredentials {
  readonly kind: 'external'
  readonly mechanism: string
  /** As whom the client wants to act; empty where it leaves that to the certificate. */
  readonly username: string
  readonly authorizeAs?: undefined
}

/** Nobody in particular (ANONYMOUS). */
export interface AnonymousCredentials {
  readonly kind: 'anonymous'
  readonly mechanism: string
  /** Always empty. */
  readonly username: string
  /** What the client wants to have written down, often a mail address; may be empty. */
  readonly trace: string
  readonly authorizeAs?: undefined
}

/** The client has proven that it knows the secret that was looked up: CRAM-MD5, SCRAM. */
export interface ProvenCredentials {
  readonly kind: 'proven'
  readonly mechanism: string
  readonly username: string
  readonly authorizeAs?: string
}

/** The client has not proven it, or the name is nobody's. Asked all the same, for the host to count; it may only refuse. */
export interface RefutedCredentials {
  readonly kind: 'refuted'
  readonly mechanism: string
  readonly username: string
  readonly why: 'proof' | 'channel-binding'
  readonly authorizeAs?: undefined
}

/** A secret that an exchange needs before it can go on. */
export type SaslLookUp =
  | { readonly kind: 'scramKeys'; readonly mechanism: string; readonly username: string; readonly hash: ScramHash }
  | { readonly kind: 'password'; readonly mechanism: string; readonly username: string }

/** The secret that was looked up. */
export type SaslSecret = { readonly keys: ScramKeys } | { readonly password: string }

/** What a server-side exchange wants next. */
export type SaslStep =
  /** Send this to the client and give its answer to `respond`. */
  | { readonly kind: 'challenge'; readonly bytes: Uint8Array }
  /** Ask the host for a secret and give it to `found`. */
  | { readonly kind: 'lookUp'; readonly lookUp: SaslLookUp }
  /** Ask the host; its word ends the exchange, but for `refused`. */
  | { readonly kind: 'verify'; readonly credentials: Credentials }
  /** The client broke the mechanism's rules: the end. */
  | { readonly kind: 'malformed'; readonly why: string }

/** The server's side of one exchange. Pure: it waits for the client's and the host's words and says what comes next. */
export interface SaslExchange {
  /** The client's next words; `undefined` once at the start, where it sent none (no initial response). */
  respond(bytes: Uint8Array | undefined): SaslStep
  /** The secret that a `lookUp` step asked for; `undefined`: there is none, which the client must not learn before its proof. */
  found?(secret: SaslSecret | undefined): SaslStep
  /**
   * The host has refused the credentials for good: what the mechanism wants the client to be told before the protocol's own
   * failure. The client's answer to it means nothing.
   */
  refused?(): Uint8Array
}

/** A mechanism, server side. */
export interface SaslMechanism {
  /** As it is registered and advertised, upper case: `PLAIN`. */
  readonly name: string
  /** What crosses the wire lets everybody log in who sees it: offered over TLS only, unless the host says otherwise. */
  readonly plaintext: boolean
  /** The server speaks first: an initial response of the client's is an error (RFC 4954 §4, RFC 4959 §3). */
  readonly serverFirst?: boolean
  /** Whether it can be had on this channel. Absent: on any. */
  usable?(channel: SaslChannel): boolean
  /** Begins an exchange. */
  begin(channel: SaslChannel): SaslExchange
}

/** The step for words that break the rules. `why`: printable ASCII. */
export const malformed = (why: string): SaslStep => ({ kind: 'malformed', why })

/** What may be a name: not empty, no NUL, at most 255 octets of UTF-8. `octets` is its length on the wire. */
export const isName = (text: string, octets: number): boolean => text !== '' && octets <= 255 && !text.includes('\0')
