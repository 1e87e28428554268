import type { DnsAnswer, DnsRecords, DnsRecordType, Resolver } from '../contracts/resolver.ts'
import type { Clock } from '../protocol/session/clock.ts'
import { MailError } from '../protocol/session/errors.ts'

/** What a name, or one type at a name, does instead of answering. `TIMEOUT` takes as long as the resolver is patient. */
export type DnsFailure = 'NXDOMAIN' | 'SERVFAIL' | 'TIMEOUT'

type Text = string | readonly string[]

/** What is at a name, as a zone file writes it: `MX: ['10 mail.example.org']`, `TLSA: ['3 1 1 0d6f…']`. */
export interface FakeRecords {
  readonly A?: Text | DnsFailure
  readonly AAAA?: Text | DnsFailure
  readonly CNAME?: string | DnsFailure
  readonly MX?: Text | DnsFailure
  readonly PTR?: Text | DnsFailure
  readonly TXT?: Text | DnsFailure
  readonly TLSA?: Text | DnsFailure
  /** Seconds (default 300). */
  readonly ttl?: number
  /** DNSSEC has validated it (default false). What is found through aliases is validated where all of them are. */
  readonly authenticated?: boolean
}

/**
 * Names and what is there. An IP address stands for its name in the reverse tree: `{ '203.0.113.9': { PTR: 'mail.sender.test'
 * } }`.
 */
export type FakeZone = Readonly<Record<string, FakeRecords | DnsFailure>>

/** A DNS that knows what it was told, and nothing else. */
export interface FakeDns extends Resolver {
  /** Every question so far, in order, the name as it was asked for. */
  readonly asked: readonly { readonly name: string; readonly type: DnsRecordType }[]
  /** Puts something at a name in place of what was there; `undefined` takes it away. */
  set(name: string, records: FakeRecords | DnsFailure | undefined): void
}

/** How a fake DNS takes its time. */
export interface FakeDnsOptions {
  /** For time-outs. Without one they happen at once. */
  readonly clock?: Clock
  /** Milliseconds until a time-out (default 5,000). */
  readonly timeout?: number
}

const MOST_ALIASES = 8

/** A DNS for tests. Names that nobody has told it of do not exist. */
export function fakeDns(zone: FakeZone = {}, options: FakeDnsOptions = {}): FakeDns {
  return new Fake(zone, options)
}

class Fake implements FakeDns {
  readonly asked: { name: string; type: DnsRecordType }[] = []
  readonly #names = new Map<string, FakeRecords | DnsFailure>()
  readonly #options: FakeDnsOptions

  constructor(zone: FakeZone, options: FakeDnsOptions) {
    this.#options = options
    for (const [name, records] of Object.entries(zone)) this.set(name, records)
  }

  set(name: string, records: FakeRecords | DnsFailure | undefined): void {
    if (records === undefined) this.#names.delete(keyOf(name))
    else this.#names.set(keyOf(name), records)
  }

  async resolve<Type extends DnsRecordType>(name: string, type: Type, signal?: AbortSignal): Promise<DnsAnswer<Type>> {
    this.asked.push({ name, type })
    if (signal?.aborted) throw gaveUp(name, type)
    let at = keyOf(name)
    let way = { ttl: Infinity, authenticated: true }
    for (let aliases = 0; aliases <= MOST_ALIASES; aliases++) {
      const records = this.#names.get(at)
      const alias = typeof records === 'object' && type !== 'CNAME' ? records.CNAME : undefined
      const found = typeof records === 'object' ? (alias ?? records[type]) : records
      if (found === 'SERVFAIL') throw new MailError('temporary', `DNS: ${type} of ${name}: SERVFAIL`)
      if (found === 'TIMEOUT') return this.#timeOut(name, type, signal)
      if (alias === undefined || alias === 'NXDOMAIN') return this.#answer(at, type, records, found, way)
      way = alongWith(way, records)
      at = keyOf(alias)
    }
    throw new MailError('temporary', `DNS: ${type} of ${name}: more than ${MOST_ALIASES} aliases`)
  }

