import type { Quota, Usage } from '../contracts/mailbox.ts'

/** Shares of a quota, in percent, that are worth a warning. */
const LEVELS = [80, 90, 95] as const

/** A share of a quota that is reached. */
export interface QuotaCrossing {
  readonly of: keyof Quota
  /** 80, 90 or 95. */
  readonly percent: (typeof LEVELS)[number]
}

/**
 * The levels that usage has risen to or above between two moments, ascending: each is told once, until usage falls below it and
 * rises again. Nothing is crossed where there is no bound.
 */
export function quotaCrossing(before: Usage, after: Usage, quota: Quota): readonly QuotaCrossing[] {
  const crossed: QuotaCrossing[] = []
  for (const what of ['octets', 'messages'] as const) {
    for (const percent of LEVELS) {
      // Multiplied, not divided: a bound of 0 has no shares.
      const level = quota[what] * percent
      if (before[what] * 100 < level && after[what] * 100 >= level) crossed.push({ of: what, percent })
    }
  }
  return crossed
}

/**
 * Whether one more message fits: `no` as things stand (552 5.2.2), `never` where even an empty account could not hold it.
 *
 * `octets` is what the client announced (RFC 1870), or `undefined`: then one octet has to fit. `overhead` is the store's
 * (`traits.overhead`). A forecast for RCPT: `append` decides.
 */
export function roomFor(usage: Usage, quota: Quota, octets: number | undefined, overhead: number): 'yes' | 'no' | 'never' {
  const size = (octets ?? 1) + overhead
  if (size > quota.octets || quota.messages < 1) return 'never'
  return usage.octets + size <= quota.octets && usage.messages + 1 <= quota.messages ? 'yes' : 'no'
}
