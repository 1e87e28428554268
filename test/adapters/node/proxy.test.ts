import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeProxyHeader, parseProxyHeader } from '../../../src/adapters/node/index.ts'
import type { ProxyHeader, ProxyParse } from '../../../src/adapters/node/index.ts'
import { crc32c } from '../../../src/adapters/node/proxy-tlv.ts'

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const signature = [0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
const v2 = (command: number, family: number, body: readonly number[], length = body.length): Uint8Array =>
  Uint8Array.from([...signature, command, family, length >> 8, length & 255, ...body])
const tcp4 = [192, 0, 2, 1, 198, 51, 100, 2, 0x30, 0x39, 0, 25]
const doc6 = (last: number): number[] => [0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), last]
const tcp6 = [...doc6(1), ...doc6(2), 0x30, 0x39, 0, 25]
const mapped = [...Array(10).fill(0), 255, 255, 192, 0, 2, 1, ...Array(10).fill(0), 255, 255, 198, 51, 100, 2, 1, 0, 0, 25]

/** Feeds octet by octet, as slowly as a peer can. */
function drip(bytes: Uint8Array): ProxyParse {
  for (let length = 0; length <= bytes.length; length++) {
    const parsed = parseProxyHeader(bytes.subarray(0, length))
    if (parsed.kind !== 'more') return parsed
  }
  return { kind: 'more' }
}

describe('PROXY version 1', () => {
  it.each([
    ['PROXY TCP4 192.0.2.1 198.51.100.2 12345 25\r\n', '192.0.2.1', 12345, '198.51.100.2', 25],
    ['PROXY TCP6 2001:db8::1 2001:db8::2 65535 0\r\n', '2001:db8::1', 65535, '2001:db8::2', 0],
    ['PROXY TCP6 2001:0db8:0:0::0001 ::1 1 25\r\n', '2001:db8::1', 1, '::1', 25],
    ['PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.2 1 25\r\n', '192.0.2.1', 1, '198.51.100.2', 25],
    [`PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`,
      `${'ffff:'.repeat(7)}ffff`, 65535, `${'ffff:'.repeat(7)}ffff`, 65535],
  ])('reads %j', (line, address, port, toAddress, toPort) => {
    const parsed = parseProxyHeader(latin1(`${line}EHLO x\r\n`))
    const header = { version: 1, command: 'proxy', source: { address, port }, destination: { address: toAddress, port: toPort } }
    expect(parsed).toEqual({ kind: 'header', header, length: line.length })
    expect(drip(latin1(line))).toEqual(parsed)
  })

  it.each([
    'PROXY UNKNOWN\r\n',
    'PROXY UNKNOWN whatever \x00\xff goes\r\n',
    `PROXY UNKNOWN ${'x'.repeat(91)}\r\n`,
  ])('hears of a client that is not named in %j', (line) => {
    const header = { version: 1, command: 'proxy' }
    expect(parseProxyHeader(latin1(line))).toEqual({ kind: 'header', header, length: line.length })
  })

  it.each([
    '', '\r\n', 'P', 'PROXY', 'PROXY ', 'PROXY TCP4 192.0.2.1', 'PROXY TCP4 192.0.2.1 198.51.100.2 12345 25\r',
    `PROXY UNKNOWN ${'x'.repeat(92)}`,
  ])('waits for more after %j', (start) => {
    expect(parseProxyHeader(latin1(start))).toEqual({ kind: 'more' })
  })

  it.each([
    'EHLO example.org\r\n', ' PROXY', '\r\n\r\n\r', 'PROXY\r\n', '\x16\x03\x01\x02\x00\x01',
    'proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n',
    'PROXY \r\n',
    'PROXY TCP4\r\n',
    'PROXY TCP5 192.0.2.1 198.51.100.2 1 2\r\n',
    'PROXY UNKNOWNS\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 1 2 \r\n',
    'PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 1 65536\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 -1 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 1 0x19\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n\r\n',
    'PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n',
    'PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n',
    'PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n',
    'PROXY TCP4 192.0.2.01 198.51.100.2 1 2\r\n',
    'PROXY TCP4 192.0.2 198.51.100.2 1 2\r\n',
    `PROXY UNKNOWN ${'x'.repeat(93)}`,
    `PROXY UNKNOWN ${'x'.repeat(92)}\r\n`,
  ])('refuses %j', (line) => {
    expect(parseProxyHeader(latin1(line)).kind).toBe('bad')
    expect(drip(latin1(line)).kind).toBe('bad')
  })
})

