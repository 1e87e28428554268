import type { KeyValue } from '../../contracts/key-value.ts'
import type { Policy, Stage, Verdict } from '../../contracts/policy.ts'
import type { Recipient } from '../../contracts/received.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { clientOf, networkOf } from '../../protocol/session/networks.ts'
import {
  aCountAboveZero, aFunction, aNumberAboveZero, aText, checkOptions, having, oneOf, type OptionKinds,
} from '../../protocol/session/options.ts'
import { Recent } from '../recent.ts'
import { slidingCount, stretchAt, type WindowCounts } from '../sliding-window.ts'
import { storeKey } from '../store-key.ts'
import { defer, ourFault } from '../verdict.ts'

/** Whose count it is: what is known at the stage, and the recipient where recipients are counted. */
export type RateLimitKey = (stage: Stage, to: Recipient | undefined) => string | undefined

/** What {@link rateLimit} counts, by whom, and how much it lets pass. */
export interface RateLimitOptions {
  /** How many in any minute. */
  readonly perMinute?: number
  /** Instead: how many in any `window` of so many milliseconds. */
  readonly most?: number
  readonly window?: number
  /** What is counted (default: `message`, a MAIL command). */
  readonly count?: 'connection' | 'message' | 'recipient'
  /**
   * Whose count it is (default: `address`, of IPv6 its /64). `network` is the /24 or /64, `domain` that of the sender,
   * `recipient` a mailbox, whatever its tag. Who has none of it is exempt: without an account, from the null sender; and so is
   * whoever a function gives `undefined` for.
   */
  readonly by?: 'address' | 'network' | 'account' | 'domain' | 'recipient' | RateLimitKey
  /**
   * Where counts are kept that several servers share, or that are to outlive this one. Without it they are in memory: faster, and
   * each server's own.
   */
  readonly store?: KeyValue
  /** Tells limits of one store apart that count the same by the same (default: none). */
  readonly name?: string
  /** What happens where the store fails (default `pass`, and the server's observer is told). */
  readonly onError?: 'pass' | 'defer'
  /** Keys that are remembered in memory (default 100,000); one that was not used lately is forgotten first. */
  readonly keys?: number
}

const whose = oneOf('address', 'network', 'account', 'domain', 'recipient')
const kinds: OptionKinds<RateLimitOptions> = {
  perMinute: aNumberAboveZero,
  most: aNumberAboveZero,
  window: { takes: 'milliseconds, a whole number above 0', is: (value) => aCountAboveZero.is(value) && value !== Infinity },
  count: oneOf('connection', 'message', 'recipient'),
  by: { takes: `${whose.takes} or a function`, is: (value) => whose.is(value) || aFunction.is(value) },
  store: having('a store', 'add', 'get'),
  name: aText,
  onError: oneOf('pass', 'defer'),
  keys: aCountAboveZero,
}

const tooFast = defer(450, '4.7.1', 'Too much mail in too short a time, try again later')

/**
 * Defers what comes too fast: `450 4.7.1`, so that a sound client comes again. Counted over a sliding window: see
 * {@link slidingCount}.
 *
 * ```ts
 * import { rateLimit } from 'posthorn'
 * import { memoryKeyValue } from 'posthorn/memory'
 *
 * const store = memoryKeyValue()
 * const policies = [
 *   rateLimit({ perMinute: 60 }),
 *   rateLimit({ most: 500, window: 86_400_000, count: 'recipient', by: 'account', store }),
 * ]
 * ```
 */
export function rateLimit(options: RateLimitOptions): Policy {
  checkOptions('rateLimit', options, kinds)
  const { count = 'message', by = 'address', keys = 100_000, store, onError = 'pass', name: limit = '' } = options
  const { most, window } = boundsOf(options)
  checkKey(by, count)
  const kind = storeKey('rate', count, typeof by === 'string' ? by : 'own', window, limit)
  const counting = store ? new StoredCounts(store, kind, most, window, onError) : new CountsInMemory(most, window, keys)
  const check = (stage: Stage, to?: Recipient): Verdict | undefined | Promise<Verdict | undefined> => {
    const key = keyOf(by, stage, to)
    return key === undefined ? undefined : counting.take(key, stage)
  }
  const name = 'rateLimit'
  if (count === 'connection') return { name, connect: (_, stage) => check(stage) }
  if (count === 'recipient') return { name, recipient: (to, stage) => check(stage, to) }
  return { name, sender: (_, stage) => check(stage) }
}

