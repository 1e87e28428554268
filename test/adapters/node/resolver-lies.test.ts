import { encode, type Packet } from 'dns-packet'
import { describe, expect, it } from 'vitest'
import { asking, changed, open, zone } from './dns-asking.ts'
import { type Asked, dnsServer, type Script } from './dns-server.ts'

const poison = (packet: Packet): Packet =>
  ({ ...packet, answers: [{ type: 'A', name: 'a.test', ttl: 60, data: '203.0.113.66' }] })

describe('what is no answer to the question is not heard', () => {
  const lies: readonly (readonly [what: string, lie: (packet: Packet, asked: Asked) => readonly (Packet | Uint8Array)[]])[] = [
    ['another id', (packet, { id }) => [changed(poison(packet), { id: id ^ 1 })]],
    ['another name', (packet) => [changed(poison(packet), { questions: [{ name: 'b.test', type: 'A' }] })]],
    ['another type', (packet) => [changed(poison(packet), { questions: [{ name: 'a.test', type: 'AAAA' }] })]],
    ['another class', (packet) => [changed(poison(packet), { questions: [{ name: 'a.test', type: 'A', class: 'CH' }] })]],
    ['no question', (packet) => [changed(poison(packet), { questions: [] })]],
    ['two questions', (packet) => [
      changed(poison(packet), { questions: [{ name: 'a.test', type: 'A' }, { name: 'a.test', type: 'A' }] }),
    ]],
    ['a question', (packet) => [changed(poison(packet), { type: 'query' })]],
    ['another opcode', (packet) => [changed(poison(packet), { flags: 5 << 11 })]],
    ['the question itself', (_, { octets }) => [octets]],
    ['nothing at all', () => [new Uint8Array(0)]],
    ['too little', (packet) => [encode(packet).subarray(0, 11)]],
    ['half of it', (packet) => [encode(packet).subarray(0, 40)]],
    ['noise', (_, { id }) => [Uint8Array.of(id >> 8, id & 255, ...Array.from({ length: 300 }, (__, at) => (at * 37) & 255))]],
    ['a name that points to itself', (packet) => {
      const octets = encode(packet)
      octets.writeUInt16BE(0xc00c, 12)
      return [octets]
    }],
    ['counts beyond all measure', (packet) => {
      const octets = encode(packet)
      octets.writeUInt16BE(0xffff, 6)
      return [octets]
    }],
  ]
  it.each(lies)('%s', async (_, lie) => {
    const { resolver, servers } = await asking([(asked, packet) => [...lie(packet, asked), packet]])
    expect((await resolver.resolve('a.test', 'A')).records).toEqual(['192.0.2.1'])
    expect(servers[0]!.asked).toHaveLength(1)
  })

  it('an answer from elsewhere', async () => {
    const liar = await dnsServer(zone)
    open.push(liar)
    const { resolver } = await asking([
      (asked, packet) => {
        liar.send(encode(poison(packet)), asked.port)
        return [packet]
      },
    ])
    expect((await resolver.resolve('a.test', 'A')).records).toEqual(['192.0.2.1'])
  })

  it('an answer that comes late, or twice', async () => {
    let first: Asked | undefined
    const { resolver } = await asking([
      (asked, packet) => {
        if (first === undefined) {
          first = asked
          return []
        }
        return [changed(poison(packet), { id: first.id }), packet, packet]
      },
    ])
    expect((await resolver.resolve('a.test', 'A')).records).toEqual(['192.0.2.1'])
    expect((await resolver.resolve('a.test', 'MX')).records).toHaveLength(1)
  })

  it('so much of it that somebody seems to guess: then the question goes by TCP', async () => {
    const guess: Script = ({ id, by }, packet) => {
      if (by === 'tcp') return [packet]
      const guesses = Array.from({ length: 30 }, (_, at) => changed(poison(packet), { id: id ^ (at + 1) }))
      return [...guesses, poison(packet)]
    }
    const { resolver, servers } = await asking([guess])
    expect((await resolver.resolve('a.test', 'A')).records).toEqual(['192.0.2.1'])
    expect(servers[0]!.asked.map(({ by }) => by)).toEqual(['udp', 'tcp'])
  })

  it('records of other names', async () => {
    const { resolver } = await asking([
      (asked, packet) => asked.name !== 'a.test' ? [packet] : [{
        ...packet,
        answers: [
          { type: 'A', name: 'bank.test', ttl: 60, data: '203.0.113.66' },
          { type: 'A', name: 'b.test', ttl: 60, data: '203.0.113.66' },
          { type: 'A', name: 'A.Test', ttl: 60, data: '192.0.2.1' },
          { type: 'A', name: 'a.test', class: 'CH', ttl: 60, data: '203.0.113.66' },
          { type: 'TXT', name: 'a.test', ttl: 60, data: 'x' },
        ],
      }],
    ])
    expect((await resolver.resolve('a.test', 'A')).records).toEqual(['192.0.2.1'])
    expect((await resolver.resolve('b.test', 'A')).records).toEqual(['192.0.2.2'])
    expect((await resolver.resolve('bank.test', 'A')).exists).toBe(false)
  })

  it('names that cannot be, which would go into logs and headers', async () => {
    const { resolver } = await asking([
      (_, packet) => [{
        ...packet,
        answers: [
          { type: 'MX', name: 'a.test', ttl: 60, data: { preference: 1, exchange: 'evil\r\nX: y.test' } },
          { type: 'MX', name: 'a.test', ttl: 60, data: { preference: 2, exchange: 'Good.Test' } },
        ],
      }],
    ])
    expect((await resolver.resolve('a.test', 'MX')).records).toEqual([{ preference: 2, exchange: 'good.test' }])
  })
})
