import type { KeyValue } from '../contracts/key-value.ts'
import { clientOf } from '../protocol/session/networks.ts'
import { aCountAboveZero, aFunction, checkOptions, having, type OptionKinds, required } from '../protocol/session/options.ts'
import { addressKey, foldCase, readAddress } from './address.ts'
import type { Admission, LoginAttempt, LoginGuard } from './authenticate.ts'
import { type Counted, SlidingCounts } from './guard-counts.ts'
import { Turns } from './guard-turns.ts'

/** Settings of {@link loginGuard}. */
export interface LoginGuardOptions {
  /** Where it counts. Servers that share it count together. */
  readonly keyValue: KeyValue
  /** Milliseconds of the sliding window. Default an hour. */
  readonly window?: number
  /** Failures of one address in a window (of IPv6 its /64), after which it is heard no more. Default 30. */
  readonly perAddress?: number
  /** Names for which one address may fail in a window. Default 10. */
  readonly perAddressNames?: number
  /** Failures for one name in a window, after which it is open only to addresses it is known from. Default 20. */
  readonly perAccount?: number
  /** Failures in a window for one name from one address that it is known from. Default 20. */
  readonly perKnown?: number
  /** Milliseconds for which an address is known after a success. Default 30 days. */
  readonly knownFor?: number
  /**
   * Addresses that stand for many people, such as a webmail's: only their names are counted. Default: loopback. Without an
   * address (a unix socket) it is the same.
   */
  readonly shared?: (address: string) => boolean
  /** What a username is counted by. Default: an address in its normal form, other names without regard to case. */
  readonly nameOf?: (username: string) => string
  /**
   * Makes of a password what nobody can turn back: an HMAC under a key that is in no store (`passwordMarks()` of
   * `posthorn/node`). With it the same wrong password again, from a phone that has an old one, counts once. Default: every
   * failure counts.
   */
  readonly mark?: (text: string) => string
  /** Is told what happens. What it throws is dropped. */
  readonly observe?: (event: GuardEvent) => void
}

/**
 * Which bound: failures of an `address`, for a name (`account`), for a name from an address it is `known` from; or `names` for
 * which an address has failed, which is how passwords are sprayed.
 */
export type GuardLimit = 'address' | 'account' | 'known' | 'names'

/** What a guard tells. Plain data, never a password. `at` is in milliseconds since the Unix epoch. */
export type GuardEvent =
  | {
      readonly kind: 'loginFailed'
      readonly at: number
      readonly username: string
      readonly address: string | undefined
      /** The same wrong password has been tried from there before: it does not count. */
      readonly repeated: boolean
    }
  | {
      readonly kind: 'loginBarred'
      readonly at: number
      readonly username: string
      readonly address: string | undefined
      readonly limit: GuardLimit
      /** Milliseconds. */
      readonly delay: number
    }
  /** A bound was reached, told once. `of` is the client (an address, or a /64), or the name. */
  | { readonly kind: 'guessing'; readonly at: number; readonly limit: GuardLimit; readonly of: string; readonly count: number }
  /** A success could not be noted; the log-in is as good. */
  | { readonly kind: 'guardFailed'; readonly at: number; readonly error: unknown }

/** Keeps those who guess passwords from guessing on, and those who know theirs from being kept out. */
export interface Guard extends LoginGuard {
  admit(attempt: LoginAttempt): Promise<Admission>
  /** They were wrong. */
  failed(attempt: LoginAttempt): Promise<void>
  /** They were right. */
  succeeded(attempt: LoginAttempt): Promise<void>
  dropped(attempt: LoginAttempt): void
  /** Forgets failures for a name and the addresses it is known from: after a new password, or to let somebody in. */
  forget(username: string, now: number): Promise<void>
}

const SECOND = 1000
const DAY = 86_400_000
const LONGEST_DELAY = 16 * SECOND

const kinds: OptionKinds<LoginGuardOptions> = {
  keyValue: required(having('a key-value store', 'get', 'add', 'swap')),
  // Stretches of time are numbered.
  window: {
    takes: 'whole milliseconds, a second at least',
    is: (value) => Number.isSafeInteger(value) && (value as number) >= SECOND,
  },
  perAddress: aCountAboveZero,
  perAddressNames: aCountAboveZero,
  perAccount: aCountAboveZero,
  perKnown: aCountAboveZero,
  knownFor: aCountAboveZero,
  shared: aFunction,
  nameOf: aFunction,
  mark: aFunction,
  observe: aFunction,
}

