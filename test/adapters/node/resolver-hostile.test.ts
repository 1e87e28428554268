import { encode, type Packet, RECURSION_AVAILABLE } from 'dns-packet'
import { describe, expect, it } from 'vitest'
import { readReply } from '../../../src/adapters/node/dns-message.ts'
import { asking, changed, nothing } from './dns-asking.ts'
import type { Script } from './dns-server.ts'

const alias = (name: string, to: string): Packet['answers'] => [{ type: 'CNAME', name, ttl: 60, data: to }]

describe('an answer of a hostile server costs', () => {
  const loops: readonly (readonly [what: string, script: Script])[] = [
    ['aliases that lead round in one answer', (_, packet) => [
      changed(packet, { answers: [...alias('a.test', 'b.test')!, ...alias('b.test', 'a.test')!] }),
    ]],
    ['a name that is an alias of itself', (_, packet) => [changed(packet, { answers: alias('a.test', 'a.test')! })]],
    ['a thousand aliases in a row', (_, packet) => [changed(packet, {
      answers: Array.from({ length: 40 }, (__, at) => alias(at === 0 ? 'a.test' : `a${at}.test`, `a${at + 1}.test`)![0]!),
    })]],
    ['an alias to another with each answer', ({ name }, packet) => [
      changed(packet, { flags: RECURSION_AVAILABLE, answers: alias(name, `x${name}`)!, authorities: [] }),
    ]],
  ]
  it.each(loops)('no more than a few questions: %s', async (_, script) => {
    const { resolver, servers, clock } = await asking([script])
    await expect(resolver.resolve('a.test', 'A')).rejects.toMatchObject({ code: 'temporary' })
    expect(servers[0]!.asked.length).toBeLessThan(12)
    expect(clock.pending).toBe(0)
  })

  it('no more time than silence does, however many aliases come late', async () => {
    let asked = 0
    const { resolver, servers, clock } = await asking([
      ({ name }, packet) => {
        // Each first try is lost, each second one leads on.
        if (++asked % 2 === 1) return []
        return [changed(packet, { flags: RECURSION_AVAILABLE, answers: alias(name, `x${name}`)!, authorities: [] })]
      },
    ], { timeout: 1000, tries: 3 })
    await expect(resolver.resolve('a.test', 'A')).rejects.toMatchObject({ code: 'temporary' })
    expect(clock.ticks()).toBe(3000)
    expect(servers[0]!.asked.length).toBeLessThanOrEqual(7)
    expect(clock.pending).toBe(0)
  })

  it('nothing to those who ask for something else', async () => {
    const { resolver } = await asking([(asked, packet) => (asked.name.endsWith('hole.test') ? nothing(asked, packet) : [packet])])
    const names = Array.from({ length: 60 }, (_, at) => `x${at}.hole.test`)
    const lost = names.map((name) => resolver.resolve(name, 'TXT').catch((error: unknown) => error))
    expect((await resolver.resolve('a.test', 'A')).records).toEqual(['192.0.2.1'])
    for (const error of await Promise.all(lost)) expect(error).toMatchObject({ code: 'temporary' })
  })
})

describe('octets of a hostile server are read in one go', () => {
  const question = { name: 'a.test', type: 'TXT', id: 1, edns: true } as const
  const packet: Packet = { type: 'response', id: 1, flags: 0x180, questions: [{ name: 'a.test', type: 'TXT' }] }

  /** A header, the question, and records of one's own making. */
  const raw = (count: number, records: Uint8Array): Uint8Array => {
    const head = encode(packet)
    head.writeUInt16BE(count, 6)
    return Buffer.concat([head, records])
  }
  const record = (name: readonly number[], data: Uint8Array): Buffer =>
    Buffer.concat([Uint8Array.from([...name, 0, 16, 0, 1, 0, 0, 0, 60, data.length >> 8, data.length & 255]), data])

  it('64 kB of strings', () => {
    const text = Buffer.concat(Array.from({ length: 250 }, () => Buffer.concat([Uint8Array.of(255), Buffer.alloc(255, 'x')])))
    const read = readReply(raw(1, record([0xc0, 12], text)), question)
    expect((read!.answers[0]!.data as string).length).toBe(250 * 255)
  })

  it('a thousand names, each of which points to the one before', () => {
    const parts: Buffer[] = []
    let before = 12
    let at = encode(packet).length
    for (let count = 0; count < 1000; count++) {
      const one = record([0xc0 | (before >> 8), before & 255], Uint8Array.of(1, 120))
      if (at < 0x3fff) before = at
      at += one.length
      parts.push(one)
    }
    expect(readReply(raw(1000, Buffer.concat(parts)), question)?.answers).toHaveLength(1000)
  })

  it.each<readonly [string, readonly number[]]>([
    ['to itself', [0xc0, 24]],
    ['to what comes behind it', [0xc0, 200]],
    ['beyond the end', [0xff, 0xff]],
    ['into the header', [0xc0, 0]],
  ])('a name that points %s', (_, name) => {
    const read = readReply(raw(1, record(name, Uint8Array.of(1, 120))), question)
    expect(read === undefined || read.answers.length <= 1).toBe(true)
  })

  it('lengths that lie', () => {
    const octets = raw(1, record([0xc0, 12], Uint8Array.of(200, 120)))
    expect(readReply(octets, question)?.answers ?? []).toSatisfy((answers: readonly unknown[]) => answers.length <= 1)
  })
})