describe('PROXY version 2', () => {
  const of = (address: string, port: number, toAddress: string): object => ({
    version: 2, command: 'proxy', source: { address, port }, destination: { address: toAddress, port: 25 },
  })
  const ends4 = of('192.0.2.1', 12345, '198.51.100.2')

  it.each<readonly [string, Uint8Array, object]>([
    ['TCP over IPv4', v2(0x21, 0x11, tcp4), ends4],
    ['TCP over IPv6', v2(0x21, 0x21, tcp6), of('2001:db8::1', 12345, '2001:db8::2')],
    ['IPv4 in IPv6', v2(0x21, 0x21, mapped), of('192.0.2.1', 256, '198.51.100.2')],
    ['a unix socket', v2(0x21, 0x31, Array(216).fill(0x2f)), { version: 2, command: 'proxy' }],
    ['an unspecified family', v2(0x21, 0, [1, 2, 3]), { version: 2, command: 'proxy' }],
    ['LOCAL', v2(0x20, 0, []), { version: 2, command: 'local' }],
    ['LOCAL with an address and nonsense', v2(0x20, 0x99, [...tcp4, 3, 0, 4, 0, 0, 0, 0]), { version: 2, command: 'local' }],
    ['unknown TLVs and padding', v2(0x21, 0x11, [...tcp4, 4, 0, 2, 0, 0, 0xee, 0, 1, 9]), ends4],
    ['ALPN, authority, unique id, name space', v2(0x21, 0x11,
      [...tcp4, 1, 0, 4, ...latin1('imap'), 2, 0, 4, ...latin1('mx.x'), 5, 0, 2, 0, 255, 0x30, 0, 3, ...latin1('ns1')]),
    { ...ends4, alpn: 'imap', authority: 'mx.x', uniqueId: Uint8Array.of(0, 255), namespace: 'ns1' }],
    ['the first of doubled TLVs', v2(0x21, 0x11, [...tcp4, 2, 0, 1, 0x61, 2, 0, 1, 0x62]),
      { ...ends4, authority: 'a' }],
    ['TLS with a verified certificate', v2(0x21, 0x11, [...tcp4, 0x20, 0, 22, 7, 0, 0, 0, 0,
      0x21, 0, 7, ...latin1('TLSv1.3'), 0x22, 0, 4, ...latin1('Eve!')]),
    { ...ends4, tls: { version: 'TLSv1.3', commonName: 'Eve!', certificate: true, verified: true } }],
    ['TLS with a certificate that was not verified', v2(0x21, 0x11, [...tcp4, 0x20, 0, 5, 3, 0, 0, 0, 1]),
      { ...ends4, tls: { certificate: true, verified: false } }],
    ['TLS without a certificate, which cannot have been verified', v2(0x21, 0x11, [...tcp4, 0x20, 0, 5, 1, 0, 0, 0, 0]),
      { ...ends4, tls: { certificate: false, verified: false } }],
    ['an SSL TLV that says no TLS', v2(0x21, 0x11, [...tcp4, 0x20, 0, 5, 0, 0, 0, 0, 0]), ends4],
    ['a common name with a line break, which is left out',
      v2(0x21, 0x11, [...tcp4, 0x20, 0, 11, 3, 0, 0, 0, 0, 0x22, 0, 3, 0x61, 0x0a, 0x62]),
      { ...ends4, tls: { certificate: true, verified: true } }],
    ['a unique id that is too long, which is left out', v2(0x21, 0x11, [...tcp4, 5, 0, 129, ...Array(129).fill(1)]),
      ends4],
  ])('reads %s', (_, bytes, header) => {
    const parsed = parseProxyHeader(Buffer.concat([bytes, latin1('EHLO x\r\n')]))
    expect(parsed).toEqual({ kind: 'header', header, length: bytes.length })
    expect(drip(bytes)).toEqual(parsed)
  })

  it.each<readonly [string, Uint8Array]>([
    ['version 1 in binary', v2(0x11, 0x11, tcp4)],
    ['version 3', v2(0x31, 0x11, tcp4)],
    ['an unknown command', v2(0x22, 0x11, tcp4)],
    ['UDP', v2(0x21, 0x12, tcp4)],
    ['an unknown family', v2(0x21, 0x41, tcp4)],
    ['an unknown transport', v2(0x21, 0x10, tcp4)],
    ['too short for IPv4', v2(0x21, 0x11, tcp4.slice(1))],
    ['too short for IPv6', v2(0x21, 0x21, tcp4)],
    ['too short for a unix path', v2(0x21, 0x31, tcp6)],
    ['longer than the cap', v2(0x21, 0x11, [], 2033)],
    ['a TLV that overruns', v2(0x21, 0x11, [...tcp4, 2, 0, 2, 0x61])],
    ['a TLV without its length', v2(0x21, 0x11, [...tcp4, 2, 0])],
    ['an SSL TLV that is too short', v2(0x21, 0x11, [...tcp4, 0x20, 0, 4, 1, 0, 0, 0])],
    ['an SSL TLV whose own TLV overruns', v2(0x21, 0x11, [...tcp4, 0x20, 0, 8, 1, 0, 0, 0, 0, 0x22, 0, 1])],
    ['a wrong checksum', v2(0x21, 0x11, [...tcp4, 3, 0, 4, 1, 2, 3, 4])],
    ['a checksum of the wrong size', v2(0x21, 0x11, [...tcp4, 3, 0, 3, 1, 2, 3])],
    ['a signature with one octet wrong', Uint8Array.from([...signature.slice(0, 11), 0x0b])],
  ])('refuses %s', (_, bytes) => {
    expect(parseProxyHeader(bytes).kind).toBe('bad')
    expect(drip(bytes).kind).toBe('bad')
  })

  it('takes a header as long as the cap, and waits for its end', () => {
    const body = [...tcp4, 0xee, 7, 0xe1, ...Array(2017).fill(0)]
    const header = v2(0x21, 0x11, body)
    expect(header.length).toBe(2048)
    expect(parseProxyHeader(header.subarray(0, 2047))).toEqual({ kind: 'more' })
    expect(parseProxyHeader(header)).toMatchObject({ kind: 'header', length: 2048 })
    expect(parseProxyHeader(header, 2047).kind).toBe('bad')
  })

  it('finds a checksum wherever it stands, and any octet that was changed', () => {
    const header: ProxyHeader = {
      version: 2, command: 'proxy', authority: 'mx.example',
      source: { address: '192.0.2.1', port: 1 }, destination: { address: '198.51.100.2', port: 25 },
    }
    const bytes = encodeProxyHeader(header)
    expect(parseProxyHeader(bytes)).toEqual({ kind: 'header', header, length: bytes.length })
    for (let at = 16; at < bytes.length; at++) {
      const changed = Uint8Array.from(bytes)
      changed[at] = (changed[at] as number) ^ 1
      const parsed = parseProxyHeader(changed)
      // A change of a TLV's type can only turn it into one that is ignored: all but the checksum's own is caught by the checksum.
      if (at !== bytes.length - 7) expect(parsed.kind, `octet ${at}`).toBe('bad')
    }
  })

  it('computes CRC-32C as RFC 3720 does', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43)
    expect(crc32c(latin1('123456789'))).toBe(0xe3069283)
  })
})

