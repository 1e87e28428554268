import type { TlsDemand } from '../protocol/session/dial.ts'
import type { DaneFinding } from './dane.ts'
import type { MailHost, MailHosts } from './mx.ts'
import type { RequiredTls } from './routes.ts'
import { stsNames, type StsPolicy } from './sts-policy.ts'

/** What is asked of TLS with the servers of a domain. */
export interface TlsWish {
  /** As it stands in the envelope, in A-labels. */
  readonly domain: string
  readonly found: MailHosts
  readonly sts: StsPolicy | undefined
  /** By the route. */
  readonly required: RequiredTls | undefined
  /** The message asks for REQUIRETLS (RFC 8689). */
  readonly strictly: boolean
}

/** Whose policy decides; `none`: encrypted where it can be had (RFC 7435). */
export type TlsAuthority = 'dane' | 'sts' | 'requiretls' | 'route' | 'none'

/** How a server may be used, or why not. */
export type HostTls =
  | {
    readonly may: true
    readonly by: TlsAuthority
    readonly tls: 'opportunistic' | 'required'
    readonly demand: TlsDemand
    /** Its name is beyond doubt, and it has to prove it: enough for REQUIRETLS (RFC 8689 §4.2.1). */
    readonly verified: boolean
  }
  | { readonly may: false; readonly by: TlsAuthority; readonly failure: 'temporary' | 'permanent'; readonly text: string }

/** Decides how a server may be used: DANE over MTA-STS (RFC 8461 §2), those over the route, the strictest wish last. */
export function hostTls(host: MailHost, dane: DaneFinding, wish: TlsWish): HostTls {
  const { found, sts } = wish
  // Where the servers themselves may be made up, so may be what they have records for (RFC 7672 §2.2.1).
  const daneKind = found.authenticated ? dane.kind : 'none'
  if (daneKind === 'failed') return refused('dane', 'temporary', `The TLSA records of ${host.name} cannot be looked up`)
  if (found.authenticated && dane.kind === 'usable') return byDane(host, dane, wish)
  const isNamed = sts !== undefined && sts.mode !== 'none' && stsNames(sts, host.name)
  if (sts?.mode === 'enforce' && !isNamed) {
    // RFC 8461 §5.1: the policy may be changed before the mail has to be given up.
    return refused('sts', 'temporary', `The MTA-STS policy of ${wish.domain} does not name ${host.name}`)
  }
  const isLiteral = host.name.startsWith('[')
  // RFC 8689 §4.2.1: the name is the domain's own, or comes from signed records or from a policy that names it.
  const isCertain = !isLiteral && (found.implicit || found.authenticated || isNamed)
  if (wish.strictly && !isCertain) {
    return refused('requiretls', 'permanent', `REQUIRETLS: nothing proves that ${host.name} is a server of ${wish.domain}`)
  }
  const proven: HostTls = { may: true, by: 'none', tls: 'required', demand: pkix(host), verified: isCertain }
  if (sts?.mode === 'enforce') return { ...proven, by: 'sts' }
  if (wish.strictly) return { ...proven, by: 'requiretls' }
  if (wish.required === 'verified') {
    return isLiteral ? refused('route', 'permanent', `${host.name} has no name to prove`) : { ...proven, by: 'route' }
  }
  const anybody: TlsDemand = isLiteral ? { trust: 'none' } : { trust: 'none', serverName: host.name }
  if (daneKind === 'unusable') return { may: true, by: 'dane', tls: 'required', demand: anybody, verified: false }
  if (wish.required === 'encrypted') return { may: true, by: 'route', tls: 'required', demand: anybody, verified: false }
  return { may: true, by: 'none', tls: 'opportunistic', demand: anybody, verified: false }
}

const refused = (by: TlsAuthority, failure: 'temporary' | 'permanent', text: string): HostTls =>
  ({ may: false, by, failure, text })

const pkix = ({ name }: MailHost): TlsDemand => ({ trust: 'pkix', serverName: name })

function byDane(
  { name }: MailHost, { base, records }: Extract<DaneFinding, { kind: 'usable' }>, { domain, found }: TlsWish,
): HostTls {
  // RFC 7672 §3.2.2: with DANE-TA the certificate may be for the domain as well; with DANE-EE names do not count (§3.1.1).
  const names = [...new Set([name, domain, ...(found.alias === undefined ? [] : [found.alias])])].filter((each) => each !== base)
  const others = records.some(({ usage }) => usage === 2) && names.length > 0 ? { names } : {}
  const demand: TlsDemand = { trust: { tlsa: records }, serverName: base, ...others }
  return { may: true, by: 'dane', tls: 'required', demand, verified: true }
}
