import type { PolicyReply, Verdict } from '../contracts/policy.ts'
import { MailError } from '../protocol/session/errors.ts'
import { shownValue } from '../protocol/session/options.ts'

const PASS: Verdict = { kind: 'pass' }

/** Nothing against it. */
export const pass = (): Verdict => PASS
/** Somebody vouches for it. */
export const accept = (why: string): Verdict => ({ kind: 'accept', why })
/** Take it, and set it apart. */
export const quarantine = (why: string): Verdict => ({ kind: 'quarantine', why })
/** Say 250 and drop it. */
export const discard = (why: string): Verdict => ({ kind: 'discard', why })

/**
 * Refuses for good. `reject('No such ticket')` says `550 5.7.1 No such ticket`; `reject(552, '5.2.2', 'Mailbox full')` says
 * just that.
 */
export function reject(text: string): Verdict
export function reject(code: number, enhanced: string, text: string): Verdict
export function reject(codeOrText: number | string, enhanced = '5.7.1', text = ''): Verdict {
  return {
    kind: 'reject',
    reply: typeof codeOrText === 'string' ? { code: 550, enhanced, text: codeOrText } : { code: codeOrText, enhanced, text },
  }
}

/** Refuses for now. `defer('Ticket desk is busy')` says `451 4.7.1 Ticket desk is busy`. */
export function defer(text: string): Verdict
export function defer(code: number, enhanced: string, text: string): Verdict
export function defer(codeOrText: number | string, enhanced = '4.7.1', text = ''): Verdict {
  return {
    kind: 'defer',
    reply: typeof codeOrText === 'string' ? { code: 451, enhanced, text: codeOrText } : { code: codeOrText, enhanced, text },
  }
}

/** What is said where the fault is ours. */
export const ourFault: PolicyReply = { code: 451, enhanced: '4.3.0', text: 'Temporary failure, try again later' }

const rank: Record<Verdict['kind'], number> = { pass: 0, accept: 1, quarantine: 2, discard: 3, defer: 4, reject: 5 }

/**
 * What somebody has answered, as a verdict: nothing is `pass`.
 *
 * @throws MailError `misuse` for what is no verdict: taken for `pass` it would let mail in that somebody meant to refuse
 */
export function verdictOf(answer: unknown, who: string): Verdict {
  if (answer === undefined || answer === null) return PASS
  const { kind, reply } = answer as { kind?: unknown; reply?: unknown }
  if (typeof kind !== 'string' || !Object.hasOwn(rank, kind)) {
    const takes = 'nothing or a verdict, made by pass(), accept(), quarantine(), discard(), defer() or reject()'
    throw new MailError('misuse', `${who} answered ${shownValue(answer)}; it takes ${takes}.`)
  }
  if ((kind === 'reject' || kind === 'defer') && !isRefusal(reply)) {
    throw new MailError('misuse', `${who} answered ${kind} without a reply of 4xx or 5xx and a text.`)
  }
  return answer as Verdict
}

function isRefusal(reply: unknown): boolean {
  if (typeof reply !== 'object' || reply === null) return false
  const { code, text } = reply as { code?: unknown; text?: unknown }
  return Number.isInteger(code) && (code as number) >= 400 && (code as number) < 600 && typeof text === 'string'
}

/** A verdict, and the name of the policy that gave it. */
export type Judged = Verdict & { readonly policy?: string }

/** One verdict out of many: reject > defer > discard > quarantine > accept > pass; among equals, the first. Pure and total. */
export function combine(verdicts: readonly Verdict[]): Verdict {
  let strongest = PASS
  for (const verdict of verdicts) if (rank[verdict.kind] > rank[strongest.kind]) strongest = verdict
  return strongest
}
