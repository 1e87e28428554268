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

/** A DNS that takes its time, fails and lies, as seen from one life. */
export function fallibleResolver(
  dns: FakeDns, life: Life, draws: Draws, faults: DnsFaults, isHealed: () => boolean, note: (what: string) => void,
): Resolver {
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
      if (!lies) return dns.resolve(name, type, signal)
      note(`dns ${type} ${name} lies`)
      return lie(name, type, draws)
    },
  }
}

function lie<Type extends DnsRecordType>(name: string, type: Type, draws: Draws): DnsAnswer<Type> {
  const nothing = { records: [], name, ttl: 300, authenticated: false }
  if (type !== 'MX' || draws.below(2) === 0) return { ...nothing, exists: draws.below(2) === 0 }
  const records = [{ preference: 10, exchange: draws.pick(ELSEWHERE) }] as unknown as DnsRecords[Type][]
  return { ...nothing, records, exists: true }
}
