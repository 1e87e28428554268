/** What is known of an established TLS connection. */
export interface TlsFacts {
  /** `TLSv1.2`, `TLSv1.3`. */
  readonly protocol: string
  /** The IANA (standard) name of the cipher suite. */
  readonly cipher: string
  /** The server name the client asked for (SNI), lower case. */
  readonly serverName?: string
  readonly alpn?: string
  /**
   * Octets that tell this connection from any other (RFC 9266) or the server's certificate from any other (RFC 5929); `undefined`
   * where there are none of that type. Computed when asked for. Absent where nobody can tell, as behind a proxy that ended TLS.
   */
  readonly channelBinding?: (type: 'tls-exporter' | 'tls-server-end-point') => Uint8Array | undefined
  /**
   * On the client's side: what the server's certificate was found to satisfy, where something was demanded of it: names and
   * authorities, or TLSA records.
   */
  readonly serverTrust?: 'pkix' | 'tlsa'
  /** Present when the client sent a certificate; `authorized` tells whether a configured CA signed it. */
  readonly clientCertificate?: ClientCertificate
}

/** What a client's certificate says of it. */
export interface ClientCertificate {
  readonly authorized: boolean
  readonly subject: string
  /** SHA-256 of the certificate, lower-case hex without colons; empty where a proxy ended TLS and told the subject alone. */
  readonly fingerprint: string
  /** DNS names (lower case) and mail addresses among its alternative names. */
  readonly names: readonly string[]
}
