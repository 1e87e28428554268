import type { Resolver } from '../contracts/resolver.ts'
import type { TlsaRecord } from '../protocol/session/dial.ts'
import { isMailError } from '../protocol/session/errors.ts'
import type { MailHost } from './mx.ts'

/** What DANE says of a server (RFC 7672 §2.2). */
export type DaneFinding =
  /** Nothing: DNSSEC has proven that there are no records, or has not proven anything. */
  | { readonly kind: 'none' }
  /** There are records, but none that we understand: TLS is a must, from whomever. */
  | { readonly kind: 'unusable' }
  /** The server has to fit one of the records, found under `base`, which is the name to ask it for. */
  | { readonly kind: 'usable'; readonly base: string; readonly records: readonly TlsaRecord[] }
  /** It cannot be found out: the server must not be used, for somebody may keep the records from us (RFC 7672 §2.1.2). */
  | { readonly kind: 'failed' }

/** Octets of a digest by matching type. */
const digests = new Map([[1, 32], [2, 64]])

/** Finds the TLSA records of a server. Rejects only with what `signal` aborts by. */
export async function daneOf(host: MailHost, port: number, resolver: Resolver, signal?: AbortSignal): Promise<DaneFinding> {
  try {
    for (const base of await basesOf(host, resolver, signal)) {
      const answer = await resolver.resolve(`_${port}._tcp.${base}`, 'TLSA', signal)
      if (!answer.authenticated || answer.records.length === 0) continue
      const records = answer.records.filter(isUsable)
      return records.length === 0 ? { kind: 'unusable' } : { kind: 'usable', base, records }
    }
    return { kind: 'none' }
  } catch (error) {
    signal?.throwIfAborted()
    if (!isMailError(error)) throw error
    return { kind: 'failed' }
  }
}

/** RFC 7672 §2.2.2 and §2.2.3: the names that records may be under: where the aliases lead to, then the server's own. */
async function basesOf({ name, alias, authenticated }: MailHost, resolver: Resolver, signal?: AbortSignal): Promise<string[]> {
  if (authenticated) return alias === undefined ? [name] : [alias, name]
  if (alias === undefined) return []
  // The aliases lead out of what is signed; the first of them may still be in it.
  return (await resolver.resolve(name, 'CNAME', signal)).authenticated ? [name] : []
}

/** RFC 7672 §3.1: DANE-TA and DANE-EE, of a key or a certificate, whole or by a digest that we know. */
function isUsable({ usage, selector, matching, data }: TlsaRecord): boolean {
  if ((usage !== 2 && usage !== 3) || (selector !== 0 && selector !== 1)) return false
  return matching === 0 ? data.length > 0 : digests.get(matching) === data.length
}