const port = fc.integer({ min: 0, max: 65535 })
const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((text) => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20 || text.charCodeAt(i) === 0x7f) return false
  return true
})
const ends = fc.oneof(fc.constant('v4' as const), fc.constant('v6' as const)).chain((family) => {
  const ipV6 = fc.integer({ min: 1, max: 0xffff }).map((last) => `2001:db8::${last.toString(16)}`)
  const address = family === 'v4' ? fc.ipV4() : ipV6
  return fc.record({ source: fc.record({ address, port }), destination: fc.record({ address, port }) })
})
const tls = fc.record({ certificate: fc.boolean(), verified: fc.boolean(), version: word, cipher: word, commonName: word },
  { requiredKeys: ['certificate', 'verified'] }).map((facts) => ({ ...facts, verified: facts.verified && facts.certificate }))
const uniqueId = fc.uint8Array({ minLength: 1, maxLength: 128 })
const header = fc.oneof(
  ends.map((both): ProxyHeader => ({ version: 1, command: 'proxy', ...both })),
  fc.constantFrom<ProxyHeader>({ version: 1, command: 'proxy' }, { version: 2, command: 'local' }),
  fc.constant<ProxyHeader>({ version: 2, command: 'proxy' }),
  fc.tuple(ends, fc.record({ alpn: word, authority: word, namespace: word, tls, uniqueId }, { requiredKeys: [] }))
    .map(([both, tlvs]): ProxyHeader => ({ version: 2, command: 'proxy', ...both, ...tlvs })),
)

