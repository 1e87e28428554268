import type { TlsFacts } from '../../protocol/session/tls.ts'
import type { Peer } from '../../protocol/session/transport.ts'
import { serverName } from './addresses.ts'
import type { ProxyHeader } from './proxy.ts'

/** Nothing is known of it but that it is there. */
const someTls: TlsFacts = { protocol: '', cipher: '' }

/**
 * Who the client is, as the proxy at the other end of the socket (`socket`) says. `secure`: the proxy is known to end TLS,
 * whether its header says so or not.
 */
export function proxiedPeer(header: ProxyHeader, socket: Peer, secure: boolean): Peer {
  if (header.command === 'local') return socket
  const peer = {
    address: header.source?.address,
    port: header.source?.port,
    localAddress: header.destination?.address,
    localPort: header.destination?.port,
    proxy: socket.address ?? 'unix',
  }
  const tls = tlsFacts(header) ?? (secure ? someTls : undefined)
  return tls === undefined ? peer : { ...peer, tls }
}

function tlsFacts({ tls, authority, alpn }: ProxyHeader): TlsFacts | undefined {
  if (tls === undefined) return undefined
  const facts: { -readonly [K in keyof TlsFacts]: TlsFacts[K] } = {
    protocol: tls.version ?? '',
    cipher: standardCipher(tls.cipher ?? ''),
  }
  const name = serverName(authority ?? '')
  if (authority !== undefined && name !== undefined) facts.serverName = name
  if (alpn !== undefined) facts.alpn = alpn
  // The header tells the subject alone: without names and fingerprint it cannot be mistaken for one of our own handshake.
  if (tls.certificate && tls.commonName !== undefined) {
    facts.clientCertificate = { authorized: tls.verified, subject: `CN=${tls.commonName}`, fingerprint: '', names: [] }
  }
  return facts
}

const suites = new Map([
  ['AES128-GCM-SHA256', 'AES_128_GCM_SHA256'],
  ['AES256-GCM-SHA384', 'AES_256_GCM_SHA384'],
  ['CHACHA20-POLY1305', 'CHACHA20_POLY1305_SHA256'],
  ['AES128-SHA256', 'AES_128_CBC_SHA256'],
  ['AES256-SHA384', 'AES_256_CBC_SHA384'],
  ['AES128-SHA', 'AES_128_CBC_SHA'],
  ['AES256-SHA', 'AES_256_CBC_SHA'],
])

/** The IANA name of a suite that OpenSSL names `ECDHE-RSA-AES128-GCM-SHA256`. From TLS 1.3 on they are the same; others stay. */
function standardCipher(name: string): string {
  const exchange = ['ECDHE-ECDSA-', 'ECDHE-RSA-', 'DHE-RSA-'].find((prefix) => name.startsWith(prefix))
  if (exchange === undefined) return name
  const suite = suites.get(name.slice(exchange.length))
  return suite === undefined ? name : `TLS_${exchange.slice(0, -1).replaceAll('-', '_')}_WITH_${suite}`
}
