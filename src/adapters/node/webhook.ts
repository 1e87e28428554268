import type { Resolver } from '../../contracts/resolver.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { guardedHttps } from './guarded-https.ts'

/** A webhook on its way. */
export interface WebhookCall {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** Posts it. Rejects where it was not taken. */
export type PostWebhook = (call: WebhookCall) => Promise<void>

/** How {@link webhookPost} goes out. */
export interface WebhookPostOptions {
  readonly resolver: Resolver
  /** Milliseconds that all of a call may take. */
  readonly timeout: number
  /** Goes to addresses that are not public too. */
  readonly allowPrivate: boolean
  /** Authorities to trust in place of those that the platform does; PEM. */
  readonly ca?: readonly string[] | undefined
}

/** Octets of an answer, of which only the status counts. */
const MOST_OCTETS = 65_536

/**
 * Posts webhooks over HTTPS, to public addresses alone unless told otherwise, following no redirect. Rejects with a MailError: a
 * `TlsFailure` where the server does not prove its name, `permanent` for a URL that is not of HTTPS, otherwise `temporary`.
 */
export function webhookPost({ resolver, timeout, allowPrivate, ca }: WebhookPostOptions): PostWebhook {
  return async ({ url, headers, body }) => {
    if (url.protocol !== 'https:') throw new MailError('permanent', `${url.protocol}//${url.host}: webhooks go over https alone`)
    const { status } = await guardedHttps(
      { host: url.hostname, port: Number(url.port || 443), path: url.pathname + url.search, method: 'POST', headers, body },
      { resolver, timeout, most: MOST_OCTETS, allowPrivate, ca },
    )
    if (status < 200 || status > 299) throw new MailError('temporary', `${url.host}: status ${status}`)
  }
}
