import type { Policy, Stage } from '../../contracts/policy.ts'
import {
  aCountAboveZero,
  aFunction,
  aNumberAboveZero,
  checkOptions,
  oneOf,
  type OptionKinds,
  required,
} from '../../protocol/session/options.ts'
import { clientOf, networkOf } from '../../protocol/session/networks.ts'
import { defer } from '../verdict.ts'

/** What {@link rateLimit} counts, by whom, and how much it lets pass. */
export interface RateLimitOptions {
  /** How many in any minute. */
  readonly perMinute: number
  /** What is counted (default: `message`, a MAIL command). */
  readonly count?: 'connection' | 'message' | 'recipient'
  /**
   * Whose count it is (default: `address`, of IPv6 its /64). `network` is the /24 or /64; a function's `undefined` exempts.
   */
  readonly by?: 'address' | 'network' | 'account' | ((stage: Stage) => string | undefined)
  /** Keys that are remembered (default 100,000); one that was not used lately is forgotten first. */
  readonly keys?: number
}

const WINDOW = 60_000

/** Keys that may stay because they were used while one is looked for that was not. */
const MOST_LOOKS = 16

const whose = oneOf('address', 'network', 'account')
const kinds: OptionKinds<RateLimitOptions> = {
  perMinute: required(aNumberAboveZero),
  count: oneOf('connection', 'message', 'recipient'),
  by: { takes: `${whose.takes} or a function`, is: (value) => whose.is(value) || aFunction.is(value) },
  keys: aCountAboveZero,
}

/** Two counts that stand for a sliding minute: the present one, and the one before as far as it still reaches into it. */
interface Counts {
  minute: number
  now: number
  before: number
  /** Since it was last looked at for being forgotten. */
  used: boolean
}

/** How many, counted over the minute that ends at `now`. Pure. */
function sliding(counts: Counts, now: number): number {
  const share = 1 - (now % WINDOW) / WINDOW
  return counts.now + counts.before * share
}

/** Defers what comes too fast: `450 4.7.1`, so that a sound client comes again. Counted over a sliding minute. */
export function rateLimit(options: RateLimitOptions): Policy {
  checkOptions('rateLimit', options, kinds)
  const { perMinute, count = 'message', by = 'address', keys = 100_000 } = options
  const seen = new Map<string, Counts>()
  const check = (stage: Stage) => {
    const key = keyOf(by, stage)
    if (key === undefined) return undefined
    const counts = countsOf(seen, key, stage.now, keys)
    // What is refused does not count: a client that tries on gets its share, no less.
    if (sliding(counts, stage.now) + 1 > perMinute) {
      return defer(450, '4.7.1', 'Too much mail in too short a time, try again later')
    }
    counts.now++
    return undefined
  }
  const name = 'rateLimit'
  if (count === 'connection') return { name, connect: (_, stage) => check(stage) }
  if (count === 'recipient') return { name, recipient: (_, stage) => check(stage) }
  return { name, sender: (_, stage) => check(stage) }
}

function keyOf(by: NonNullable<RateLimitOptions['by']>, stage: Stage): string | undefined {
  if (typeof by === 'function') return by(stage)
  if (by === 'account') return stage.connection.account
  const { address } = stage.connection.peer
  if (address === undefined) return undefined
  return by === 'address' ? clientOf(address) : networkOf(address)
}

function countsOf(seen: Map<string, Counts>, key: string, now: number, most: number): Counts {
  const minute = Math.floor(now / WINDOW)
  let counts = seen.get(key)
  if (counts) {
    counts.used = true
  } else {
    if (seen.size >= most) forgetOne(seen)
    counts = { minute, now: 0, before: 0, used: false }
    seen.set(key, counts)
  }
  if (counts.minute !== minute) {
    counts.before = counts.minute === minute - 1 ? counts.now : 0
    counts.now = 0
    counts.minute = minute
  }
  return counts
}

/**
 * Makes room: goes through the keys in the order they came, lets those that were used stay for another round, and takes the first
 * that was not. (Putting each key last when it is used would be exact, and make garbage that lives long with every message.)
 */
function forgetOne(seen: Map<string, Counts>): void {
  let looks = MOST_LOOKS
  for (const [key, counts] of seen) {
    seen.delete(key)
    if (!counts.used || --looks === 0) return
    counts.used = false
    seen.set(key, counts)
  }
}
