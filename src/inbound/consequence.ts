import type { Stage, Verdict } from '../contracts/policy.ts'
import type { OptionKind } from '../protocol/session/options.ts'
import { defer, quarantine, reject } from './verdict.ts'

/**
 * What follows where a check has found something: `reject` by 5xx, `defer` by 4xx, `quarantine`, or so many points, which
 * {@link score} adds up; 0 for nothing.
 */
export type Consequence = 'reject' | 'defer' | 'quarantine' | number

/** An option that takes a consequence. */
export const aConsequence: OptionKind = {
  takes: "'reject', 'defer', 'quarantine' or a number of points",
  is: (value) => value === 'reject' || value === 'defer' || value === 'quarantine' || Number.isFinite(value),
}

/** What was found, and how it is refused: `subject` and `detail` of an enhanced status code, as `7.1` of `5.7.1`. */
export interface Fault {
  readonly text: string
  readonly code?: number
  readonly detail?: string
  /** For whoever looks after the server; the client is told `text`. */
  readonly why?: string
}

/** Lets follow what is to follow: a verdict, or points for the stage's notebook. */
export function follow(then: Consequence, fault: Fault, stage: Stage): Verdict | undefined {
  const { text, code = 550, detail = '7.1', why = text } = fault
  if (then === 'reject') return reject(code, `5.${detail}`, text)
  if (then === 'defer') return defer(code === 550 ? 450 : 451, `4.${detail}`, text)
  if (then === 'quarantine') return quarantine(why)
  if (then !== 0) stage.notes.score(then, why)
  return undefined
}
