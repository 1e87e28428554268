/** How many messages a site gets in how long. */
export interface RateRules {
  readonly messages: number
  /** Milliseconds. */
  readonly per: number
}

/**
 * When the next message may go to a site: messages are spread evenly, but those that a quiet site has saved up, a tenth of the
 * rate, may go at once (the generic cell rate algorithm).
 */
export type NextAllowed = number

/** Milliseconds of waiting for which nobody keeps a connection, nor a place that others want. */
export const REST = 1_000

/** What may be saved up, as a share of the rate. */
const BURST = 0.1

/** Milliseconds to wait before a message may go; 0: it may now. `next`: as the last call of {@link counted} gave it, first 0. */
export function waitFor(next: NextAllowed, { messages, per }: RateRules, now: number): number {
  const interval = per / messages
  const saved = Math.max(1, messages * BURST)
  return Math.max(0, Math.ceil(next - (saved - 1) * interval - now))
}

/** A message goes now. */
export function counted(next: NextAllowed, { messages, per }: RateRules, now: number): NextAllowed {
  return Math.max(next, now) + per / messages
}
