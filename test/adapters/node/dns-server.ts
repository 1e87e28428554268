import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import {
  type Answer, AUTHENTIC_DATA, decode, encode, type Packet, RECURSION_AVAILABLE, RECURSION_DESIRED, TRUNCATED_RESPONSE,
} from 'dns-packet'
import type { DnsRecordType } from '../../../src/contracts/resolver.ts'
import type { FakeRecords, FakeZone } from '../../../src/testing/index.ts'

/** A question as a server has it. */
export interface Asked {
  readonly id: number
  readonly name: string
  readonly type: DnsRecordType
  readonly by: 'udp' | 'tcp'
  readonly edns: boolean
  /** AD was set. */
  readonly wantsAd: boolean
  /** The port that it came from. */
  readonly port: number
  readonly octets: Buffer
}

/** What a server sends instead of what is right; none: nothing. `'hang up'`: it ends the connection. */
export type Script = (asked: Asked, right: Packet) => readonly (Packet | Uint8Array)[] | 'hang up'

/** A DNS server on a loopback port, UDP and TCP, that speaks for a whole world of its own. */
export interface DnsTestServer {
  /** `host:port`. */
  readonly at: string
  readonly asked: readonly Asked[]
  /** What else is sent, from the port that serves. */
  send(octets: Uint8Array, port: number): void
  close(): Promise<void>
}

const ROOM = 512

/** Serves a zone, by the script where there is one. */
export async function dnsServer(zone: FakeZone, script: Script = (_, right) => [right]): Promise<DnsTestServer> {
  const asked: Asked[] = []
  const answer = (octets: Buffer, by: 'udp' | 'tcp', port: number): Buffer[] | 'hang up' => {
    const { questions = [], additionals = [], id = 0, flags = 0 } = decode(octets)
    const [question] = questions
    const edns = additionals.find((record) => record.type === 'OPT')
    const one: Asked = {
      id,
      name: question!.name,
      type: question!.type as DnsRecordType,
      by,
      edns: edns !== undefined,
      wantsAd: (flags & AUTHENTIC_DATA) !== 0,
      port,
      octets,
    }
    asked.push(one)
    const right = rightAnswer(zone, one)
    const given = script(one, right ?? {})
    if (given === 'hang up') return given
    return given.flatMap((packet) => {
      if (packet instanceof Uint8Array) return [Buffer.from(packet)]
      if (packet.type === undefined) return []
      const bytes = encode(packet)
      const room = edns?.type === 'OPT' ? edns.udpPayloadSize : ROOM
      return by === 'udp' && bytes.length > room ? [encode(truncated(packet))] : [bytes]
    })
  }
  const [tcp, udp] = await samePort()
  const sockets = new Set<Socket>()
  udp.on('message', (octets, from) => {
    const given = answer(octets, 'udp', from.port)
    if (given !== 'hang up') for (const one of given) udp.send(one, from.port, from.address)
  })
  tcp.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    let came = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      came = Buffer.concat([came, chunk])
      if (came.length < 2 || came.length < came.readUInt16BE(0) + 2) return
      const given = answer(came.subarray(2), 'tcp', socket.remotePort ?? 0)
      if (given === 'hang up') return void socket.end()
      for (const one of given) socket.write(Buffer.concat([Uint8Array.of(one.length >> 8, one.length & 255), one]))
    })
  })
  const { port } = udp.address()
  return {
    at: `127.0.0.1:${port}`,
    asked,
    send: (octets, to) => udp.send(octets, to, '127.0.0.1'),
    async close() {
      for (const socket of sockets) socket.destroy()
      udp.close()
      tcp.close()
      await Promise.all([once(tcp, 'close'), once(udp, 'close')])
    },
  }
}

/** A port that is free for both. */
async function samePort(): Promise<readonly [Server, UdpSocket]> {
  for (;;) {
    const tcp = createServer().listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    const udp = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 }).bind((tcp.address() as AddressInfo).port, '127.0.0.1')
    const bound = await once(udp, 'listening').then(() => true, () => false)
    if (bound) return [tcp, udp]
    tcp.close()
    udp.close()
  }
}

