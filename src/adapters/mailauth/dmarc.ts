import { createHash } from 'node:crypto'
import type { DkimFinding, DmarcFinding, SpfFinding } from '../../contracts/authentication.ts'
import type { Authors } from './authors.ts'
import type { DmarcVerdict, Lookup, Verifying } from './package.ts'

/** What there is to go by. */
export interface DmarcSubject {
  readonly authors: Authors
  readonly spf: SpfFinding | undefined
  readonly dkim: readonly DkimFinding[]
  /** Of the message: whether it is among those that `pct` means. */
  readonly id: string
}

/** What was found, and what only BIMI asks for. */
export interface DmarcResult {
  readonly finding: DmarcFinding
  /** Of the author, where he is known. */
  readonly organization: string | undefined
}

type Policy = 'none' | 'quarantine' | 'reject'
const strength: Readonly<Record<Policy, number>> = { none: 0, quarantine: 1, reject: 2 }
const weaker: Readonly<Record<Policy, Policy>> = { none: 'none', quarantine: 'none', reject: 'quarantine' }

/**
 * What DMARC says of a message: the policy is found as RFC 9989 §4.10 does, by walking up the tree. Two domains are of one
 * organization only where the Public Suffix List has it so too, as in RFC 7489 §3.2: a registry that publishes a record is
 * not the organization of all that it has registered.
 */
export async function checkDmarc(mailauth: Verifying, resolver: Lookup, subject: DmarcSubject): Promise<DmarcResult> {
  const { authors } = subject
  const [domain = ''] = authors.domains
  if (authors.why === undefined) return evaluate(mailauth, resolver, domain, subject)
  // RFC 7489 §6.6.1: each of them is looked at, and what is asked for most strictly is what holds.
  let disposition: Policy = authors.tooMany ? 'reject' : 'none'
  let isTemporary = false
  for (const each of authors.domains) {
    const { finding } = await evaluate(mailauth, resolver, each, subject)
    if (strength[finding.disposition] > strength[disposition]) disposition = finding.disposition
    if (finding.result === 'temperror') isTemporary = true
  }
  const finding: DmarcFinding = {
    result: isTemporary && disposition === 'none' ? 'temperror' : 'permerror',
    domain: authors.domains.length === 1 ? domain : '',
    policyDomain: undefined,
    policy: undefined,
    disposition,
    aligned: { spf: false, dkim: false },
    record: undefined,
    why: authors.why,
  }
  return { finding, organization: undefined }
}

async function evaluate(
  mailauth: Verifying, resolver: Lookup, domain: string, { spf, dkim, id }: DmarcSubject,
): Promise<DmarcResult> {
  const related = (others: readonly string[]): string[] =>
    others.filter((other) => other !== '' && mailauth.getAlignment(domain, [other]) !== false)
  const whole = dkim.filter(({ covers }) => covers === 'all')
  const domains = (result: string): { spfDomains: string[]; dkimDomains: string[] } => ({
    spfDomains: related(spf?.result === result ? [spf.domain] : []),
    dkimDomains: related(whole.filter((each) => each.result === result).map((each) => each.domain)),
  })
  const author = { headerFrom: [`author@${domain}`], fromFields: 1, resolver, strict: true } as const
  const { response } = await mailauth.evaluateDmarc({ ...author, ...domains('pass') })
  if (!response) return { finding: unknown(domain, 'permerror', 'the domain of the author is none'), organization: undefined }
  const result = resultOf(response)
  const found = findingOf(domain, result, response, id)
  if (result !== 'fail') return { finding: found, organization: response.domain }
  // What would have passed, had the DNS answered, has not failed.
  const perhaps = domains('temperror')
  if (perhaps.spfDomains.length + perhaps.dkimDomains.length === 0) return { finding: found, organization: response.domain }
  const { response: other } = await mailauth.evaluateDmarc({ ...author, ...perhaps })
  const isOpen = other !== false && resultOf(other) !== 'fail'
  const why = 'the DNS does not say whether SPF or DKIM pass'
  return {
    finding: isOpen ? { ...found, result: 'temperror', disposition: 'none', why } : found,
    organization: response.domain,
  }
}

function findingOf(domain: string, result: DmarcFinding['result'], response: DmarcVerdict, id: string): DmarcFinding {
  const { policyDomain, policy, p, rr, alignment, error } = response
  if (policy === undefined || policyDomain === undefined) return unknown(domain, result, error)
  const record = tagsOf(rr ?? '')
  const isTest = record.get('t')?.toLowerCase() === 'y'
  const isOwn = policyDomain === domain
  const inherited = record.get('sp')?.toLowerCase() as Policy | undefined
  return {
    result,
    domain,
    policyDomain,
    // A test asks for less than it publishes.
    policy: isOwn ? p : isTest ? (inherited ?? p) : policy,
    disposition: result === 'fail' ? sampled(policy, record.get('pct'), id) : 'none',
    aligned: { spf: alignment?.spf.result !== undefined, dkim: alignment?.dkim.result !== undefined },
    record,
    why: error ?? (result === 'fail' ? 'neither SPF nor DKIM pass for the domain of the author' : undefined),
  }
}

const unknown = (domain: string, result: DmarcFinding['result'], why: string | undefined): DmarcFinding => ({
  result, domain, policyDomain: undefined, policy: undefined, disposition: 'none', aligned: { spf: false, dkim: false },
  record: undefined, why,
})

function resultOf({ status }: DmarcVerdict): DmarcFinding['result'] {
  const { result } = status
  return result === 'pass' || result === 'fail' || result === 'none' || result === 'temperror' ? result : 'permerror'
}

/** RFC 7489 §6.6.4: of so many percent of the messages; the rest gets what is next less strict. By chance, and repeatable. */
function sampled(policy: Policy, pct: string | undefined, id: string): Policy {
  if (pct === undefined || !/^[0-9]{1,3}$/.test(pct) || Number(pct) >= 100) return policy
  const chance = createHash('sha256').update(id).digest().readUInt32BE(0) % 100
  return chance < Number(pct) ? policy : weaker[policy]
}

/** The tags of a record; of the same tag the first one. */
function tagsOf(record: string): ReadonlyMap<string, string> {
  const tags = new Map<string, string>()
  for (const part of record.split(';')) {
    const equals = part.indexOf('=')
    const name = part.slice(0, Math.max(equals, 0)).trim().toLowerCase()
    if (name !== '' && !tags.has(name)) tags.set(name, part.slice(equals + 1).trim())
  }
  return tags
}
