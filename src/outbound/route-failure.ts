/** Why there is no way to a domain. */
export type RouteReason =
  /** The DNS does not answer. */
  | 'dns'
  /** It says that there is no such domain. */
  | 'no-domain'
  /** The domain takes no mail (RFC 7505). */
  | 'null-mx'
  /** Its servers have no address. */
  | 'no-address'
  /** It leads back to us. */
  | 'self'
  /** None of its servers may be sent to: by MTA-STS, DANE or our own rules. */
  | 'tls-policy'
  /** The route that the mail was to take is not there any more. */
  | 'no-route'

/** There is no way: for now, or at all. Codes are those of the reply that says the same. */
export interface RouteFailure {
  readonly failure: 'temporary' | 'permanent'
  readonly reason: RouteReason
  readonly code: number
  /** RFC 3463. */
  readonly enhanced: string
  readonly text: string
}

/** Makes a failure; the class of `detail`, such as `1.2`, follows from the code. */
export function routeFailure(reason: RouteReason, code: number, detail: string, text: string): RouteFailure {
  const temporary = code < 500
  return { failure: temporary ? 'temporary' : 'permanent', reason, code, enhanced: `${temporary ? 4 : 5}.${detail}`, text }
}
