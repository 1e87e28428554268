import type { KeyValue } from '../contracts/key-value.ts'
import type { Resolver } from '../contracts/resolver.ts'
import { TlsFailure } from '../protocol/session/dial.ts'
import { isMailError } from '../protocol/session/errors.ts'
import { parseStsPolicy, parseStsRecord, type StsPolicy } from './sts-policy.ts'

/**
 * Gets the text of a domain's policy by HTTPS from `https://mta-sts.DOMAIN/.well-known/mta-sts.txt` (RFC 8461 §3.3), in a time
 * of its own. Rejects with a MailError: a {@link TlsFailure} where the server does not prove its name. Follows no redirects,
 * takes no more than 64 KiB, and goes to no address that is not public.
 */
export type FetchPolicy = (domain: string) => Promise<string>

/** Why a policy that is announced cannot be had, in the words of RFC 8460 §4.3.2.2. */
export type StsTrouble = 'sts-policy-fetch-error' | 'sts-policy-invalid' | 'sts-webpki-invalid'

/** What is known of a domain's MTA-STS. */
export interface StsFinding {
  /** Absent: it has none that we know of. */
  readonly policy?: StsPolicy
  /** What has kept us from a policy, or from a newer one. */
  readonly trouble?: StsTrouble
}

/** Finds the MTA-STS policy of a domain (A-labels). Rejects only where the store does. */
export type StsLookup = (domain: string) => Promise<StsFinding>

/** What {@link mtaSts} works with. */
export interface StsParts {
  readonly resolver: Resolver
  /** Keeps policies under `sts:`, failures under `sts-failed:`. */
  readonly store: KeyValue
  readonly fetchPolicy: FetchPolicy
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
}

/** Milliseconds after which a policy that has not changed is fetched again, lest it runs out (RFC 8461 §3.3: once a day). */
const REFRESH = 86_400_000

/** Milliseconds between tries to fetch what could not be fetched (RFC 8461 §3.3: five minutes or longer). */
const RETRY = 300_000

/** A policy as it is kept. */
interface Kept {
  readonly id: string
  readonly policy: StsPolicy
  /** When it was fetched, in milliseconds since the Unix epoch. */
  readonly fetched: number
}

/** Looks policies up, and keeps them for as long as they hold. */
export function mtaSts(parts: StsParts): StsLookup {
  const underWay = new Map<string, Promise<StsFinding>>()
  return (domain) => {
    const already = underWay.get(domain)
    if (already !== undefined) return already
    const finding = find(domain, parts).finally(() => underWay.delete(domain))
    underWay.set(domain, finding)
    return finding
  }
}

async function find(domain: string, parts: StsParts): Promise<StsFinding> {
  const now = parts.now()
  const kept = keptFrom(await parts.store.get(`sts:${domain}`, now), now)
  const finding = kept === undefined ? {} : { policy: kept.policy }
  const id = await announced(domain, parts)
  // RFC 8461 §3.1: that nothing is announced takes away nothing that still holds: somebody else may have suppressed it.
  if (id === undefined) return finding
  if (kept?.id === id && now - kept.fetched < Math.min(REFRESH, (kept.policy.maxAge * 1000) / 2)) return finding
  const failed = await parts.store.get(`sts-failed:${domain}`, now)
  const [failedId, trouble] = failed?.split(' ', 2) ?? []
  if (failedId === id) return { ...finding, trouble: trouble as StsTrouble }
  const fetched = await policyOf(domain, parts)
  if (typeof fetched === 'string') {
    await parts.store.set(`sts-failed:${domain}`, `${id} ${fetched}`, { now, until: now + RETRY })
    return { ...finding, trouble: fetched }
  }
  const value: Kept = { id, policy: fetched, fetched: now }
  await parts.store.set(`sts:${domain}`, JSON.stringify(value), { now, until: now + fetched.maxAge * 1000 })
  return { policy: fetched }
}

/** The id of the policy that the domain says it has; `undefined`: it says nothing, or the DNS does not. */
async function announced(domain: string, { resolver }: StsParts): Promise<string | undefined> {
  try {
    return parseStsRecord((await resolver.resolve(`_mta-sts.${domain}`, 'TXT')).records)
  } catch (error) {
    if (!isMailError(error)) throw error
    return undefined
  }
}

async function policyOf(domain: string, { fetchPolicy }: StsParts): Promise<StsPolicy | StsTrouble> {
  try {
    return parseStsPolicy(await fetchPolicy(domain)) ?? 'sts-policy-invalid'
  } catch (error) {
    if (!isMailError(error)) throw error
    return error instanceof TlsFailure ? 'sts-webpki-invalid' : 'sts-policy-fetch-error'
  }
}

/** What was kept, where it is of the shape that we write and still holds. */
function keptFrom(text: string | undefined, now: number): Kept | undefined {
  if (text === undefined) return undefined
  try {
    const { id, policy, fetched } = JSON.parse(text) as Kept
    const isWhole = typeof id === 'string' && typeof fetched === 'number' && Array.isArray(policy.mx)
    return isWhole && now < fetched + policy.maxAge * 1000 ? { id, policy, fetched } : undefined
  } catch {
    return undefined
  }
}
