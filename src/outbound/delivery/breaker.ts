/** When to stop trying a site that cannot be reached, and for how long. */
export interface BreakerRules {
  /** Connections in a row that came to nothing before it opens. */
  readonly failures: number
  /** Milliseconds that it stays open the first time. */
  readonly pause: number
  /** What each further pause is multiplied by. */
  readonly factor: number
  /** The longest pause in milliseconds. */
  readonly longest: number
}

/** The rules where none are given: three failures, then a minute, doubled to half an hour. */
export const defaultBreaker: BreakerRules = { failures: 3, pause: 60_000, factor: 2, longest: 1_800_000 }

/**
 * What is known of whether a site can be reached.
 *
 * | state | a connection may be tried | next |
 * |---|---|---|
 * | `closed` | yes | `failures` in a row: open |
 * | `open` | not before `until`, unless somebody has ordered it | the first try after that: half-open |
 * | `half-open` | no: one is being tried | it works: closed; it fails: open, for longer |
 *
 * Whether a connection works is told by the first message on it: a server that only says to that that it is closing has taken
 * nothing, however kindly it has greeted.
 */
export type Breaker =
  | { readonly state: 'closed'; readonly failures: number }
  | { readonly state: 'open'; readonly until: number; readonly pause: number }
  | { readonly state: 'half-open'; readonly pause: number }

/** Nothing bad is known. */
export const closedBreaker: Breaker = { state: 'closed', failures: 0 }

/** Whether a connection may be tried now. */
export function mayTry(breaker: Breaker, now: number, isOrdered = false): boolean {
  return breaker.state === 'closed' || (breaker.state === 'open' && (isOrdered || now >= breaker.until))
}

/** A connection is about to be tried. */
export function tried(breaker: Breaker): Breaker {
  return breaker.state === 'open' ? { state: 'half-open', pause: breaker.pause } : breaker
}

/** A connection works. */
export function worked(breaker: Breaker): Breaker {
  return breaker.state === 'closed' && breaker.failures === 0 ? breaker : closedBreaker
}

/** A connection came to nothing. */
export function failed(breaker: Breaker, rules: BreakerRules, now: number): Breaker {
  // Of several tries that began before it opened only the first failures count.
  if (breaker.state === 'open') return breaker
  if (breaker.state === 'half-open') return opened(Math.min(breaker.pause * rules.factor, rules.longest), now)
  const failures = breaker.failures + 1
  return failures >= rules.failures ? opened(rules.pause, now) : { state: 'closed', failures }
}

/** A try was given up before it showed anything. */
export function untried(breaker: Breaker, now: number): Breaker {
  return breaker.state === 'half-open' ? { state: 'open', until: now, pause: breaker.pause } : breaker
}

const opened = (pause: number, now: number): Breaker => ({ state: 'open', until: now + pause, pause })
