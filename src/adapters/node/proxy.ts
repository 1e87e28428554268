/*
 * The PROXY protocol, versions 1 and 2: what a load balancer says of the client before the client's first byte.
 * https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt (section numbers below are its own)
 *
 * Pure. `parseProxyHeader` looks at everything received so far and says: more, bad, or a header and its length. It decides
 * from left to right, so that it comes to the same end however the bytes were cut.
 */
import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'
import { plainAddress } from './addresses.ts'
import { crc32c, readTlvs } from './proxy-tlv.ts'
import type { ProxyTlvs } from './proxy-tlv.ts'

/** One end of the proxied connection. */
export interface ProxyEndpoint {
  /** An IP address in canonical text. */
  readonly address: string
  /** 0 to 65535. */
  readonly port: number
}

/** What a PROXY header says. */
export interface ProxyHeader extends ProxyTlvs {
  readonly version: 1 | 2
  /** `local`: the proxy speaks for itself (a health check), and the socket's own addresses hold. Version 1 cannot say so. */
  readonly command: 'proxy' | 'local'
  /** The client. Absent with `local`, and where the proxy cannot name it: one on a unix socket, or unknown. */
  readonly source?: ProxyEndpoint
  /** Where the client connected to. */
  readonly destination?: ProxyEndpoint
}

/** `more`: the header is not complete. `bad`: no (acceptable) header; close the connection. `length`: octets of the header. */
export type ProxyParse =
  | { readonly kind: 'more' }
  | { readonly kind: 'bad'; readonly why: string }
  | { readonly kind: 'header'; readonly header: ProxyHeader; readonly length: number }

/** §2.2: a constant that no text protocol and no TLS record can begin with. */
export const signature = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a)
const prefix = Uint8Array.of(0x50, 0x52, 0x4f, 0x58, 0x59, 0x20) // "PROXY "

/** §2.1: the longest line, CRLF included. */
const longestV1 = 107
/** Octets of a version 2 header at most, unless the caller says otherwise: room for a client certificate's worth of TLVs. */
const longestV2 = 2048

const more: ProxyParse = { kind: 'more' }
const bad = (why: string): ProxyParse => ({ kind: 'bad', why })

/** Reads the header at the start of `bytes`, everything that has been received so far. Never throws. */
export function parseProxyHeader(bytes: Uint8Array, longest = longestV2): ProxyParse {
  if (startsLike(bytes, prefix)) return bytes.length < prefix.length ? more : parseLine(bytes)
  if (startsLike(bytes, signature)) return bytes.length < 16 ? more : parseBinary(bytes, longest)
  return bad('the connection does not begin with a PROXY header')
}

function startsLike(bytes: Uint8Array, start: Uint8Array): boolean {
  const known = Math.min(bytes.length, start.length)
  for (let i = 0; i < known; i++) if (bytes[i] !== start[i]) return false
  return true
}

/** §2.1 */
function parseLine(bytes: Uint8Array): ProxyParse {
  const end = lineEnd(bytes)
  if (end < 0) return bytes.length < longestV1 ? more : bad('version 1 header longer than 107 octets')
  const fields = String.fromCharCode(...bytes.subarray(prefix.length, end)).split(' ')
  const length = end + 2
  // "the receiver must ignore anything presented before the CRLF is found"
  // Some client, not known to be any better than others: to take the proxy's address for its own would let it pass for local.
  if (fields[0] === 'UNKNOWN') return { kind: 'header', header: { version: 1, command: 'proxy' }, length }
  const isAddress = fields[0] === 'TCP4' ? isIPv4 : fields[0] === 'TCP6' ? isIPv6 : undefined
  if (isAddress === undefined || fields.length !== 5) return bad('malformed version 1 header')
  const [, from = '', to = '', fromPort = '', toPort = ''] = fields
  if (!isAddress(from) || !isAddress(to) || !isPort(fromPort) || !isPort(toPort)) return bad('malformed version 1 header')
  const source = { address: canonical(from), port: Number(fromPort) }
  const destination = { address: canonical(to), port: Number(toPort) }
  return { kind: 'header', header: { version: 1, command: 'proxy', source, destination }, length }
}

function lineEnd(bytes: Uint8Array): number {
  const last = Math.min(bytes.length, longestV1) - 1
  for (let i = prefix.length; i < last; i++) if (bytes[i] === 0x0d && bytes[i + 1] === 0x0a) return i
  return -1
}

/** §2.1: decimal, 0 to 65535, no leading zero. */
function isPort(text: string): boolean {
  if (text.length === 0 || text.length > 5 || (text.length > 1 && text[0] === '0')) return false
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i)
    if (digit < 0x30 || digit > 0x39) return false
  }
  return Number(text) <= 65535
}

/** One text per address (RFC 5952), IPv4-mapped as IPv4, so that limits by address cannot be slipped by spelling. */
function canonical(address: string): string {
  return isIPv4(address) ? address : ipaddr.process(plainAddress(address) ?? address).toString()
}

/** §2.2: octets of the two addresses and ports, by address family. UNIX paths are of no use to mail. */
const families = new Map([[0x11, 12], [0x21, 36], [0x31, 216]])

/** §2.2; `bytes` holds 16 octets at least. */
function parseBinary(bytes: Uint8Array, longest: number): ProxyParse {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const command = view.getUint8(12)
  const family = view.getUint8(13)
  const length = 16 + view.getUint16(14)
  if (command !== 0x20 && command !== 0x21) return bad('unknown version or command in a version 2 header')
  if (length > longest) return bad(`version 2 header longer than ${longest} octets`)
  if (bytes.length < length) return more
  // LOCAL: "the receiver must [...] discard the protocol block including the family which is ignored"; UNSPEC: no facts.
  if (command === 0x20) return { kind: 'header', header: { version: 2, command: 'local' }, length }
  if (family === 0) return { kind: 'header', header: { version: 2, command: 'proxy' }, length }
  const octets = families.get(family)
  if (octets === undefined) return bad('unsupported address family in a version 2 header')
  if (length < 16 + octets) return bad('version 2 header shorter than its addresses')
  const tlvs = readTlvs(bytes.subarray(16 + octets, length))
  if (tlvs === undefined) return bad('malformed TLV in a version 2 header')
  // §2.2.3: "if the [CRC-32c] does not match [...] the receiver must abort"
  if (tlvs.checksum !== undefined && tlvs.checksum.value !== crc32c(bytes.subarray(0, length), 16 + octets + tlvs.checksum.at)) {
    return bad('version 2 header with a wrong checksum')
  }
  const ends = family === 0x31 ? {} : readEndpoints(view, family === 0x11 ? 4 : 16)
  return { kind: 'header', header: { version: 2, command: 'proxy', ...ends, ...tlvs.known }, length }
}

function readEndpoints(view: DataView, octets: 4 | 16): { source: ProxyEndpoint; destination: ProxyEndpoint } {
  const address = (at: number): string => {
    const raw = Array.from({ length: octets }, (_, i) => view.getUint8(at + i))
    return canonical(ipaddr.fromByteArray(raw).toString())
  }
  return {
    source: { address: address(16), port: view.getUint16(16 + 2 * octets) },
    destination: { address: address(16 + octets), port: view.getUint16(18 + 2 * octets) },
  }
}
