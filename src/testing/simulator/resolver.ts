import type { DnsAnswer, DnsRecords, DnsRecordType, Resolver } from '../../contracts/resolver.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { FakeDns } from '../fake-dns.ts'
import type { Draws } from './draws.ts'
import { type Life, never } from './life.ts'

/** One question in so many; 0: none. */
export interface DnsFaults {
  readonly dnsFails: number
  readonly dnsLies: number
}

/** Names that a lie may be about. */
const ELSEWHERE = ['mx.f0.test', 'mx.h0.test', 'mx.nowhere.test']
const STRANGERS = ['198.51.100.10', '192.0.2.10', '203.0.113.99']

/** As what a DNS is seen from one life. */
export interface DnsView {
  readonly life: Life
  readonly draws: Draws
  readonly faults: DnsFaults
  readonly isHealed: () => boolean
  readonly note: (what: string) => void
  /** Lies about the name are found out. */
  readonly isSigned: (name: string) => boolean
}

/** A DNS that takes its time, fails and lies. */
export function fallibleResolver(dns: FakeDns, { life, draws, faults, isHealed, note, isSigned }: DnsView): Resolver {
  const later = (milliseconds: number): Promise<void> => {
    return new Promise((resolve) => life.clock.alarm(life.clock.ticks() + milliseconds, resolve))
  }
  return {
    async resolve<Type extends DnsRecordType>(name: string, type: Type, signal?: AbortSignal): Promise<DnsAnswer<Type>> {
      if (life.isOver) return never()
      const fails = !isHealed() && draws.oneIn(faults.dnsFails)
      const lies = !isHealed() && draws.oneIn(faults.dnsLies)
      await later(fails ? draws.pick([2, 5000]) : draws.between(1, 40))
      if (signal?.aborted) throw new MailError('temporary', `DNS: ${type} of ${name}: nobody waits for it`)
      if (fails) note(`dns ${type} ${name} fails`)
      if (fails) throw new MailError('temporary', `DNS: ${type} of ${name}: no answer`)
      const answer = await dns.resolve(name, type, signal)
      if (!lies) return answer
      note(`dns ${type} ${name} lies`)
      // Whoever validates finds out.
      if (isSigned(name)) throw new MailError('temporary', `DNS: ${type} of ${name}: bogus`)
      return lie(answer, type, draws)
    },
  }
}

function lie<Type extends DnsRecordType>(answer: DnsAnswer<Type>, type: Type, draws: Draws): DnsAnswer<Type> {
  const nothing = { ...answer, records: [], authenticated: false }
  const how = draws.below(4)
  if (how === 0) return { ...nothing, exists: draws.below(2) === 0 }
  // As of an answer that was cut off, and which nobody has asked for again.
  if (how === 1) return { ...answer, records: answer.records.slice(0, draws.below(answer.records.length + 1)) }
  if (type === 'MX') return { ...nothing, records: [mx(draws)] as unknown as DnsRecords[Type][], exists: true }
  if (type === 'A') return { ...nothing, records: [draws.pick(STRANGERS)] as unknown as DnsRecords[Type][], exists: true }
  return nothing
}

const mx = (draws: Draws): DnsRecords['MX'] => ({ preference: 10, exchange: draws.pick(ELSEWHERE) })
