import type { Resolver } from '../../contracts/resolver.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { guardedHttps } from './guarded-https.ts'

/** How {@link stsFetch} goes out. */
export interface StsFetchOptions {
  readonly resolver: Resolver
  /** Milliseconds (default 30,000; RFC 8461 §3.3 suggests a minute at most). */
  readonly timeout?: number
  /** Goes to addresses that are not public too: for tests, and for networks of one's own. Default false. */
  readonly allowPrivate?: boolean
  /** Authorities to trust in place of those that the platform does; PEM. */
  readonly ca?: readonly string[]
  /** Default 443. */
  readonly port?: number
}

/** RFC 8461 §3.2 has 64 kilobytes for sensible. */
const MOST_OCTETS = 65_536

/**
 * Fetches the text of MTA-STS policies: `mtaSts()` takes it as `fetchPolicy`. Rejects with a MailError: a `TlsFailure` where the
 * server does not prove its name, otherwise `temporary`.
 */
export function stsFetch(options: StsFetchOptions): (domain: string) => Promise<string> {
  const { resolver, timeout = 30_000, allowPrivate = false, ca, port = 443 } = options
  const terms = { resolver, timeout, most: MOST_OCTETS, allowPrivate, ca }
  return async (domain) => {
    const host = `mta-sts.${domain}`
    const path = '/.well-known/mta-sts.txt'
    const request = { host, port, path, method: 'GET', headers: { accept: 'text/plain' } } as const
    const { status, headers, body } = await guardedHttps(request, terms)
    // RFC 8461 §3.3: nothing but 200, which leaves out redirects; and text, so that nobody's upload is taken for a policy.
    if (status !== 200) throw new MailError('temporary', `${host}: status ${status}`)
    const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
    if (type !== 'text/plain') throw new MailError('temporary', `${host}: the policy is ${type ?? 'of no type'}, not text/plain`)
    return new TextDecoder().decode(body)
  }
}