/** The same, with nothing but the word that there is more. */
export const truncated = (packet: Packet): Packet =>
  ({ ...packet, flags: (packet.flags ?? 0) | TRUNCATED_RESPONSE, answers: [], authorities: [] })

/** `undefined`: none in time. */
function rightAnswer(zone: FakeZone, { id, name, type }: Asked): Packet | undefined {
  const names = new Map(Object.entries(zone).map(([at, records]) => [placeOf(at), records]))
  const answers: Answer[] = []
  let at = name.toLowerCase()
  let authenticated = true
  for (let hops = 0; hops < 12; hops++) {
    const here = names.get(at)
    if (here === 'SERVFAIL' || here === 'TIMEOUT') return here === 'TIMEOUT' ? undefined : failure(id, name, type, 2)
    const records: FakeRecords = typeof here === 'object' ? here : {}
    authenticated &&= records.authenticated === true
    const { ttl = 300 } = records
    const alias = type === 'CNAME' ? undefined : records.CNAME
    if (alias !== undefined) {
      answers.push({ type: 'CNAME', name: at, ttl, data: alias })
      at = alias.toLowerCase()
      continue
    }
    const texts = records[type] ?? []
    if (texts === 'SERVFAIL') return failure(id, name, type, 2)
    for (const text of [texts].flat()) answers.push(recordOf(at, type, ttl, text))
    const exists = here !== undefined && here !== 'NXDOMAIN'
    const above = [...names.keys()].some((known) => known.endsWith(`.${at}`))
    const negative = texts.length === 0
    return {
      type: 'response',
      id,
      flags: RECURSION_DESIRED | RECURSION_AVAILABLE | (authenticated ? AUTHENTIC_DATA : 0) | (exists || above ? 0 : 3),
      questions: [{ name, type, class: 'IN' }],
      answers,
      authorities: negative ? [soa] : [],
    }
  }
  return { type: 'response', id, flags: RECURSION_AVAILABLE, questions: [{ name, type, class: 'IN' }], answers }
}

/** The zone's own record, by which one knows for how long there is nothing. */
export const soa: Answer = {
  type: 'SOA',
  name: 'test',
  ttl: 900,
  data: { mname: 'ns.test', rname: 'admin.test', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 120 },
}

/** An answer that says nothing but that it went wrong. */
export const failure = (id: number, name: string, type: DnsRecordType, code: number): Packet =>
  ({ type: 'response', id, flags: RECURSION_AVAILABLE | code, questions: [{ name, type, class: 'IN' }] })

function recordOf(name: string, type: DnsRecordType, ttl: number, text: string): Answer {
  const [first = '', second = '', third = '', hex = ''] = text.split(' ')
  if (type === 'MX') return { type, name, ttl, data: { preference: Number(first), exchange: second } }
  if (type === 'TLSA') {
    const certificate = Buffer.from(hex, 'hex')
    const data = { usage: Number(first), selector: Number(second), matchingType: Number(third), certificate }
    return { type, name, ttl, data }
  }
  if (type === 'TXT') {
    const octets = Buffer.from(text, 'latin1')
    const length = Math.max(1, Math.ceil(octets.length / 255))
    const strings = Array.from({ length }, (_, at) => octets.subarray(at * 255, at * 255 + 255))
    return { type, name, ttl, data: strings }
  }
  return { type, name, ttl, data: text }
}

/** Where an address's name is. */
function placeOf(name: string): string {
  if (/^[0-9.]+$/.test(name)) return `${name.split('.').reverse().join('.')}.in-addr.arpa`
  if (!name.includes(':')) return name.toLowerCase()
  const [head = '', tail = ''] = name.split('::')
  const groups = (text: string): string[] =>
    text.split(':').filter((group) => group !== '').map((group) => group.padStart(4, '0'))
  const middle = 8 - groups(head).length - groups(tail).length
  const digits = [...groups(head), ...Array<string>(middle).fill('0000'), ...groups(tail)].join('')
  return `${[...digits].reverse().join('.')}.ip6.arpa`
}