/**
 * Guards log-ins, by what failed in the window that ends now:
 *
 * - A failure is held back for 1 s, twice as long with each further one of the address or for the name, up to 16 s.
 * - An address that has failed too often, or for too many names, is heard no more until that is long enough ago.
 * - Nor is anybody for a name for which too much has failed; **but** addresses from which that name has logged in within 30 days
 *   are judged by their own failures for it alone. So whoever is attacked is not locked out, and nobody locks out others at will.
 * - A success takes back what the same address got wrong for the same name, nothing else: neither does an attacker's own account
 *   make him unsuspicious, nor does a victim's mail program, which logs in all day, clear the attacker's count.
 * - Attempts side by side count as if those before them were going to fail, so that no limit is passed by being quick. (In this
 *   process; several servers over one store may pass it by what they have under way.)
 * - Names are counted whether or not there is such an account: the guard tells nobody who is here.
 *
 * Every key times out by itself: nothing is kept longer than two windows, known addresses for `knownFor`. What is refused is not
 * counted, and writes nothing.
 *
 * Where the store fails, `admit` and `failed` reject with its error: answer "temporary", not "wrong".
 */
export function loginGuard(options: LoginGuardOptions): Guard {
  checkOptions('loginGuard', options, kinds)
  return new SlidingGuard(options)
}

/** Characters of a name that is told from others: no real one is longer, and keys have a bound. */
const LONGEST_NAME = 200

/** How often a wrong password may come again before it counts again: a phone that tries every half minute, for two hours. */
const REPEATS = 240

/** Whom an attempt counts for. */
interface Whom {
  /** An address or /64; `undefined` where it stands for many people. */
  readonly client: string | undefined
  /** Empty where none was named. */
  readonly name: string
  /** Both. */
  readonly pair: string
}

/** One count that an attempt is judged by. */
interface Scope {
  readonly limit: GuardLimit
  readonly most: number
  readonly key: string
}

class SlidingGuard implements Guard {
  readonly #keyValue: KeyValue
  readonly #counts: SlidingCounts
  readonly #turns = new Turns()
  readonly #most: Readonly<Record<GuardLimit, number>>
  readonly #knownFor: number
  readonly #shared: (address: string) => boolean
  readonly #nameOf: (username: string) => string
  readonly #mark: ((text: string) => string) | undefined
  readonly #observe: (event: GuardEvent) => void

  constructor(options: LoginGuardOptions) {
    const { keyValue, window = 3_600_000, perAddress = 30, perAddressNames = 10, perAccount = 20, perKnown = 20 } = options
    this.#keyValue = keyValue
    this.#counts = new SlidingCounts(keyValue, window)
    this.#most = { address: perAddress, names: perAddressNames, account: perAccount, known: perKnown }
    this.#knownFor = options.knownFor ?? 30 * DAY
    this.#shared = options.shared ?? isLoopback
    this.#nameOf = options.nameOf ?? normalName
    this.#mark = options.mark
    this.#observe = options.observe ?? (() => {})
  }

