import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Resolver } from '../../contracts/resolver.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { guardedHttps } from './guarded-https.ts'

/** How {@link tlsReportPost} goes out. */
export interface TlsReportPostOptions {
  readonly resolver: Resolver
  /** Milliseconds (default 30,000). */
  readonly timeout?: number
  /** Goes to addresses that are not public too: for tests, and for networks of one's own. Default false. */
  readonly allowPrivate?: boolean
  /** Authorities to trust in place of those that the platform does; PEM. */
  readonly ca?: readonly string[]
}

/** Octets of an answer, of which only the status counts. */
const MOST_OCTETS = 65_536

/** Compresses, as reports on TLS go out (RFC 8460 §5.2). */
export const gzipped: (octets: Uint8Array) => Promise<Uint8Array> = promisify(gzip)

/**
 * Posts compressed reports on TLS to where domains want them (RFC 8460 §5.4). Rejects with a MailError: a `TlsFailure` where the
 * server does not prove its name, otherwise `temporary`.
 */
export function tlsReportPost(
  options: TlsReportPostOptions,
): (to: { readonly host: string; readonly port: number; readonly path: string }, compressed: Uint8Array) => Promise<void> {
  const { resolver, timeout = 30_000, allowPrivate = false, ca } = options
  return async ({ host, port, path }, compressed) => {
    const headers = { 'content-type': 'application/tlsrpt+gzip' }
    const request = { host, port, path, method: 'POST', headers, body: compressed } as const
    const { status } = await guardedHttps(request, { resolver, timeout, most: MOST_OCTETS, allowPrivate, ca })
    if (status < 200 || status > 299) throw new MailError('temporary', `${host}: status ${status}`)
  }
}
