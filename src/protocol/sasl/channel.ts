/** Ways to tell a TLS channel by (RFC 9266, RFC 5929). `tls-unique` is not among them: TLS 1.3 does not define it. */
export type ChannelBindingType = 'tls-exporter' | 'tls-server-end-point'

/** What a mechanism may know of the channel it runs in. */
export interface SaslChannel {
  /** Encrypted. */
  readonly secure: boolean
  /** The client has shown a certificate that a configured CA signed. */
  readonly certified: boolean
  /** What tells this channel from others; `undefined` where it has nothing of the type. Absent: it cannot be bound to. */
  readonly binding?: (type: ChannelBindingType) => Uint8Array | undefined
}
