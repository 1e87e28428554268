import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'

/**
 * Octets that an established TLS connection can be told by, or the certificate of its server; `undefined` where there are none.
 * `isServer`: that server is us.
 */
export function channelBinding(
  secure: TLSSocket,
  type: 'tls-exporter' | 'tls-server-end-point',
  isServer = true,
): Uint8Array | undefined {
  try {
    if (type === 'tls-exporter') return exporter(secure)
    return endPoint(isServer ? secure.getX509Certificate()?.raw : secure.getPeerCertificate().raw)
  } catch {
    // The connection is gone, and with it what could be bound to.
    return undefined
  }
}

/** RFC 9266 §2. Before TLS 1.3 it takes an extended master secret (§3), of which Node tells nothing. */
function exporter(secure: TLSSocket): Uint8Array | undefined {
  if (secure.getProtocol() !== 'TLSv1.3') return undefined
  return secure.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
}

/** RFC 5929 §4.1: the server's certificate, hashed as its signature is. */
function endPoint(certificate: Uint8Array | undefined): Uint8Array | undefined {
  if (certificate === undefined) return undefined
  const hash = signatureHash(certificate)
  return hash === undefined ? undefined : createHash(hash).update(certificate).digest()
}

/** Signature algorithms by their object identifiers, in hex. RFC 5929 §4.1: SHA-256 stands for MD5 and SHA-1. */
const hashes = new Map([
  // sha…WithRSAEncryption
  ['2a864886f70d010104', 'sha256'],
  ['2a864886f70d010105', 'sha256'],
  ['2a864886f70d01010e', 'sha224'],
  ['2a864886f70d01010b', 'sha256'],
  ['2a864886f70d01010c', 'sha384'],
  ['2a864886f70d01010d', 'sha512'],
  // ecdsa-with-…
  ['2a8648ce3d0401', 'sha256'],
  ['2a8648ce3d040301', 'sha224'],
  ['2a8648ce3d040302', 'sha256'],
  ['2a8648ce3d040303', 'sha384'],
  ['2a8648ce3d040304', 'sha512'],
  // id-sha…, as RSASSA-PSS names them
  ['2b0e03021a', 'sha256'],
  ['608648016503040204', 'sha224'],
  ['608648016503040201', 'sha256'],
  ['608648016503040202', 'sha384'],
  ['608648016503040203', 'sha512'],
])

const PSS = '2a864886f70d01010a'

/**
 * The hash of a certificate's signature, by Node's name; `undefined` for a signature that has none of its own, such as Ed25519:
 * RFC 5929 says nothing of those. The certificate is one that Node has parsed.
 */
export function signatureHash(certificate: Uint8Array): string | undefined {
  const whole = element(certificate, 0)
  const toSign = element(certificate, whole.from)
  const algorithm = element(certificate, toSign.to)
  const id = element(certificate, algorithm.from)
  const name = hexAt(certificate, id)
  if (name !== PSS) return hashes.get(name)
  // RFC 4055 §3.1: SEQUENCE { [0] SEQUENCE { id of the hash, … } DEFAULT SHA-1, … }
  const parameters = element(certificate, id.to)
  const first = element(certificate, parameters.from)
  if (parameters.from === parameters.to || certificate[parameters.from] !== 0xa0) return 'sha256'
  const hash = element(certificate, first.from)
  return hashes.get(hexAt(certificate, element(certificate, hash.from)))
}

/**
 * The public key of a certificate as it stands there, algorithm and all (RFC 5280 §4.1.2.7): what TLSA records with selector 1
 * are about. The certificate is one that Node has parsed.
 */
export function publicKeyOctets(certificate: Uint8Array): Uint8Array {
  const toSign = element(certificate, element(certificate, 0).from)
  let at = toSign.from
  // Behind the version, which has a tag of its own, come serial number, algorithm, issuer, validity and subject.
  if (certificate[at] === 0xa0) at = element(certificate, at).to
  for (let passed = 0; passed < 5; passed++) at = element(certificate, at).to
  return certificate.subarray(at, element(certificate, at).to)
}

/** Where the contents of an element of DER begin and end (X.690 §8.1). */
function element(der: Uint8Array, at: number): { readonly from: number; readonly to: number } {
  const short = der[at + 1] ?? 0
  if (short < 128) return { from: at + 2, to: at + 2 + short }
  let length = 0
  for (let i = 0; i < (short & 127); i++) length = length * 256 + (der[at + 2 + i] ?? 0)
  const from = at + 2 + (short & 127)
  return { from, to: from + length }
}

const hexAt = (der: Uint8Array, { from, to }: { readonly from: number; readonly to: number }): string =>
  Buffer.from(der.subarray(from, to)).toString('hex')