function boundsOf({ perMinute, most, window }: RateLimitOptions): { readonly most: number; readonly window: number } {
  const isWhole = (most === undefined) === (window === undefined)
  if (!isWhole || (perMinute === undefined) === (most === undefined)) {
    throw new MailError('config', 'rateLimit: give either perMinute, or most and window, the milliseconds for which it holds.')
  }
  return { most: most ?? perMinute!, window: window ?? 60_000 }
}

/** What is not known when it is counted would exempt everybody. */
function checkKey(by: NonNullable<RateLimitOptions['by']>, count: NonNullable<RateLimitOptions['count']>): void {
  const isKnown = by === 'recipient' ? count === 'recipient' : count !== 'connection' || (by !== 'account' && by !== 'domain')
  if (!isKnown) throw new MailError('config', `rateLimit: by '${String(by)}' cannot be told where each ${count} is counted.`)
}

function keyOf(by: NonNullable<RateLimitOptions['by']>, stage: Stage, to: Recipient | undefined): string | undefined {
  if (typeof by === 'function') return by(stage, to)
  if (by === 'account') return stage.connection.account
  if (by === 'domain') return stage.envelope?.sender?.domain
  if (by === 'recipient') return to && `${to.user.toLowerCase()}@${to.domain}`
  const { address } = stage.connection.peer
  if (address === undefined) return undefined
  return by === 'address' ? clientOf(address) : networkOf(address)
}

/** Counts that no other server sees. */
class CountsInMemory {
  readonly #seen: Recent<WindowCounts>
  readonly #most: number
  readonly #window: number

  constructor(most: number, window: number, keys: number) {
    this.#seen = new Recent(keys)
    this.#most = most
    this.#window = window
  }

  take(key: string, { now }: Stage): Verdict | undefined {
    const counts = this.#at(key, stretchAt(now, this.#window))
    // What is refused does not count: a client that tries on gets its share, no less.
    if (slidingCount(counts, now, this.#window) + 1 > this.#most) return tooFast
    counts.present++
    return undefined
  }

  #at(key: string, stretch: number): WindowCounts {
    let counts = this.#seen.get(key)
    if (counts === undefined) {
      counts = { stretch, present: 0, before: 0 }
      this.#seen.set(key, counts)
    }
    if (counts.stretch !== stretch) {
      counts.before = counts.stretch === stretch - 1 ? counts.present : 0
      counts.present = 0
      counts.stretch = stretch
    }
    return counts
  }
}

/** Counts that several processes share: a number for each stretch, which goes when it is needed no more. */
class StoredCounts {
  readonly #store: KeyValue
  readonly #kind: string
  readonly #most: number
  readonly #window: number
  readonly #onError: 'pass' | 'defer'

  constructor(store: KeyValue, kind: string, most: number, window: number, onError: 'pass' | 'defer') {
    this.#store = store
    this.#kind = kind
    this.#most = most
    this.#window = window
    this.#onError = onError
  }

  async take(key: string, stage: Stage): Promise<Verdict | undefined> {
    try {
      return (await this.#isRoom(key, stage.now)) ? undefined : tooFast
    } catch (error) {
      stage.trouble(error)
      return this.#onError === 'pass' ? undefined : { kind: 'defer', reply: ourFault }
    }
  }

  async #isRoom(key: string, now: number): Promise<boolean> {
    const stretch = stretchAt(now, this.#window)
    const [present, before] = [stretch, stretch - 1].map((at) => storeKey(this.#kind, at, key))
    const keeping = { now, until: (stretch + 2) * this.#window }
    // Counted first and looked at then: of several who come at once none slips in between.
    const [sum, earlier] = await Promise.all([this.#store.add(present!, 1, keeping), this.#store.get(before!, now)])
    if (slidingCount({ stretch, present: sum, before: Number(earlier ?? 0) }, now, this.#window) <= this.#most) return true
    await this.#store.add(present!, -1, keeping)
    return false
  }
}
