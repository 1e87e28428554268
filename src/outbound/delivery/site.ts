import type { LastTry } from '../../contracts/queue.ts'
import { type Breaker, type BreakerRules, closedBreaker, failed, mayTry, tried, untried, worked } from './breaker.ts'
import { counted, type NextAllowed, type RateRules, waitFor } from './rate.ts'
import { halved, newWindow, widened, type Window, type WindowRules } from './window.ts'

/** How gently a site is treated. */
export interface SiteRules {
  readonly window: WindowRules
  readonly breaker: BreakerRules
  /** Default: as fast as it takes them. */
  readonly rate?: RateRules | undefined
}

/** A site's breaker has changed its state. */
export type BreakerTurn = 'opened' | 'closed'

/**
 * What is known of a site, the servers that mail for a destination goes to, seen from one source address: how many connections it
 * bears, how fast, and whether it can be reached at all. All times are ticks.
 */
export class Site {
  readonly key: string
  /** The address to come from; `undefined`: as the system chooses. */
  readonly source: string | undefined
  /** Connections that are open or being opened. */
  active = 0
  /** It has answered to a message in time, and always since. */
  isProven = false
  /** Why it could not be reached the last time. */
  trouble: LastTry | undefined
  private readonly rules: SiteRules
  private window: Window
  private breaker: Breaker = closedBreaker
  private next: NextAllowed = 0
  /** Those who wait to hear of the connection that is being tried. */
  private listening: (() => void)[] = []
  private used = 0

  constructor(key: string, source: string | undefined, rules: SiteRules) {
    this.key = key
    this.source = source
    this.rules = rules
    this.window = newWindow(rules.window)
  }

  /** The same place, for connections that are made in another way: with the same patience, and none of what is known. */
  likeness(key: string): Site {
    return new Site(key, this.source, this.rules)
  }

  /** Connections that it gets at a time, now. While it is not known to be back, one. */
  get width(): number {
    return this.breaker.state === 'closed' ? Math.floor(this.window.size) : 1
  }

  get hasRoom(): boolean {
    return this.active < this.width
  }

  /** Nothing is to be tried for a while. */
  isShut(now: number): boolean {
    return this.breaker.state === 'open' && now < this.breaker.until
  }

  /** When it may be tried again; `undefined`: now, or as soon as a try that is under way has ended. */
  get opensAt(): number | undefined {
    return this.breaker.state === 'open' ? this.breaker.until : undefined
  }

  /** Takes a place. */
  begin(now: number): void {
    this.active++
    this.used = now
  }

  /** One connection is being tried, to see whether it is back. */
  get isTrying(): boolean {
    return this.breaker.state === 'half-open'
  }

  /** Resolves when it is known what came of the connection that is being tried. */
  async decided(): Promise<void> {
    if (this.isTrying) await new Promise<void>((resolve) => this.listening.push(resolve))
  }

  /**
   * Whether a connection may be tried; by somebody's order also while nothing is to be tried. Whoever is told so tells how it
   * went: `worked`, `failed` or `gaveUp`.
   */
  tries(now: number, isOrdered = false): boolean {
    if (!mayTry(this.breaker, now, isOrdered)) return false
    this.breaker = tried(this.breaker)
    return true
  }

  /** A connection was given up before it showed anything. */
  gaveUp(now: number): void {
    this.breaker = untried(this.breaker, now)
    this.tellDecided()
  }

  /** It took too long over a message: who knows when it answers again. */
  stalled(): void {
    this.isProven = false
  }

  /** A connection works. */
  worked(): BreakerTurn | undefined {
    const wasClosed = this.breaker.state === 'closed'
    this.isProven = true
    this.breaker = worked(this.breaker)
    this.trouble = undefined
    this.tellDecided()
    return wasClosed ? undefined : 'closed'
  }

  /** There is no connection to be had. */
  failed(trouble: LastTry, now: number): BreakerTurn | undefined {
    const wasOpen = this.breaker.state === 'open'
    this.isProven = false
    this.breaker = failed(this.breaker, this.rules.breaker, now)
    this.trouble = trouble
    this.tellDecided()
    return !wasOpen && this.breaker.state === 'open' ? 'opened' : undefined
  }

  private tellDecided(): void {
    const { listening } = this
    this.listening = []
    for (const resolve of listening) resolve()
  }

  /** Gives the place back. */
  end(now: number): void {
    this.active--
    this.used = now
  }

  /** A message was taken. */
  took(): void {
    this.window = widened(this.window, this.rules.window)
  }

  /** It asks us to slow down, on a connection that began at `began`. */
  pushedBack(began: number, now: number): void {
    this.window = halved(this.window, began, now)
  }

  /** Milliseconds until the next message may go. */
  wait(now: number): number {
    return this.rules.rate ? waitFor(this.next, this.rules.rate, now) : 0
  }

  /** A message goes. */
  count(now: number): void {
    if (this.rules.rate) this.next = counted(this.next, this.rules.rate, now)
  }

  /** Nothing of it needs to be remembered: it is at rest, and as well known as any other. */
  isForgettable(now: number, after: number): boolean {
    if (this.active > 0 || now - this.used < after || now < this.next) return false
    return this.breaker.state === 'closed' || now >= (this.opensAt ?? Infinity) + after
  }
}
