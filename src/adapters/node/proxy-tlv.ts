/** The type-length-value fields of a PROXY header, version 2 (§2.2 of the specification). */

/** What the proxy says of the TLS connection that it ended (§2.2.5). */
export interface ProxyTls {
  /** `TLSv1.3`, as the proxy spells it. */
  readonly version?: string
  /** As the proxy spells it; HAProxy gives OpenSSL's name. */
  readonly cipher?: string
  /** The client showed a certificate, on this connection or on the session it resumed. */
  readonly certificate: boolean
  /** The certificate was verified. */
  readonly verified: boolean
  /** Common name of the client certificate's subject. */
  readonly commonName?: string
}

/** The TLVs that we know. Others are ignored, as the specification wants. */
export interface ProxyTlvs {
  readonly alpn?: string
  /** The host name the client asked for (SNI). */
  readonly authority?: string
  /** Up to 128 octets that name the connection. */
  readonly uniqueId?: Uint8Array
  /** Network name space. */
  readonly namespace?: string
  /** Present when the client spoke TLS to the proxy. */
  readonly tls?: ProxyTls
}

/** TLVs and, where there is one, the checksum with the offset of its value in the TLV block. */
export interface TlvBlock {
  readonly known: ProxyTlvs
  readonly checksum?: { readonly at: number; readonly value: number }
}

/** TLV types of §2.2. */
export const tlv = {
  alpn: 0x01, authority: 0x02, crc32c: 0x03, uniqueId: 0x05, ssl: 0x20,
  sslVersion: 0x21, sslCommonName: 0x22, sslCipher: 0x23, namespace: 0x30,
} as const

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Reads all TLVs of a block; `undefined` when one overruns it. The first of each type counts. */
export function readTlvs(block: Uint8Array): TlvBlock | undefined {
  const fields = split(block)
  if (fields === undefined) return undefined
  const known: Writable<ProxyTlvs> = {}
  const alpn = text(block, fields.get(tlv.alpn))
  const authority = text(block, fields.get(tlv.authority))
  const namespace = text(block, fields.get(tlv.namespace))
  const uniqueId = fields.get(tlv.uniqueId)
  if (alpn !== undefined) known.alpn = alpn
  if (authority !== undefined) known.authority = authority
  if (namespace !== undefined) known.namespace = namespace
  if (uniqueId !== undefined && uniqueId.end - uniqueId.start <= 128) {
    known.uniqueId = new Uint8Array(block.subarray(uniqueId.start, uniqueId.end))
  }
  const ssl = fields.get(tlv.ssl)
  if (ssl !== undefined) {
    const tls = readSsl(block.subarray(ssl.start, ssl.end))
    if (tls === undefined) return undefined
    if (tls !== 'none') known.tls = tls
  }
  const checksum = fields.get(tlv.crc32c)
  if (checksum === undefined) return { known }
  if (checksum.end - checksum.start !== 4) return undefined
  return { known, checksum: { at: checksum.start, value: uint32(block, checksum.start) } }
}

interface Extent {
  readonly start: number
  readonly end: number
}

function split(block: Uint8Array): Map<number, Extent> | undefined {
  const fields = new Map<number, Extent>()
  let at = 0
  while (at < block.length) {
    if (at + 3 > block.length) return undefined
    const type = block[at] as number
    const start = at + 3
    const end = start + ((block[at + 1] as number) << 8 | (block[at + 2] as number))
    if (end > block.length) return undefined
    if (!fields.has(type)) fields.set(type, { start, end })
    at = end
  }
  return fields
}

/** §2.2.5: a byte of flags, four of the verification result (0: verified), then TLVs of their own. */
function readSsl(value: Uint8Array): ProxyTls | 'none' | undefined {
  if (value.length < 5) return undefined
  const flags = value[0] as number
  if ((flags & 0x01) === 0) return 'none'
  const fields = split(value.subarray(5))
  if (fields === undefined) return undefined
  const inner = value.subarray(5)
  const certificate = (flags & 0x06) !== 0
  const tls: Writable<ProxyTls> = { certificate, verified: certificate && uint32(value, 1) === 0 }
  const version = text(inner, fields.get(tlv.sslVersion))
  const cipher = text(inner, fields.get(tlv.sslCipher))
  const commonName = text(inner, fields.get(tlv.sslCommonName))
  if (version !== undefined) tls.version = version
  if (cipher !== undefined) tls.cipher = cipher
  if (commonName !== undefined) tls.commonName = commonName
  return tls
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** A text of the field. The common name comes from the client in the end: with control characters in it, it is not taken over. */
function text(block: Uint8Array, field: Extent | undefined): string | undefined {
  if (field === undefined || field.start === field.end) return undefined
  const bytes = block.subarray(field.start, field.end)
  return bytes.some((octet) => octet < 0x20 || octet === 0x7f) ? undefined : decoder.decode(bytes)
}

function uint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at)
}

/** CRC-32C (Castagnoli), reflected; RFC 3720 appendix B.4. */
const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1
  return crc
})

/** CRC-32C of `bytes`, taking the four octets from `hole` on (where the checksum itself stands) as zero. */
export function crc32c(bytes: Uint8Array, hole = -4): number {
  let crc = 0xffff_ffff
  for (let i = 0; i < bytes.length; i++) {
    const octet = i >= hole && i < hole + 4 ? 0 : (bytes[i] as number)
    crc = (crc >>> 8) ^ (table[(crc ^ octet) & 0xff] as number)
  }
  return (crc ^ 0xffff_ffff) >>> 0
}
