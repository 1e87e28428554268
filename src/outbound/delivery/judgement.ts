import type { Lease, NewJob, Outcome, QueuedRecipient, Settlement } from '../../contracts/queue.ts'
import { classify } from './classify.ts'
import type { Cause, Consequence, FailureRule } from './failure.ts'
import { releaseTime } from './release.ts'
import { progressOf, reportableOf, REPORT } from './reporting.ts'
import { nextDelayReport, reportsFor } from '../report-rules.ts'
import { nextTry, type RetrySchedule } from './schedule.ts'
import type { Tried } from './tried.ts'

/** By what failures are judged. */
export interface JudgementTerms {
  readonly schedule: RetrySchedule
  /** Rows that come before those of `failureTable`. */
  readonly rules?: readonly FailureRule[] | undefined
  /** Milliseconds after which the sender is told that it takes long. */
  readonly delayAfter: number
  /** Milliseconds that a report waits for other failures of the same message. */
  readonly collect: number
}

/** What follows for a recipient. */
export interface Judged extends Tried {
  readonly cause: Cause | undefined
  /** `done`: nothing. */
  readonly consequence: Consequence | 'done'
}

/** What follows for a job. */
export interface Judgement {
  readonly settlement: Settlement
  readonly recipients: readonly Judged[]
  /** When those that are to be tried again are. */
  readonly next: number | undefined
}

/**
 * Says what follows from a try: who is done with, who is tried again and when, who is given up, and whether the sender is to be
 * told. `chance`: a number from 0 to 1 (exclusive), drawn anew each time.
 */
export function judge(lease: Lease, tried: readonly Tried[], terms: JudgementTerms, now: number, chance: number): Judgement {
  const tries = lease.tries + 1
  // RFC 4865: what is held for later has all of its time from then on.
  const { envelope, received } = lease.message
  const age = now - Math.max(lease.began, releaseTime(envelope, received))
  const wait = nextTry(terms.schedule, { tries, age }, chance)
  const recipients = tried.map((each) => judged(each, lease, terms, wait === undefined))
  const outcomes = recipients.map(outcomeOf)
  const isHeld = recipients.some(({ consequence }) => consequence === 'hold')
  const isDue = isHeld || recipients.some(({ consequence }) => consequence === 'retry')
  const next = isDue ? now + (wait ?? 0) : undefined
  const report = reportAfter(lease, outcomes, terms, now)
  const settlement: Settlement = {
    now,
    outcomes,
    counts: true,
    ...(next === undefined ? {} : { due: next }),
    ...(isHeld ? { hold: holdReason(recipients) } : {}),
    ...(report === undefined ? {} : { jobs: [report] }),
  }
  return { settlement, recipients, next }
}

function judged(tried: Tried, lease: Lease, { rules }: JudgementTerms, isLast: boolean): Judged {
  const { failure } = tried
  if (!failure) return { ...tried, cause: undefined, consequence: 'done' }
  const { cause, consequence } = classify(failure, rules)
  if (consequence === 'retry' && isLast) return { ...expired(tried), cause: 'expired', consequence: endOf(lease) }
  return { ...tried, cause, consequence: consequence === 'bounce' ? endOf(lease) : consequence }
}

/** RFC 5321 §6.1: nobody is to be told of what came from nobody. */
const endOf = ({ message }: Lease): Consequence => (message.envelope.sender === null ? 'drop' : 'bounce')

/** What was tried to the end. The last reply stays what it was: it tells the sender why. */
function expired(tried: Tried): Tried {
  const { last, failure } = tried
  return { ...tried, failure: { ...failure!, result: 'permanent', reason: 'expired' }, last }
}

function outcomeOf({ number, taken, reports, consequence, last }: Judged): Outcome {
  if (taken !== undefined) return { number, state: taken, last, ...(reports ? { told: 'end' } : {}) }
  if (consequence === 'retry' || consequence === 'hold') return { number, last }
  return { number, state: consequence === 'drop' ? 'dropped' : 'failed', last }
}

function holdReason(recipients: readonly Judged[]): string {
  const { cause, last } = recipients.find(({ consequence }) => consequence === 'hold')!
  return `${cause}: ${last.code} ${last.text}`
}

/** All have it, and nobody wants to hear so: nothing is to be said of it, now or later. Of most mail that is so. */
function isQuietSuccess({ message, recipients }: Lease, outcomes: readonly Outcome[]): boolean {
  if (outcomes.length !== recipients.length) return false
  const { recipients: named } = message.envelope
  return outcomes.every(({ number, state }) => {
    const isTaken = state === 'delivered' || state === 'relayed' || state === 'expanded'
    return isTaken && !named[number]!.notify?.includes('SUCCESS')
  })
}

/** The job that is to report on the message, if there is anything to report, or will be. */
function reportAfter(lease: Lease, outcomes: readonly Outcome[], terms: JudgementTerms, now: number): NewJob | undefined {
  if (isQuietSuccess(lease, outcomes)) return undefined
  const after = new Map(outcomes.map((outcome) => [outcome.number, outcome]))
  const recipients = lease.recipients.map((each): QueuedRecipient => ({ ...each, ...after.get(each.number) }))
  const message = reportableOf(lease.message, recipients.map((each) => progressOf(lease.message, each)))
  const isOwed = reportsFor(message, now, terms.delayAfter).length > 0
  const due = isOwed ? now + collecting(lease, terms, now) : nextDelayReport(message, terms.delayAfter)
  return due === undefined ? undefined : { destination: REPORT, recipients: [], due }
}

/**
 * How long a report waits for what else fails of the message: not where nothing else can, a moment at first, and the longer the
 * older the message is. Of a thousand destinations that fail one by one nobody wants to hear a thousand times.
 */
function collecting({ others, recipients, message }: Lease, { collect }: JudgementTerms, now: number): number {
  const { envelope, received } = message
  if (others === 0 || recipients.length === envelope.recipients.length) return 0
  return Math.max(collect, Math.min(MOST_COLLECTING, (now - releaseTime(envelope, received)) / 4))
}

/** Milliseconds: an hour. */
const MOST_COLLECTING = 3_600_000