describe('PROXY header, any', () => {
  it('is read back as it was written, followed by anything', () => {
    fc.assert(fc.property(header, fc.uint8Array({ maxLength: 20 }), (given, rest) => {
      const bytes = encodeProxyHeader(given)
      const parsed = parseProxyHeader(Buffer.concat([bytes, rest]))
      expect(parsed.kind === 'header' && parsed.length).toBe(bytes.length)
      if (parsed.kind !== 'header') return
      const { uniqueId, ...others } = parsed.header
      const { uniqueId: givenId, ...givenOthers } = given
      expect(others).toEqual(givenOthers)
      expect(uniqueId && [...uniqueId]).toEqual(givenId && [...givenId])
    }))
  })

  it('comes to the same end however it was cut', () => {
    const damage = fc.tuple(header, fc.nat(), fc.nat({ max: 255 }), fc.uint8Array({ maxLength: 10 }))
    const damaged = damage.map(([given, at, octet, rest]) => {
      const bytes = Uint8Array.from([...encodeProxyHeader(given), ...rest])
      bytes[at % bytes.length] = octet
      return bytes
    })
    fc.assert(fc.property(damaged, (bytes) => {
      const whole = parseProxyHeader(bytes)
      const slow = drip(bytes)
      expect(slow).toEqual(whole)
    }))
  })

  it('never throws and never waits beyond the cap, on random bytes', () => {
    const start = fc.constantFrom<readonly number[]>([], [...latin1('PROXY ')], signature, [...signature, 0x21, 0x11])
    fc.assert(fc.property(start, fc.uint8Array({ maxLength: 2100 }), (prefix, bytes) => {
      const all = Uint8Array.from([...prefix, ...bytes])
      const parsed = parseProxyHeader(all)
      if (all.length >= 2048) expect(parsed.kind).not.toBe('more')
    }))
  })
})

describe('encodeProxyHeader', () => {
  const destination = { address: '127.0.0.1', port: 1 }

  it.each<readonly [string, ProxyHeader]>([
    ['ends of two families', { version: 1, command: 'proxy', source: { address: '::1', port: 1 }, destination }],
    ['a name for an address', { version: 2, command: 'proxy', source: { address: 'a.example', port: 1 }, destination }],
    ['a field that is too long', { version: 2, command: 'proxy', authority: 'x'.repeat(65_536) }],
  ])('refuses %s', (_, given) => {
    expect(() => encodeProxyHeader(given)).toThrow(/PROXY header takes/)
  })
})
