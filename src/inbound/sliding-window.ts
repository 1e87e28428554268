/** Two counts that stand for a sliding window: that of the present stretch of time, and that of the one before. */
export interface WindowCounts {
  /** Which stretch is the present one: the time since the Unix epoch, in whole windows. */
  stretch: number
  present: number
  before: number
}

/** The stretch that a moment lies in; both in milliseconds. */
export const stretchAt = (now: number, length: number): number => Math.floor(now / length)

/**
 * How many, counted over the window of `length` milliseconds that ends at `now`: all of the present stretch, and of the one
 * before the share that still reaches into the window, as if what was counted in it had come evenly. Pure: older counts fall
 * out by themselves.
 *
 * So no stretch has more than the limit to which this is held, and no window, wherever it lies, more than twice as many.
 *
 * ```ts
 * // run
 * import { slidingCount } from 'posthorn'
 *
 * const counts = { stretch: 10, present: 3, before: 8 }
 * if (slidingCount(counts, 10.25 * 60_000, 60_000) !== 9) throw new Error('3 and three quarters of 8')
 * ```
 */
export function slidingCount(counts: Readonly<WindowCounts>, now: number, length: number): number {
  const passed = stretchAt(now, length) - counts.stretch
  const share = 1 - (now - stretchAt(now, length) * length) / length
  if (passed === 0) return counts.present + counts.before * share
  return passed === 1 ? counts.present * share : 0
}
