import type { DnsAnswer, DnsRecords, DnsRecordType, Resolver } from '../../../src/contracts/resolver.ts'
import { MailError } from '../../../src/protocol/session/errors.ts'

type Entry = 'TIMEOUT' | Readonly<Record<string, unknown>>

/** What is at each name, as the suites write it. */
export type Zone = Readonly<Record<string, readonly Entry[]>>

/** The DNS of the openspf suite: records of type SPF stand for TXT ones where a name has none of those. */
export class SuiteDns implements Resolver {
  readonly #zone = new Map<string, readonly Entry[]>()
  asked = 0

  constructor(zone: Zone) {
    for (const [name, entries] of Object.entries(zone)) this.#zone.set(name.toLowerCase(), entries)
  }

  async resolve<Type extends DnsRecordType>(name: string, type: Type): Promise<DnsAnswer<Type>> {
    this.asked++
    const isName = name.length <= 253 && name.split('.').every(({ length }) => length <= 63)
    const entries = isName ? this.#zone.get(name.toLowerCase()) : undefined
    const values = this.#values(entries ?? [], type).filter((value) => value !== 'NONE')
    const alias = type === 'CNAME' ? undefined : this.#values(entries ?? [], 'CNAME')[0]
    if (values.length === 0 && alias !== undefined) return this.resolve(String(alias), type)
    if (values.length === 0 && entries?.includes('TIMEOUT')) throw new MailError('temporary', 'no answer')
    const records = values.map((value) => recordOf(type, value) as DnsRecords[Type])
    return { records, exists: entries !== undefined, name, ttl: 300, authenticated: false }
  }

  #values(entries: readonly Entry[], type: string): unknown[] {
    const of = (wanted: string): unknown[] =>
      entries.flatMap((entry) => (typeof entry === 'object' && wanted in entry ? [entry[wanted]] : []))
    const own = of(type)
    return type === 'TXT' && own.length === 0 ? of('SPF') : own
  }
}

function recordOf(type: DnsRecordType, value: unknown): unknown {
  if (type === 'MX') {
    const [preference, exchange] = value as [number, string]
    return { preference, exchange }
  }
  return Array.isArray(value) ? value.join('') : String(value)
}