  async admit(attempt: LoginAttempt): Promise<Admission> {
    const { now } = attempt
    const whom = this.#whom(attempt)
    const scopes = this.#scopes(whom, await this.#isKnown(whom, now))
    // Before the counts are read: who fails from now on is either counted by then or still under way.
    const ahead = this.#turns.enter(whom.pair, scopes.map(({ key }) => key), now)
    let admitted = false
    try {
      const counted = await Promise.all(scopes.map(({ key }) => this.#counts.read(key, now)))
      const bars = scopes.flatMap((scope, i) => this.#bar(scope, counted[i] as Counted, ahead[i] as number, now))
      const bar = bars.sort((a, b) => b.delay - a.delay)[0]
      if (bar) {
        this.#tell({ kind: 'loginBarred', at: now, username: attempt.username, address: attempt.address, ...bar })
        return { admitted, delay: bar.delay }
      }
      const failures = Math.max(0, ...counted.map((one) => Math.ceil(this.#counts.total(one, now))))
      const held = failures === 0 ? 0 : Math.max(failures, await this.#repeats(whom, attempt))
      admitted = true
      return { admitted, delay: Math.min(LONGEST_DELAY, SECOND * 2 ** held) }
    } finally {
      if (!admitted) this.#turns.leave(whom.pair)
    }
  }

  async failed(attempt: LoginAttempt): Promise<void> {
    const { username, address, now } = attempt
    const whom = this.#whom(attempt)
    const repeated = await this.#noteMark(whom, attempt)
    if (!repeated) await this.#count(whom, now)
    // Not before: until it is counted it is under way.
    this.#turns.leave(whom.pair)
    this.#tell({ kind: 'loginFailed', at: now, username, address, repeated })
  }

  async succeeded(attempt: LoginAttempt): Promise<void> {
    const { now } = attempt
    const whom = this.#whom(attempt)
    this.#turns.leave(whom.pair)
    if (whom.name === '') return
    try {
      await this.#takeBack(whom, now)
      await this.#know(whom, now)
    } catch (error) {
      this.#tell({ kind: 'guardFailed', at: now, error })
    }
  }

  dropped(attempt: LoginAttempt): void {
    this.#turns.leave(this.#whom(attempt).pair)
  }

  async forget(username: string, now: number): Promise<void> {
    const name = this.#name(username)
    await this.#counts.forget(`account:${name}`, now)
    for (const prefix of [`guard:known:${name}\n`, `guard:pair:${name}\n`]) {
      for await (const page of this.#keyValue.list(prefix, now)) {
        for (const [key] of page) await this.#keyValue.remove(key, now)
      }
    }
  }

  #whom({ username, address }: LoginAttempt): Whom {
    const name = this.#name(username)
    const client = address === undefined ? undefined : clientOf(address)
    const isShared = address === undefined || this.#shared(address)
    return { client: isShared ? undefined : client, name, pair: `${name}\n${client ?? '-'}` }
  }

  #name(username: string): string {
    const name = this.#nameOf(username).slice(0, LONGEST_NAME)
    // Line ends part keys; a pair of surrogates may have been cut in two.
    return name.replaceAll('\n', ' ').replace(/[\ud800-\udbff]$/, '')
  }

  #scopes({ client, name, pair }: Whom, known: boolean): readonly Scope[] {
    const of = (limit: GuardLimit, key: string): Scope => ({ limit, most: this.#most[limit], key })
    if (known) return [of('known', `pair:${pair}`)]
    return [
      ...(client === undefined ? [] : [of('address', `address:${client}`), of('names', `names:${client}`)]),
      ...(name === '' ? [] : [of('account', `account:${name}`)]),
    ]
  }

  /** Whether a scope bars an attempt, and for how long. */
  #bar(scope: Scope, counted: Counted, ahead: number, now: number): { limit: GuardLimit; delay: number }[] {
    const { limit, most } = scope
    const total = this.#counts.total(counted, now)
    // Those under way may all be for one name.
    if (total + (limit === 'names' ? 0 : ahead) < most) return []
    const delay = total < most ? SECOND : Math.max(SECOND, this.#counts.below(most, counted, now))
    return [{ limit, delay }]
  }

  async #count({ client, name, pair }: Whom, now: number): Promise<void> {
    const ofPair = name === '' ? 0 : await this.#counts.add(`pair:${pair}`, 1, now)
    const counting: [limit: GuardLimit, of: string, counted: Promise<number>][] = []
    if (client !== undefined) counting.push(['address', client, this.#counts.add(`address:${client}`, 1, now)])
    if (client !== undefined && ofPair === 1) counting.push(['names', client, this.#counts.add(`names:${client}`, 1, now)])
    if (name !== '') counting.push(['account', name, this.#counts.add(`account:${name}`, 1, now)])
    const counts = await Promise.all(counting.map(([, , counted]) => counted))
    counting.forEach(([limit, of], i) => {
      const count = counts[i] as number
      if (count === this.#most[limit]) this.#tell({ kind: 'guessing', at: now, limit, of, count })
    })
    if (ofPair === this.#most.known && (await this.#isKnown({ client, name, pair }, now))) {
      this.#tell({ kind: 'guessing', at: now, limit: 'known', of: name, count: ofPair })
    }
  }

  /** Takes back what this client got wrong for this name. */
  async #takeBack({ client, name, pair }: Whom, now: number): Promise<void> {
    for (const { count, at } of await this.#counts.take(`pair:${pair}`, now)) {
      await this.#counts.takeBack(`account:${name}`, count, at, now)
      if (client === undefined) continue
      await this.#counts.takeBack(`address:${client}`, count, at, now)
      await this.#counts.takeBack(`names:${client}`, 1, at, now)
    }
  }

  async #isKnown({ name, pair }: Whom, now: number): Promise<boolean> {
    return name !== '' && (await this.#keyValue.get(`guard:known:${pair}`, now)) !== undefined
  }

  /** Notes that the name is at home there; once a day, so that a log-in writes nothing. */
  async #know({ pair }: Whom, now: number): Promise<void> {
    const [key, today] = [`guard:known:${pair}`, String(Math.floor(now / DAY))]
    if ((await this.#keyValue.get(key, now)) === today) return
    await this.#keyValue.set(key, today, { now, until: now + this.#knownFor })
  }

  /** How often the very same has failed. */
  async #repeats(whom: Whom, { password, now }: LoginAttempt): Promise<number> {
    const key = this.#markKey(whom, password)
    return key === undefined ? 0 : Number((await this.#keyValue.get(key, now)) ?? 0)
  }

  /** Whether the very same has failed before, and not too often for that to be an accident. */
  async #noteMark(whom: Whom, { password, now }: LoginAttempt): Promise<boolean> {
    const key = this.#markKey(whom, password)
    if (key === undefined) return false
    const times = await this.#keyValue.add(key, 1, { now, until: this.#counts.until(now) })
    return times > 1 && times <= REPEATS
  }

  #markKey({ pair }: Whom, password: string | undefined): string | undefined {
    if (!this.#mark || password === undefined) return undefined
    return `guard:wrong:${pair}\n${this.#mark(`${pair}\n${password}`)}`
  }

  #tell(event: GuardEvent): void {
    try {
      this.#observe(event)
    } catch {
      // Watching is no part of the work.
    }
  }
}

/** The same for all spellings of an address, and of other names. */
function normalName(username: string): string {
  const address = username.includes('@') ? readAddress(username) : undefined
  return address ? addressKey(address) : foldCase(username)
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.toLowerCase().startsWith('::ffff:127.')
}
