import { AUTHENTIC_DATA, type Answer, decode, encode, RECURSION_DESIRED } from 'dns-packet'
import type { DnsRecords, DnsRecordType } from '../../contracts/resolver.ts'

/** What is asked of a server, once: each sending has an id of its own. */
export interface DnsQuestion {
  /** In lower case, see {@link isDnsName}. */
  readonly name: string
  readonly type: DnsRecordType
  readonly id: number
  /** Whether to say that 1,232 octets may come back by UDP (EDNS, RFC 6891). */
  readonly edns: boolean
}

/** A record of the answer section, its data as our contract has it. */
export interface DnsReplyRecord<Type extends DnsRecordType = DnsRecordType> {
  readonly name: string
  readonly type: Type
  /** Seconds. */
  readonly ttl: number
  readonly data: DnsRecords[Type]
}

/** What a server has said. */
export interface DnsReply {
  /** RCODE, with the bits that EDNS adds. */
  readonly code: number
  /** It comes from no resolver, but from a name server that sends us on to others. */
  readonly lame: boolean
  /** It did not fit: ask by TCP. */
  readonly truncated: boolean
  /** The server says that it has validated all of it (AD, RFC 4035 §3.2.3). */
  readonly authentic: boolean
  readonly answers: readonly DnsReplyRecord[]
  /** Seconds for which it holds that there is nothing (RFC 2308 §5); `undefined`: nobody has said so. */
  readonly negativeTtl: number | undefined
}

/** Octets of an answer by UDP: what no network on the way has to cut in pieces (DNS flag day 2020). */
const UDP_OCTETS = 1232

/** Records of an answer, all sections: more than ten times what any zone of mail has, and little enough to be read in no time. */
const MOST_RECORDS = 1000

/** The question as it goes over the wire. Recursion is desired, and the AD bit asks to be told of DNSSEC (RFC 6840 §5.7). */
export function encodeQuestion({ name, type, id, edns }: DnsQuestion): Uint8Array {
  return encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [{ name, type, class: 'IN' }],
    additionals: edns ? [opt] : [],
  })
}

const opt: Answer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: UDP_OCTETS,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
}

/**
 * Reads what has come from a server. `undefined`: it is no answer to the question, whoever sent it (RFC 5452 §9.1: id, name,
 * type and class have to be those of the question), or nothing that can be read.
 */
export function readReply(octets: Uint8Array, question: DnsQuestion): DnsReply | undefined {
  const bytes = Buffer.from(octets.buffer, octets.byteOffset, octets.length)
  if (bytes.length < 12 || bytes.readUInt16BE(0) !== question.id) return undefined
  // Counts are looked at first: reading names costs what a sender likes it to.
  const records = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10)
  if (bytes.readUInt16BE(4) !== 1 || records > MOST_RECORDS) return undefined
  try {
    // What is shorter than it says is read as something else by those who take its word for it.
    const end = endOf(bytes)
    if (end === undefined) return undefined
    const packet = decode(bytes)
    if (decode.bytes !== end) return undefined
    const { flags = 0, flag_qr, flag_aa, flag_ra, flag_tc, flag_ad, questions = [], answers = [], ...rest } = packet
    const asked = questions[0]
    const opcode = (flags >> 11) & 15
    if (!flag_qr || opcode !== 0 || asked === undefined || asked.class !== 'IN') return undefined
    // Letter case is the asker's affair, and a server may give back another.
    if (asked.type !== question.type || nameOf(asked.name) !== question.name) return undefined
    return {
      code: (flags & 15) | (extendedCode(rest.additionals ?? []) << 4),
      lame: !flag_ra && !flag_aa && answers.length === 0,
      truncated: flag_tc,
      authentic: flag_ad,
      answers: answers.flatMap((answer) => recordOf(answer) ?? []),
      negativeTtl: negativeTtl(rest.authorities ?? []),
    }
  } catch {
    return undefined
  }
}

/** Where a message ends by the lengths in it; `undefined`: beyond its octets. */
function endOf(bytes: Buffer): number | undefined {
  const questions = bytes.readUInt16BE(4)
  const records = questions + bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10)
  let at = 12
  for (let count = 0; count < records; count++) {
    // A name ends with the root or with a pointer (RFC 1035 §4.1.4).
    let length = bytes.readUInt8(at++)
    for (; length !== 0 && length < 0xc0; length = bytes.readUInt8(at++)) at += length
    if (length !== 0) at++
    // Type and class; TTL, length and data beside them.
    at += count < questions ? 4 : 10 + bytes.readUInt16BE(at + 8)
  }
  return at <= bytes.length ? at : undefined
}

function extendedCode(additionals: readonly Answer[]): number {
  for (const record of additionals) if (record.type === 'OPT') return record.extendedRcode
  return 0
}

/** RFC 2308 §5: the SOA's own TTL, or its minimum field, whichever is less. */
function negativeTtl(authorities: readonly Answer[]): number | undefined {
  for (const record of authorities) {
    if (record.type === 'SOA') return Math.min(ttlOf(record.ttl), ttlOf(record.data.minimum))
  }
  return undefined
}

/** RFC 2181 §8: what has the highest bit set counts as 0. */
const ttlOf = (ttl = 0): number => (ttl > 0x7fff_ffff ? 0 : ttl)

/** A record of a type that mail asks for; `undefined`: of another type or class, or with a name in it that cannot be one. */
function recordOf(answer: Answer): DnsReplyRecord | undefined {
  if (answer.type === 'OPT' || ('class' in answer && answer.class !== 'IN')) return undefined
  const name = nameOf(answer.name)
  const data = dataOf(answer)
  if (data === undefined) return undefined
  return { name, type: answer.type as DnsRecordType, ttl: ttlOf(answer.ttl), data }
}

function dataOf(answer: Exclude<Answer, { type: 'OPT' }>): DnsRecords[DnsRecordType] | undefined {
  switch (answer.type) {
    case 'A':
    case 'AAAA':
      return answer.data.toLowerCase()
    case 'CNAME':
    case 'PTR':
      return target(answer.data)
    case 'MX': {
      const exchange = target(answer.data.exchange)
      return exchange === undefined ? undefined : { preference: answer.data.preference ?? 0, exchange }
    }
    case 'TXT':
      return [answer.data].flat().map((string) => Buffer.from(string).toString('latin1')).join('')
    case 'TLSA': {
      const { usage, selector, matchingType: matching, certificate } = answer.data
      return { usage, selector, matching, data: Uint8Array.from(certificate) }
    }
    default:
      return undefined
  }
}

/** Lower case, without the final dot; the root is the empty name. */
const nameOf = (name: string): string => (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase()

/** A name that a record leads to. Whatever octets its owner put there go into logs, headers and further questions. */
function target(given: string): string | undefined {
  const name = nameOf(given)
  return name === '' || isDnsName(name) ? name : undefined
}

/**
 * Whether it can be asked for: labels of 1 to 63 octets, 253 in all (RFC 1035 §2.3.4), visible ASCII without backslashes. More
 * than host names may have: `_dmarc`, and `1/25` in the reverse tree (RFC 2317).
 */
export function isDnsName(name: string): boolean {
  if (name.length > 253) return false
  let label = 0
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at)
    if (code <= 0x20 || code >= 0x7f || code === 0x5c) return false
    label = code === 0x2e ? 0 : label + 1
    if (label > 63 || (label === 0 && (at === 0 || name.charCodeAt(at - 1) === 0x2e))) return false
  }
  return label > 0
}
