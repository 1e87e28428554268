import type { SpfFinding } from '../../contracts/authentication.ts'
import type { AuthenticateBy, SpfSubject } from '../../contracts/authenticator.ts'
import { asciiDomain } from '../../message/domain.ts'
import { lookupOf } from './lookup.ts'
import type { Verifying } from './package.ts'

/** RFC 7208 §4.6.4: terms that ask the DNS, and answers that are empty. */
const MOST_TERMS = 10
const MOST_VOID = 2
/** Questions in all: ten terms, each with ten addresses or names of its own, and what is asked about an explanation. */
const MOST_QUESTIONS = 130
/** Characters of a reason. */
const MOST_WHY = 300

const results: ReadonlySet<string> =
  new Set<SpfFinding['result']>(['none', 'neutral', 'pass', 'fail', 'softfail', 'temperror', 'permerror'])

/** Whether a client may send for a domain (RFC 7208). */
export async function checkSpf(
  mailauth: Verifying, subject: SpfSubject, { resolver, signal }: AuthenticateBy,
): Promise<SpfFinding> {
  const { address, helo, sender, hostname } = subject
  const identity = sender === '' ? 'helo' : 'mailfrom'
  const { status, domain, explanation } = await mailauth.spf({
    sender,
    ip: address,
    helo,
    mta: hostname,
    resolver: lookupOf(resolver, signal, MOST_QUESTIONS),
    maxResolveCount: MOST_TERMS,
    maxVoidCount: MOST_VOID,
    strict: true,
  })
  const comment = status.comment?.startsWith(`${hostname}: `) ? status.comment.slice(hostname.length + 2) : status.comment
  return {
    result: results.has(status.result) ? (status.result as SpfFinding['result']) : 'temperror',
    identity,
    domain: asciiDomain(domain),
    why: (explanation ?? comment)?.slice(0, MOST_WHY),
  }
}
