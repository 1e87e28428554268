import type { Note } from '../../contracts/note.ts'
import type { Decision, Policy, Stage, Verdict } from '../../contracts/policy.ts'
import type { ReceivedMessage } from '../../contracts/received.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { aSwitch, checkOptions, type OptionKind, type OptionKinds } from '../../protocol/session/options.ts'
import { allOf } from '../compose.ts'
import { combine, discard, pass, quarantine, reject, verdictOf } from '../verdict.ts'

/** From how many points on what happens in {@link score}. What is not given never happens. */
export interface ScoreOptions {
  /** It is called spam, and taken all the same: tag `spam`, and `X-Spam-Flag: YES`. */
  readonly tag?: number
  /** It is set apart. */
  readonly quarantine?: number
  /** It is dropped, and the client told 250. */
  readonly discard?: number
  /** It is refused by `550 5.7.1`. */
  readonly reject?: number
  /** Write the points and their reasons into the header (default true). */
  readonly headers?: boolean
}

const points: OptionKind = { takes: 'a number of points', is: (value) => Number.isFinite(value) }
const kinds: OptionKinds<ScoreOptions> = { tag: points, quarantine: points, discard: points, reject: points, headers: aSwitch }

/** What is written; of that name nothing is let through that came from outside. */
const FIELDS = ['x-spam-score', 'x-spam-flag', 'x-spam-report']

/** Reasons that a header tells, and characters of each. */
const MOST_REASONS = 30
const MOST_CHARACTERS = 150

type Outcome = 'tag' | 'quarantine' | 'discard' | 'reject'
/** From the mildest on. */
const outcomes: readonly Outcome[] = ['tag', 'quarantine', 'discard', 'reject']

/**
 * Adds up the points that policies have noted, for and against, and decides once the message is there by the highest mark that
 * is reached. Policies given here are asked first, side by side, at all their stages, and what they decide themselves counts as
 * well; points of other policies count where those were asked before, that is, at earlier stages, or before this in
 * {@link inOrder}.
 *
 * The header gets `X-Spam-Score: 7.5`, and from the lowest mark on `X-Spam-Flag: YES` and an `X-Spam-Report` of what the points
 * were for; fields of these names that the message came with are taken out.
 *
 * ```ts
 * import { dnsbl, helo, reverseDns, score } from 'posthorn'
 *
 * score(
 *   { tag: 3, quarantine: 5, reject: 15 },
 *   dnsbl({ zones: [{ zone: 'bl.example', then: 4 }] }),
 *   helo({ unknown: 2, mismatch: 1 }),
 *   reverseDns({ missing: 3, unconfirmed: 1 }),
 * )
 * ```
 */
export function score(options: ScoreOptions, ...policies: readonly Policy[]): Policy {
  checkOptions('score', options, kinds)
  const { headers = true } = options
  const marks = outcomes
    .filter((outcome) => options[outcome] !== undefined)
    .map((outcome) => ({ outcome, from: options[outcome]! }))
  if (marks.length === 0 && !headers) {
    throw new MailError('config', 'score: say from how many points on what is to happen: tag, quarantine, discard or reject.')
  }
  const inner: Policy = policies.length === 0 ? { name: 'score', message: () => undefined } : allOf(...policies)
  const judge = (message: ReceivedMessage, stage: Stage, verdict: Verdict): Verdict => {
    const scores = stage.noted.filter((note) => note.kind === 'score')
    const sum = rounded(scores.reduce((total, note) => total + note.score, 0))
    const reached = marks.filter(({ from }) => sum >= from)
    if (reached.length > 0) stage.notes.tag('spam')
    if (headers) writeHeaders(message, stage, sum, reached.length > 0, scores)
    // The highest mark counts, wherever somebody has put which; of equal ones the sterner.
    const highest = reached.reduce<Outcome | undefined>(
      (best, { outcome, from }) => (best === undefined || from >= options[best]! ? outcome : best), undefined)
    return combine([verdict, verdictFor(highest, sum)])
  }
  return {
    ...inner,
    name: policies.length === 0 ? 'score' : `score(${policies.map(({ name }) => name).join(', ')})`,
    message(message, stage): Decision {
      const decision = inner.message?.(message, stage)
      if (decision instanceof Promise) return decision.then((verdict) => judge(message, stage, verdictOf(verdict, 'score')))
      return judge(message, stage, verdictOf(decision, 'score'))
    },
  }
}

function verdictFor(outcome: Outcome | undefined, sum: number): Verdict {
  const why = `${sum} points`
  if (outcome === 'reject') return reject(550, '5.7.1', 'This message looks like spam')
  if (outcome === 'discard') return discard(why)
  return outcome === 'quarantine' ? quarantine(why) : pass()
}

function writeHeaders(
  { headers }: ReceivedMessage, { notes }: Stage, sum: number, isSpam: boolean, scores: readonly (Note & { kind: 'score' })[],
): void {
  for (const name of FIELDS) for (const field of headers.all(name)) notes.remove(field)
  notes.header('X-Spam-Score', String(sum))
  if (!isSpam) return
  notes.header('X-Spam-Flag', 'YES')
  const reasons = [...scores]
    .sort((one, other) => Math.abs(other.score) - Math.abs(one.score))
    .slice(0, MOST_REASONS)
    .map(({ score: count, why }) => `${why.slice(0, MOST_CHARACTERS)} (${rounded(count)})`)
  notes.header('X-Spam-Report', reasons.join('; '))
}

/** To thousandths: 0.1 and 0.2 are 0.3 to everybody who looks at a header. */
const rounded = (count: number): number => Math.round(count * 1000) / 1000
