import { LRUCache } from 'lru-cache'
import type { DnsAnswer, DnsRecordType } from '../../contracts/resolver.ts'
import type { Clock } from '../../protocol/session/clock.ts'

/** Octets that all answers together may take. */
const MOST_OCTETS = 16 * 1024 * 1024

/** Seconds: RFC 8767 §4 would have a week, but whoever corrects a record is glad of a day. */
const MOST_POSITIVE = 86_400

/** Seconds: RFC 2308 §5 finds one to three hours sensible. */
const MOST_NEGATIVE = 10_800

interface Kept {
  readonly answer: DnsAnswer<DnsRecordType>
  /** On the clock's ticks. */
  readonly until: number
}

/** What the DNS has said, for as long as it holds. */
export class DnsCache {
  readonly #clock: Clock
  readonly #kept: LRUCache<string, Kept> | undefined

  /** `entries` 0: nothing is kept. */
  constructor(entries: number, clock: Clock) {
    this.#clock = clock
    this.#kept = entries === 0 ? undefined : new LRUCache({ max: entries, maxSize: MOST_OCTETS, sizeCalculation: weigh })
  }

  /** What is known, with the seconds that are left of it. */
  get<Type extends DnsRecordType>(name: string, type: Type): DnsAnswer<Type> | undefined {
    // RFC 2308 §5: that there is no such name holds for all types.
    for (const key of [keyOf(name, type), keyOf(name)]) {
      const kept = this.#kept?.get(key)
      if (kept === undefined) continue
      const left = Math.floor((kept.until - this.#clock.ticks()) / 1000)
      if (left > 0) return { ...(kept.answer as DnsAnswer<Type>), ttl: left }
      this.#kept?.delete(key)
    }
    return undefined
  }

  set<Type extends DnsRecordType>(name: string, type: Type, answer: DnsAnswer<Type>): void {
    const ttl = Math.min(answer.ttl, answer.records.length > 0 ? MOST_POSITIVE : MOST_NEGATIVE)
    if (ttl < 1) return
    // Behind aliases it is another name that does not exist.
    const key = answer.exists || answer.name !== name ? keyOf(name, type) : keyOf(name)
    this.#kept?.set(key, { answer, until: this.#clock.ticks() + ttl * 1000 })
  }

  clear(): void {
    this.#kept?.clear()
  }
}

const keyOf = (name: string, type: DnsRecordType | '' = ''): string => `${type} ${name}`

/** Roughly the octets that an entry holds. */
function weigh({ answer }: Kept): number {
  let octets = 200 + answer.name.length
  for (const record of answer.records) octets += 50 + (typeof record === 'string' ? record.length : 100)
  return octets
}