  #answer<Type extends DnsRecordType>(
    name: string,
    type: Type,
    records: FakeRecords | DnsFailure | undefined,
    found: Text | undefined,
    way: Way,
  ): DnsAnswer<Type> {
    const { ttl, authenticated } = alongWith(way, records)
    const texts = found === undefined || found === 'NXDOMAIN' ? [] : typeof found === 'string' ? [found] : found
    const exists = found !== 'NXDOMAIN' && (records !== undefined || this.#isAbove(name))
    return { records: texts.map((text) => readers[type](text)), exists, name, ttl, authenticated }
  }

  /** RFC 8020: a name exists where something is below it. */
  #isAbove(name: string): boolean {
    for (const known of this.#names.keys()) if (known.endsWith(`.${name}`)) return true
    return false
  }

  #timeOut(name: string, type: string, signal: AbortSignal | undefined): Promise<never> {
    const { clock, timeout = 5000 } = this.#options
    return new Promise((_, reject) => {
      const giveUp = (): void => reject(gaveUp(name, type))
      if (clock === undefined) return giveUp()
      const alarm = clock.alarm(clock.ticks() + timeout, giveUp)
      signal?.addEventListener('abort', () => {
        alarm.cancel()
        giveUp()
      })
    })
  }
}

/** What holds of all names between the one asked for and the one that answers. */
interface Way {
  readonly ttl: number
  readonly authenticated: boolean
}

function alongWith(way: Way, records: FakeRecords | DnsFailure | undefined): Way {
  const { ttl = 300, authenticated = false } = typeof records === 'object' ? records : {}
  return { ttl: Math.min(way.ttl, ttl), authenticated: way.authenticated && authenticated }
}

const gaveUp = (name: string, type: string): MailError =>
  new MailError('temporary', `DNS: ${type} of ${name}: no answer in time`)

const readers: { readonly [Type in DnsRecordType]: (text: string) => DnsRecords[Type] } = {
  A: (text) => text,
  AAAA: (text) => text.toLowerCase(),
  CNAME: (text) => nameOf(text),
  PTR: (text) => nameOf(text),
  TXT: (text) => text,
  MX(text) {
    const [preference = '', exchange] = words(text)
    if (exchange === undefined || !isNumber(preference)) throw wrong('MX', text, '10 mail.example.org')
    return { preference: Number(preference), exchange: nameOf(exchange) }
  },
  TLSA(text) {
    const [usage = '', selector = '', matching = '', data] = words(text)
    if (data === undefined || ![usage, selector, matching].every(isNumber)) throw wrong('TLSA', text, '3 1 1 0d6fce13…')
    return {
      usage: Number(usage),
      selector: Number(selector),
      matching: Number(matching),
      data: new Uint8Array(Buffer.from(data, 'hex')),
    }
  },
}

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '')
const isNumber = (text: string): boolean => text !== '' && [...text].every((digit) => digit >= '0' && digit <= '9')
const wrong = (type: string, text: string, right: string): MailError =>
  new MailError('misuse', `fakeDns: ${JSON.stringify(text)} is no ${type} record: write '${right}'.`)

/** Lower case, without the final dot. */
const nameOf = (name: string): string => (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase()

/** Where a name's records are kept: an address's at its place in the reverse tree (RFC 1035 §3.5, RFC 3596 §2.5). */
function keyOf(name: string): string {
  if (name.includes(':')) return `${nibbles(name.toLowerCase()).reverse().join('.')}.ip6.arpa`
  const labels = name.split('.')
  const isAddress = labels.length === 4 && labels.every((label) => isNumber(label) && Number(label) < 256)
  return isAddress ? `${labels.reverse().join('.')}.in-addr.arpa` : nameOf(name)
}

/** The 32 hexadecimal digits of an IPv6 address. */
function nibbles(address: string): string[] {
  const [head = '', tail] = address.split('::')
  const groups = (text: string): string[] =>
    text
      .split(':')
      .filter((group) => group !== '')
      .map((group) => group.padStart(4, '0'))
  const first = groups(head)
  const last = tail === undefined ? [] : groups(tail)
  return [...[...first, ...Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0000'), ...last].join('')]
}
