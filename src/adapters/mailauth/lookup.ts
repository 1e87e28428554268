import type { DnsAnswer, DnsRecordType, Resolver } from '../../contracts/resolver.ts'
import type { Lookup } from './package.ts'
import { turn } from './turn.ts'

/** Characters of TXT records that take a moment to be read: ten of them in one turn would take too long. */
const LONG = 4096

/** Why a name has no such records, or none could be had, as `node:dns` says it. */
function failure(code: 'ENOTFOUND' | 'ENODATA' | 'ESERVFAIL', message: string): Error {
  return Object.assign(new Error(message), { code })
}

/**
 * A resolver as mailauth asks it: what is not there is an error of one kind, what could not be found out one of another, which it
 * takes for a temporary one. More questions than `most` are not asked: what hangs on them is not known, either. A question that
 * is asked again is not asked of the DNS twice.
 */
export function lookupOf(resolver: Resolver, signal: AbortSignal, most: number): Lookup {
  const asked = new Map<string, Promise<readonly unknown[]>>()
  return (name, type) => {
    const key = `${type} ${name}`
    let answer = asked.get(key)
    if (!answer) {
      if (asked.size >= most) return Promise.reject(failure('ESERVFAIL', `more than ${most} questions to the DNS`))
      answer = ask(resolver, name, type as DnsRecordType, signal)
      asked.set(key, answer)
    }
    // What comes of it is written to: errors are marked, lists of MX sorted.
    return answer.then(
      async (records) => {
        if (type === 'TXT' && String(records).length > LONG) await turn()
        return [...records]
      },
      (error: Error) => Promise.reject(Object.assign(new Error(error.message), error)),
    )
  }
}

async function ask(resolver: Resolver, name: string, type: DnsRecordType, signal: AbortSignal): Promise<readonly unknown[]> {
  let answer: DnsAnswer<DnsRecordType>
  try {
    answer = await resolver.resolve(name, type, signal)
  } catch (error) {
    throw failure('ESERVFAIL', error instanceof Error ? error.message : 'no answer')
  }
  const { records, exists } = answer
  if (records.length === 0) throw failure(exists ? 'ENODATA' : 'ENOTFOUND', `${name} has no ${type}`)
  if (type === 'TXT') return records.map((text) => [text])
  if (type === 'MX') {
    return (records as DnsAnswer<'MX'>['records']).map(({ preference, exchange }) => ({ priority: preference, exchange }))
  }
  return records
}
