/** What a SASL exchange asks the host to judge. */
export type Credentials = PasswordCredentials

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

/** What a server-side exchange wants next. */
export type SaslStep =
  /** Send this to the client and give its answer to `respond`. */
  | { readonly kind: 'challenge'; readonly bytes: Uint8Array }
  /** Ask the host; its word ends the exchange. */
  | { readonly kind: 'verify'; readonly credentials: Credentials }
  /** The client broke the mechanism's rules. */
  | { readonly kind: 'malformed'; readonly why: string }

/** The server's side of one exchange. Pure: it waits for the client's words and says what comes next. */
export interface SaslExchange {
  /** The client's next words; `undefined` once at the start, where it sent none (no initial response). */
  respond(bytes: Uint8Array | undefined): SaslStep
}

/** A mechanism, server side. */
export interface SaslMechanism {
  /** As it is registered and advertised, upper case: `PLAIN`. */
  readonly name: string
  /** The password crosses the wire in the clear: offered over TLS only, unless the host says otherwise. */
  readonly plaintext: boolean
  /** Begins an exchange. */
  begin(): SaslExchange
}

/** The step for words that break the rules. */
export const malformed = (why: string): SaslStep => ({ kind: 'malformed', why })
