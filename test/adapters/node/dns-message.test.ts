import { decode, encode, type Packet } from 'dns-packet'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeQuestion, isDnsName, readReply } from '../../../src/adapters/node/dns-message.ts'

const question = { name: 'a.test', type: 'TXT', id: 0x1234, edns: true } as const
const reply: Packet = {
  type: 'response',
  id: 0x1234,
  flags: 0x180,
  questions: [{ name: 'A.test', type: 'TXT' }],
  answers: [
    { type: 'CNAME', name: 'a.test', ttl: 0xffff_ffff, data: 'b.test' },
    { type: 'TXT', name: 'b.test', ttl: 300, data: [Buffer.from('one '), Buffer.from([0xff, 0x00])] },
    { type: 'NS', name: 'b.test', ttl: 300, data: 'ns.test' },
  ],
}

describe('readReply', () => {
  it('reads what mail asks for', () => {
    expect(readReply(encode(reply), question)).toEqual({
      code: 0,
      lame: false,
      truncated: false,
      authentic: false,
      negativeTtl: undefined,
      answers: [
        // RFC 2181 §8
        { type: 'CNAME', name: 'a.test', ttl: 0, data: 'b.test' },
        { type: 'TXT', name: 'b.test', ttl: 300, data: 'one \u00ff\u0000' },
      ],
    })
  })

  it('reads nothing that is shorter than it says', () => {
    const octets = encode(reply)
    for (let end = 0; end < octets.length; end++) expect(readReply(octets.subarray(0, end), question)).toBeUndefined()
  })

  it('never throws, whatever comes', () => {
    const octets = Uint8Array.from(encode(reply))
    const damaged = fc
      .array(fc.tuple(fc.nat(octets.length - 1), fc.nat(255)), { maxLength: 8 })
      .map((changes) => changes.reduce((bytes, [at, value]) => bytes.with(at, value), octets))
    const cut = fc.nat(octets.length).map((end) => octets.subarray(0, end))
    fc.assert(
      fc.property(fc.oneof(damaged, cut, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const read = readReply(bytes, question)
        for (const { name } of read?.answers ?? []) expect(typeof name).toBe('string')
      }),
      { numRuns: 500 },
    )
  })
})

describe('encodeQuestion', () => {
  it('is what others read', () => {
    const packet = decode(Buffer.from(encodeQuestion(question)))
    expect(packet).toMatchObject({ id: 0x1234, type: 'query', flag_rd: true, flag_ad: true, flag_cd: false })
    expect(packet.questions).toEqual([{ name: 'a.test', type: 'TXT', class: 'IN' }])
    expect(packet.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232, flag_do: false }])
    expect(decode(Buffer.from(encodeQuestion({ ...question, edns: false }))).additionals).toEqual([])
  })
})

describe('isDnsName', () => {
  it.each([
    ['a', true], ['a.test', true], ['_25._tcp.a.test', true], ['1/25.2.0.192.in-addr.arpa', true], ['x'.repeat(63), true],
    ['', false], ['.', false], ['a.', false], ['.a', false], ['a..b', false],
    ['x'.repeat(64), false], ['a b', false], ['a\n', false],
    ['\u00e9', false], ['a\\b', false], [`${'x.'.repeat(126)}x`, true], [`${'x.'.repeat(126)}xx`, false],
  ])('%j: %s', (name, is) => {
    expect(isDnsName(name)).toBe(is)
  })
})
