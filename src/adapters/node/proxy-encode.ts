import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'
import { MailError } from '../../protocol/session/errors.ts'
import { crc32c, tlv } from './proxy-tlv.ts'
import { signature } from './proxy.ts'
import type { ProxyHeader } from './proxy.ts'

/**
 * The header as it goes on the wire, before anything else. Version 2 carries a checksum; version 1 only addresses, and `local` is
 * a client that it does not know.
 * Throws a `misuse` MailError when it cannot be said: ends of two families, a field that is too long.
 */
export function encodeProxyHeader(header: ProxyHeader): Uint8Array {
  return header.version === 1 ? encodeLine(header) : encodeBinary(header)
}

function encodeLine({ command, source, destination }: ProxyHeader): Uint8Array {
  if (command === 'local' || source === undefined || destination === undefined) return Buffer.from('PROXY UNKNOWN\r\n', 'latin1')
  const family = bothOf(source.address, destination.address) === 4 ? 'TCP4' : 'TCP6'
  const line = `PROXY ${family} ${source.address} ${destination.address} ${source.port} ${destination.port}\r\n`
  return Buffer.from(line, 'latin1')
}

function encodeBinary(header: ProxyHeader): Uint8Array {
  if (header.command === 'local') return Buffer.from([...signature, 0x20, 0x00, 0, 0])
  const { source, destination } = header
  const addresses: number[] = []
  let family = 0x31
  if (source === undefined || destination === undefined) addresses.push(...new Uint8Array(216))
  else {
    family = bothOf(source.address, destination.address) === 4 ? 0x11 : 0x21
    addresses.push(...ipaddr.parse(source.address).toByteArray(), ...ipaddr.parse(destination.address).toByteArray())
    addresses.push(source.port >> 8, source.port & 255, destination.port >> 8, destination.port & 255)
  }
  const body = Buffer.concat([Buffer.from(addresses), ...encodeTlvs(header), field(tlv.crc32c, Buffer.alloc(4))])
  const head = Buffer.from([...signature, 0x21, family, body.length >> 8, body.length & 255])
  const whole = Buffer.concat([head, body])
  // §2.2.3: computed over the whole header with the checksum itself as zero.
  whole.writeUInt32BE(crc32c(whole), whole.length - 4)
  return whole
}

function encodeTlvs({ alpn, authority, uniqueId, namespace, tls }: ProxyHeader): Buffer[] {
  const fields: Buffer[] = []
  if (alpn !== undefined) fields.push(field(tlv.alpn, Buffer.from(alpn)))
  if (authority !== undefined) fields.push(field(tlv.authority, Buffer.from(authority)))
  if (uniqueId !== undefined) fields.push(field(tlv.uniqueId, Buffer.from(uniqueId)))
  if (tls !== undefined) {
    const flags = 0x01 | (tls.certificate ? 0x02 : 0)
    const inner: Buffer[] = [Buffer.from([flags, 0, 0, 0, tls.verified ? 0 : 1])]
    if (tls.version !== undefined) inner.push(field(tlv.sslVersion, Buffer.from(tls.version)))
    if (tls.commonName !== undefined) inner.push(field(tlv.sslCommonName, Buffer.from(tls.commonName)))
    if (tls.cipher !== undefined) inner.push(field(tlv.sslCipher, Buffer.from(tls.cipher)))
    fields.push(field(tlv.ssl, Buffer.concat(inner)))
  }
  if (namespace !== undefined) fields.push(field(tlv.namespace, Buffer.from(namespace)))
  return fields
}

function field(type: number, value: Buffer): Buffer {
  if (value.length > 0xffff) throw new MailError('misuse', 'a field of a PROXY header takes at most 65535 octets')
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), value])
}

function bothOf(source: string, destination: string): 4 | 6 {
  if (isIPv4(source) && isIPv4(destination)) return 4
  if (isIPv6(source) && isIPv6(destination)) return 6
  throw new MailError('misuse', `a PROXY header takes two addresses of one family, not "${source}" and "${destination}"`)
}
