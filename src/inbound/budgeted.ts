import type { DnsAnswer, DnsRecordType, Resolver } from '../contracts/resolver.ts'
import { MailError } from '../protocol/session/errors.ts'

/**
 * A resolver for one message, which has so many questions to ask of the DNS, whatever is in it: a record of SPF that includes a
 * hundred others, a thousand signatures. A question that is asked again gets the same answer, or failure, and costs nothing;
 * others reject with a `temporary` MailError once there are no more. All of them are given up when `signal` aborts.
 *
 * ```ts
 * import { budgeted, type Policy } from 'posthorn'
 *
 * const policy: Policy = {
 *   name: 'contacts',
 *   message: async ({ headers }, stage) => {
 *     const resolver = budgeted(stage.resolver, 20, stage.signal)
 *     for (const { value } of headers.all('x-contact')) {
 *       if ((await resolver.resolve(value, 'MX')).exists) stage.notes.tag(`contact at ${value}`)
 *     }
 *   },
 * }
 * ```
 */
export function budgeted(resolver: Resolver, questions: number, signal?: AbortSignal): Resolver {
  const asked = new Map<string, Promise<unknown>>()
  const ask = (name: string, type: DnsRecordType): Promise<unknown> => {
    const key = `${type} ${name.toLowerCase()}`
    const known = asked.get(key)
    if (known !== undefined) return known
    if (asked.size >= questions) {
      throw new MailError('temporary', `DNS: ${type} of ${name}: a message may ask ${questions} questions, not more`)
    }
    const answer = resolver.resolve(name, type, signal)
    asked.set(key, answer)
    return answer
  }
  return {
    resolve: async <Type extends DnsRecordType>(name: string, type: Type, own?: AbortSignal): Promise<DnsAnswer<Type>> =>
      unlessAborted(ask(name, type), own, `${type} of ${name}`) as Promise<DnsAnswer<Type>>,
  }
}

/** The question goes on for others who have asked it. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined, what: string): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new MailError('temporary', `DNS: ${what}: the answer is not wanted any more`))
    const leave = (): void => signal.removeEventListener('abort', abort)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(leave)
  })
}
