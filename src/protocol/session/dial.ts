import { MailError } from './errors.ts'
import type { Transport } from './transport.ts'

/** A TLSA record (RFC 6698 §2.1), from an answer that DNSSEC has proven. */
export interface TlsaRecord {
  /** 0 and 1 (PKIX-TA, PKIX-EE) are nothing to SMTP (RFC 7672 §3.1.3), 2 is DANE-TA, 3 is DANE-EE. */
  readonly usage: number
  /** 0: the whole certificate; 1: its public key. */
  readonly selector: number
  /** 0: as it is; 1: SHA-256; 2: SHA-512. */
  readonly matching: number
  readonly data: Uint8Array
}

/** What a client demands of a server when it secures a connection. */
export interface TlsDemand {
  /**
   * Whether the server has to prove who it is. `none`: encrypted, to whomever (RFC 7435); `pkix`: a certificate for one of its
   * names, from an authority that is trusted; `tlsa`: one that fits a record (RFC 7672). Where none of the records says anything
   * of SMTP, that is as `none` (§2.2).
   */
  readonly trust: 'none' | 'pkix' | { readonly tlsa: readonly TlsaRecord[] }
  /** The name that the server is asked for (SNI), and that its certificate is to bear. Absent: none is sent. */
  readonly serverName?: string | undefined
  /** Names that will do as well as `serverName`. */
  readonly names?: readonly string[]
  /** Authorities to trust in place of those that the platform does; PEM. */
  readonly ca?: readonly string[]
  /** Default `TLSv1.2`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
  /** What we show of ourselves where the server asks; PEM. */
  readonly certificate?: { readonly chain: string; readonly key: string }
}

/** Where to connect to, and how. */
export interface DialTarget {
  /** An IP address. Nothing is looked up. */
  readonly host: string
  readonly port: number
  /** Octets go to this unix socket instead; `host` and `port` are but names then. */
  readonly path?: string
  /** The address to come from. */
  readonly localAddress?: string | undefined
  /** TLS before the first octet; otherwise only when the transport's `startTls` is called. */
  readonly implicitTls?: boolean
  /** Absent: `startTls` is a misuse. */
  readonly tls?: TlsDemand
}

/**
 * Connects. Resolves with a transport that nothing was read from; its `startTls` makes it the client's side of TLS. With
 * `implicitTls`, when the handshake is done: `peer.tls` tells of it. Rejects where there is no connection to be had, with a
 * {@link TlsFailure} where TLS is the reason; with the signal's reason when that aborts. How long it may take is for the
 * caller to say, by the signal. A transport whose handshake fails later breaks with a {@link TlsFailure}.
 */
export type Dial = (target: DialTarget, signal: AbortSignal) => Promise<Transport>

/**
 * Why TLS with a server came to nothing, in the words of RFC 8460 §4.3. `validation-failure`: anything else, from no cipher in
 * common to a connection that breaks in the handshake.
 */
export type TlsFailureReason =
  | 'certificate-host-mismatch'
  | 'certificate-expired'
  | 'certificate-not-trusted'
  | 'tlsa-invalid'
  | 'validation-failure'

/** TLS with a server came to nothing. */
export class TlsFailure extends MailError {
  readonly reason: TlsFailureReason

  constructor(reason: TlsFailureReason, message: string, options?: { cause?: unknown }) {
    super('peer', message, options)
    this.name = 'TlsFailure'
    this.reason = reason
  }
}
