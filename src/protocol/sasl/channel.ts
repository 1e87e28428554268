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

/** What a channel is known by: the part of the facts of TLS that mechanisms look at. */
interface ChannelFacts {
  readonly clientCertificate?: { readonly authorized: boolean }
  readonly channelBinding?: (type: ChannelBindingType) => Uint8Array | undefined
}

const open: SaslChannel = { secure: false, certified: false }
const secured: SaslChannel = { secure: true, certified: false }

/** What a mechanism may know of a connection; of TLS without facts only that it is there. */
export function channelOf(secure: boolean, tls: ChannelFacts | undefined): SaslChannel {
  if (!secure) return open
  if (tls === undefined) return secured
  const certified = tls.clientCertificate?.authorized ?? false
  return tls.channelBinding ? { secure, certified, binding: (type) => tls.channelBinding!(type) } : { secure, certified }
}
