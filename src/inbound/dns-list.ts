import type { Stage } from '../contracts/policy.ts'
import { MailError } from '../protocol/session/errors.ts'
import { addressOctets } from './address-octets.ts'
import { Recent } from './recent.ts'
import type { CodeMatch } from './return-code.ts'

/** What a list says of what it was asked for: its answers, octet by octet. Empty: it is not on it. */
export type Listing = readonly (readonly number[])[]

/** A list, and how it is known that it can be believed. */
export interface DnsListSettings {
  /** Under which name it is asked; lower case, without the final dot. */
  readonly zone: string
  readonly lists: 'addresses' | 'names'
  /** Answers by which it says that it does not want to be asked. */
  readonly blocked: readonly CodeMatch[]
  /** Its entry that is always there, as it is asked for; `undefined`: the list is believed without a test. */
  readonly test: string | undefined
}

/** Milliseconds for which a list is left alone that blocks us, lists the world, or is none. */
const OFF = 600_000

/** Milliseconds for which a list is left alone that does not answer, and how often in a row that was. */
const SILENT = 60_000
const MOST_SILENT = 5

/** Milliseconds until the test entries are looked at again: lists die, and are then bought by somebody who lists the world. */
const TEST_AGAIN = 3_600_000

/** Milliseconds for which answers are kept, whatever their TTL. */
const LEAST_KEPT = 60_000
const MOST_KEPT = 3_600_000
const MOST_ENTRIES = 10_000

/** RFC 5782 §5: what is on every list. */
export const LISTED = { addresses: '2.0.0.127', names: 'test' } as const
/** RFC 5782 §5: what is on none, but on one that lists everybody. */
const CLEAN = { addresses: '1.0.0.127', names: 'invalid' } as const

/** A list in the DNS (RFC 5782): asks it, remembers what it said, and leaves it alone while it is of no use. */
export class DnsList {
  readonly settings: DnsListSettings
  readonly #known = new Recent<{ readonly listing: Listing; readonly until: number }>(MOST_ENTRIES)
  #testedUntil = -Infinity
  /** The test that is under way, for those who ask for the same client. Others must not wait for one who may go. */
  #testing: { readonly signal: AbortSignal; readonly passed: Promise<void> } | undefined
  #offUntil = -Infinity
  #silences = 0
  /** What was asked for together counts as one silence. */
  #silentFor: AbortSignal | undefined

  constructor(settings: DnsListSettings) {
    this.settings = settings
  }

  /**
   * What the list says of an address, written the other way round, or of a name. Empty too where it cannot be asked; whoever
   * watches the server is told of that once. Never rejects.
   */
  async ask(what: string, stage: Stage, signal: AbortSignal): Promise<Listing> {
    if (stage.now < this.#offUntil) return []
    const known = this.#known.get(what)
    if (known !== undefined && stage.now < known.until) return known.listing
    try {
      // Side by side: nobody waits twice, and what a list says counts only once it has stood the test.
      const [found] = await Promise.all([this.#look(what, stage, signal), this.#tested(stage, signal)])
      this.#silences = 0
      const isOff = stage.now < this.#offUntil
      return isOff ? [] : this.#kept(what, found, stage)
    } catch {
      // A client that has gone says nothing about the list; an answer that is late does.
      if (!stage.signal.aborted) this.#silent(stage, signal)
      return []
    }
  }

  #tested(stage: Stage, signal: AbortSignal): Promise<void> | undefined {
    const { test } = this.settings
    if (test === undefined || stage.now < this.#testedUntil) return undefined
    if (this.#testing?.signal !== signal) this.#testing = { signal, passed: this.#test(test, stage, signal) }
    return this.#testing.passed
  }

  async #test(entry: string, stage: Stage, signal: AbortSignal): Promise<void> {
    const tests = [entry, CLEAN[this.settings.lists]]
    const [one, other] = await Promise.all(tests.map((what) => this.#look(what, stage, signal)))
    if (other!.listing.length > 0) this.#off(stage, OFF, 'it lists the whole world')
    else if (one!.listing.length === 0) this.#off(stage, OFF, 'its test entry is not there: it is no such list, or a dead one')
    else this.#testedUntil = stage.now + TEST_AGAIN
  }

  async #look(what: string, stage: Stage, signal: AbortSignal): Promise<{ readonly listing: Listing; readonly ttl: number }> {
    const { zone, blocked } = this.settings
    const { records, ttl } = await stage.resolver.resolve(`${what}.${zone}`, 'A', signal)
    const answers = records.flatMap((record) => [addressOctets(record) ?? []])
    // RFC 5782 §2.1: answers lie in 127.0.0.0/8. Others come from whoever sells names that nobody has.
    const listing = answers.filter(([first]) => first === 127)
    if (listing.length < answers.length) this.#off(stage, OFF, `it answers ${records[0]}, which no list does`)
    for (const answer of listing) {
      if (!blocked.some((match) => match(answer))) continue
      this.#off(stage, OFF, `it does not want to be asked from here: ${answer.join('.')}`)
    }
    return { listing, ttl }
  }

  #kept(what: string, { listing, ttl }: { readonly listing: Listing; readonly ttl: number }, { now }: Stage): Listing {
    this.#known.set(what, { listing, until: now + Math.min(MOST_KEPT, Math.max(LEAST_KEPT, ttl * 1000)) })
    return listing
  }

  #silent(stage: Stage, signal: AbortSignal): void {
    if (signal === this.#silentFor) return
    this.#silentFor = signal
    if (++this.#silences < MOST_SILENT) return
    this.#silences = 0
    this.#off(stage, SILENT, `it has not answered ${MOST_SILENT} times in a row`)
  }

  #off(stage: Stage, milliseconds: number, why: string): void {
    if (stage.now < this.#offUntil) return
    this.#offUntil = stage.now + milliseconds
    this.#testedUntil = -Infinity
    stage.trouble(new MailError('temporary', `${this.settings.zone} is not asked for ${milliseconds / 60_000} min: ${why}.`))
  }
}
