import type { ArcFinding, Authentication, DmarcFinding } from '../../contracts/authentication.ts'
import type { Verdict } from '../../contracts/policy.ts'
import { parseAuthenticationResults } from '../../message/authentication-results.ts'
import { defer, quarantine, reject } from '../verdict.ts'

/** What is done where DMARC asks for something. */
export interface DispositionOptions {
  /** `honour`: what the domain asks for. */
  readonly policy: 'none' | 'quarantine' | 'reject' | 'honour'
  readonly onTemporary: 'pass' | 'defer'
}

/** Whether somebody who is trusted has sealed that the message had passed DMARC when he got it (RFC 8617 §7.2.1). */
export function isVouchedFor(arc: ArcFinding | undefined, trusted: ReadonlySet<string>): boolean {
  const sealer = arc?.sealers.at(-1)
  if (arc?.result !== 'pass' || sealer === undefined || !trusted.has(sealer)) return false
  // What stands before the first semicolon is which set it is (§4.1.1).
  const said = arc.said ?? ''
  const results = parseAuthenticationResults(said.slice(said.indexOf(';') + 1))?.results ?? []
  const dmarc = results.filter(({ method }) => method === 'dmarc')
  return dmarc.length > 0 && dmarc.every(({ result }) => result === 'pass')
}

/** Whether ARC makes good what DMARC has against a message: its author is known, and what he signed was broken on the way. */
export function isOverridden({ dmarc, arc }: Authentication, trusted: ReadonlySet<string>): boolean {
  return dmarc?.result === 'fail' && isVouchedFor(arc, trusted)
}

/** What becomes of a message. */
export function verdictOn(dmarc: DmarcFinding | undefined, { policy, onTemporary }: DispositionOptions): Verdict | undefined {
  if (dmarc?.result === 'temperror' && onTemporary === 'defer') {
    return defer(451, '4.7.1', 'The DNS does not say who sent this, try again later')
  }
  if (dmarc === undefined || dmarc.disposition === 'none' || policy === 'none') return undefined
  const done = policy === 'honour' ? dmarc.disposition : policy
  const whose = dmarc.domain === '' ? 'those it says it is from' : dmarc.domain
  return done === 'reject'
    ? reject(550, '5.7.1', `DMARC: the policy of ${whose} is not to take this`)
    : quarantine(`DMARC: the policy of ${whose}`)
}
