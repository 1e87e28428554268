import type { Body, ByteRange } from '../../contracts/bodies.ts'
import type { Connection, Envelope, ReceivedMessage, Recipient } from '../../contracts/received.ts'
import { type Address, splitTag } from '../../message/address.ts'
import type { TlsFacts } from '../../protocol/session/tls.ts'
import { StoredArrival } from '../../server/received-message.ts'

/*
 * What policies may meet: all of it comes from real clients. Frozen, for subjects are read-only.
 */

const tls: TlsFacts = Object.freeze({ protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', serverName: 'mx.test' })
const stranger = { authorized: false, subject: 'CN=Mallory, O=\\, "', fingerprint: 'ab'.repeat(32), names: ['a@b.test'] }

/** What is known of a connection in the end, but for its id. */
type Facts = Omit<Connection, 'id'>

const usualFacts: Facts = {
  peer: { address: '203.0.113.9', port: 40_000, localAddress: '192.0.2.1', localPort: 25 },
  began: Date.UTC(2026, 0, 1, 12),
  protocol: 'smtp',
  tls: undefined,
  hello: { verb: 'EHLO', name: 'client.test' },
  account: undefined,
  forwarded: undefined,
}

let made = 0

/** A connection as policies see it: the same object all along, of which more is known as the conversation goes on. */
export class SeenConnection implements Connection {
  readonly #facts: Facts
  readonly #id = `c-${++made}`
  #greeted = false

  /** The usual one but for what is said. */
  constructor(facts: Partial<Facts> = {}) {
    const all = { ...usualFacts, ...facts }
    this.#facts = { ...all, peer: Object.freeze({ ...all.peer }), hello: all.hello && Object.freeze({ ...all.hello }) }
  }

  get id(): string {
    return this.#id
  }

  get peer(): Connection['peer'] {
    return this.#facts.peer
  }

  get began(): number {
    return this.#facts.began
  }

  get protocol(): Connection['protocol'] {
    return this.#facts.protocol
  }

  get tls(): TlsFacts | undefined {
    return this.#facts.tls
  }

  get hello(): Connection['hello'] {
    return this.#greeted ? this.#facts.hello : undefined
  }

  get account(): string | undefined {
    return this.#greeted ? this.#facts.account : undefined
  }

  get forwarded(): Connection['forwarded'] {
    return this.#facts.forwarded
  }

  /** The client has said who it is; or it has just come. */
  greet(greeted: boolean): this {
    this.#greeted = greeted
    return this
  }
}

const from = (address: string | undefined, proxy?: string): Partial<Facts> => ({
  peer: {
    address,
    port: address === undefined ? undefined : 1,
    localAddress: undefined,
    localPort: undefined,
    ...(proxy ? { proxy } : {}),
  },
})
const named = (name: string, verb: 'EHLO' | 'HELO' | 'LHLO' = 'EHLO'): Partial<Facts> => ({ hello: { verb, name } })

/** Clients, each odd in one way. */
export const clients: readonly (readonly [what: string, facts: Partial<Facts>])[] = [
  ['the usual one', {}],
  ['one of a unix socket', from(undefined)],
  ['one that a proxy tells of', from('198.51.100.7', '10.0.0.1')],
  ['one that a proxy cannot name', from(undefined, 'unix')],
  ['one of IPv6', from('2001:db8::1')],
  ['one of the shortest IPv6', from('::')],
  ['one of the longest IPv6', from('2001:0db8:0000:0000:0000:ffff:192.168.100.228')],
  ['one with TLS', { tls }],
  ['one with TLS of which nothing is known', { tls: { protocol: '', cipher: '' } }],
  ['one with a certificate of nobody', { tls: { ...tls, clientCertificate: stranger } }],
  ['one that has said HELO', named('client.test', 'HELO')],
  ['one of LMTP', { ...named('client.test', 'LHLO'), protocol: 'lmtp' }],
  ['one that calls itself by one letter', named('x')],
  ['one that calls itself by an address', named('[203.0.113.9]')],
  ['one that calls itself by an IPv6 address', named('[IPv6:2001:db8::1]')],
  ['one that calls itself by half a literal', named('[IPv6:')],
  ['one that calls itself by marks', named('.$(|`\\..')],
  ['one that calls itself in UTF-8', named('zo\u00eb.\u4f8b\u3048')],
  ['one that calls itself by 2,000 characters', named(`${'x.'.repeat(1000)}test`)],
  ['one with an account', { account: 'constructor', tls }],
  ['one that a filter speaks for', { forwarded: new Map([['ADDR', undefined], ['HELO', '__proto__']]) }],
]

/** Addresses that the session lets pass; the domain in lower case, as policies get it. */
export const addresses: readonly (readonly [what: string, address: Address])[] = [
  ['a usual one', { local: 'alice', domain: 'a.test' }],
  ['one in capitals', { local: 'ALICE', domain: 'a.test' }],
  ['one with tags', { local: 'alice++a+b', domain: 'a.test' }],
  ['one that is but a tag', { local: '+', domain: 'a.test' }],
  ['one in quotes', { local: 'a "b"\\@c', domain: 'a.test' }],
  ['one of blanks', { local: '  ', domain: 'a.test' }],
  ['one without a local part', { local: '', domain: 'a.test' }],
  ['one in UTF-8', { local: 'zo\u00eb\u{1f4e7}', domain: '\u4f8b\u3048.test' }],
  ['one in A-labels', { local: 'zoe', domain: 'xn--r8jz45g.xn--zckzah' }],
  ['one of an IPv4 literal', { local: 'alice', domain: '[192.0.2.1]' }],
  ['one of an IPv6 literal', { local: 'alice', domain: '[ipv6:2001:db8::1]' }],
  ['one of a literal that is none', { local: 'alice', domain: '[x400:;]' }],
  ['one of a single label', { local: 'root', domain: 'localhost' }],
  ['one of names that objects have', { local: '__proto__', domain: 'constructor' }],
  ['one that is long', { local: 'a'.repeat(1000), domain: `${'b.'.repeat(500)}test` }],
]

/** An envelope with that sender; nobody is in it yet. */
export function envelopeFrom(sender: Address | null): Envelope {
  return Object.freeze({
    sender: sender && Object.freeze({ ...sender }),
    recipients: Object.freeze([]),
    size: undefined,
    body: '8BITMIME',
    smtpUtf8: true,
    ret: undefined,
    envid: undefined,
    requireTls: false,
    deliverBy: undefined,
    priority: undefined,
    hold: undefined,
  })
}

/** A recipient as policies get it. */
export function recipientAt({ local, domain }: Address): Recipient {
  const { local: user, tag } = splitTag(local)
  return Object.freeze({ local, domain, user, tag, wire: `${local}@${domain}`, notify: undefined, originalRecipient: undefined })
}

const octets = (text: string): Uint8Array => new TextEncoder().encode(text)
const usual = 'From: a@b.test\r\nTo: alice@a.test\r\nSubject: Hello\r\nMessage-ID: <1@b.test>\r\n\r\nHello\r\n'

/** Messages, each odd in one way. */
export const messages: readonly (readonly [what: string, octets: Uint8Array])[] = [
  ['a usual one', octets(usual)],
  ['an empty one', octets('')],
  ['one without a header', octets('\r\nHello\r\n')],
  ['one without a body', octets('Subject: Hello\r\n')],
  ['one that is no header at all', octets('Hello\r\nthere\r\n')],
  ['one with empty fields', octets('From:\r\nTo:\r\nSubject:\r\nDate:\r\nMessage-ID:\r\n\r\n')],
  ['one with fields twice', octets(usual.repeat(2).replaceAll('\r\n\r\nHello', ''))],
  ['one with octets of no charset', Uint8Array.from({ length: 600 }, (_, at) => (at % 76 === 75 ? 10 : at % 256))],
  ['one with a field of 200 kB', octets(`Subject: ${'x '.repeat(100_000)}\r\n\r\n`)],
  ['one with 5,000 fields', octets(`${'X-Spam: <a@b.test>, "c" <d@e.test>\r\n'.repeat(5000)}\r\n`)],
  ['one with 10,000 addresses', octets(`To: ${'a@b.test,\r\n '.repeat(10_000)}\r\n\r\n`)],
  ['one of parts in parts', octets(partsInParts(200))],
  ['one of 1 MB in one line', octets(`Subject: long\r\n\r\n${'x'.repeat(1_000_000)}`)],
]

function partsInParts(depth: number): string {
  let text = 'MIME-Version: 1.0\r\n'
  for (let at = 0; at < depth; at++) text += `Content-Type: multipart/mixed; boundary=b${at}\r\n\r\n--b${at}\r\n`
  return text
}

class Octets implements Body {
  readonly size: number
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.size = bytes.length
  }

  async *read(range: ByteRange = { start: 0, end: this.size }): AsyncGenerator<Uint8Array> {
    if (range.end > range.start) yield this.bytes.subarray(range.start, range.end)
  }
}

/** A message that has arrived. `received` in milliseconds since the Unix epoch. */
export function messageOf(bytes: Uint8Array, connection: Connection, envelope: Envelope, received: number): ReceivedMessage {
  const id = `${connection.id}.1`
  const body = new Octets(bytes)
  return new StoredArrival({ id, envelope, connection, received, body, notes: [], head: bytes, facts: undefined })
}
