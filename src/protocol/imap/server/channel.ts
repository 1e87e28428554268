import type { SaslChannel } from '../../sasl/channel.ts'
import type { TlsFacts } from '../../session/tls.ts'

const open: SaslChannel = { secure: false, certified: false }
const secured: SaslChannel = { secure: true, certified: false }

/** What a SASL mechanism may know of the connection; of TLS without facts only that it is there. */
export function channelOf(secure: boolean, tls: TlsFacts | undefined): SaslChannel {
  if (!secure) return open
  if (tls === undefined) return secured
  const certified = tls.clientCertificate?.authorized ?? false
  return tls.channelBinding ? { secure, certified, binding: (type) => tls.channelBinding!(type) } : { secure, certified }
}
