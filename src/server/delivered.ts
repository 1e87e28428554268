import type { Verdict } from '../contracts/policy.ts'
import type { Queued } from './reception.ts'
import { pass, verdictOf } from '../inbound/verdict.ts'
import { MailError } from '../protocol/session/errors.ts'
import { shownValue } from '../protocol/session/options.ts'

/** One verdict for all, or one for each recipient. `queued`: the name of the message in a queue. */
export type Outcome = { readonly all: Verdict; readonly queued?: string } | { readonly each: readonly Verdict[] }

/**
 * What `deliver` has resolved with, as verdicts for so many recipients. What is no verdict accepts, since it has resolved; unless
 * it looks like a refusal that went wrong: 250 for that would lose mail.
 *
 * @throws MailError `misuse` for such a mistake
 */
export function outcomeOf(delivered: unknown, recipients: number): Outcome {
  if (isQueued(delivered)) return { all: pass(), queued: delivered.id }
  if (!Array.isArray(delivered) || !delivered.some(isMeant)) return { all: verdictIn(delivered) }
  if (delivered.length === recipients) return { each: delivered.map(verdictIn) }
  const count = `${delivered.length} for ${recipients} recipients`
  throw new MailError('misuse', `deliver answered a list of verdicts, ${count}; it takes one for each, in their order.`)
}

function verdictIn(value: unknown): Verdict {
  const isMistake = value === false || typeof value === 'function' || value instanceof Error
  if (isMistake) {
    const call = 'to refuse, return reject() or defer(), or throw'
    throw new MailError('misuse', `deliver answered ${value instanceof Error ? 'an error' : shownValue(value)}; ${call}.`)
  }
  return isMeant(value) ? verdictOf(value, 'deliver') : verdictOf(undefined, 'deliver')
}

const words: ReadonlySet<unknown> = new Set(['pass', 'accept', 'quarantine', 'discard', 'defer', 'reject'])

/** Whether it is a verdict, or looks as if it was to be one. */
function isMeant(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { kind, reply } = value as { kind?: unknown; reply?: unknown }
  return words.has(kind) || (typeof kind === 'string' && reply !== undefined)
}

function isQueued(value: unknown): value is Queued {
  if (typeof value !== 'object' || value === null) return false
  const { kind, id } = value as { kind?: unknown; id?: unknown }
  return kind === 'queued' && typeof id === 'string'
}
