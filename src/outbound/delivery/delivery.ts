import type { Dispatch, OutgoingMessage } from '../../contracts/dispatch.ts'
import type { NewJob } from '../../contracts/queue.ts'
import type { Alarm } from '../../protocol/session/clock.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { encodeMailbox } from '../../protocol/smtp/index.ts'
import { Bustle } from './bustle.ts'
import { Here } from './here.ts'
import { inTime } from './in-time.ts'
import { Leases } from './leases.ts'
import { type Connecting, defaultDeliveryRules, type DeliveryParts, type DeliveryRules } from './options.ts'
import { pause } from './pause.ts'
import { Pool } from './pool.ts'
import { quietNews } from './quiet-news.ts'
import { releaseTime } from './release.ts'
import { REST } from './rate.ts'
import { REPORT, reportingTurn } from './reporting.ts'
import { Round, type RoundTerms } from './round.ts'
import { Settling } from './settling.ts'
import type { Site } from './site.ts'
import { type Place, Sites } from './sites.ts'
import type { Target } from './target.ts'
import { Work } from './work.ts'

/** Destinations that are being worked on, or wait for their site, at a time. */
const MOST_BUSY = 20_000
/** So many of them make looks rarer: there is a millisecond between two for each hundred. */
const MANY_BUSY = 1_000
const PER_MILLISECOND = 100
/** Destinations whose way is looked for at a time. */
const MOST_ASKED = 100
/** Milliseconds after which one of them counts no more: those whose DNS is silent keep no others waiting. */
const SLOW = 1_000
/** Destinations that are found in one look into the queue. */
const FOUND = 1_000
/** Milliseconds that a question may take whose answer nobody misses: where mail goes, how a report is written. */
const PATIENCE = 300_000
/** Milliseconds for what is broken off to be settled. */
const AFTER_STOP = 5_000
/** The longest that a report waits which could not be made, in milliseconds: six hours. */
const LONGEST = 21_600_000
/** Milliseconds after which a queue that fails is looked at again. */
const AFTER_FAULT = 5_000

/**
 * Works on a queue: leases what is due, finds out where it goes, brings it there as gently as each site wants it, and settles
 * what came of it; reports to senders. One slow or dead destination never delays another.
 */
export class Delivery implements Dispatch {
  readonly traits: Dispatch['traits']
  private readonly parts: DeliveryParts
  private readonly rules: DeliveryRules
  private readonly leases: Leases
  private readonly pool: Pool
  private readonly sites: Sites
  private readonly settling: Settling
  private readonly here: Here
  private readonly round: (site: Site) => RoundTerms
  /** Destinations that are being worked on, and by how many. */
  private readonly busy = new Map<string, number>()
  private readonly stopped: AbortController
  /** Those who wait for a site's time. */
  private readonly resting = new Set<() => void>()
  private looking: Promise<void> | undefined
  private lookAgain = false
  private alarm: Alarm | undefined
  private isRunning = false
  private asked = 0
  /** Destinations that something is due for, and nobody is at work on yet. */
  private found: readonly string[] = []
  private unwatch: (() => void) | undefined
  private readonly bustle: Bustle

  constructor(parts: DeliveryParts, connecting: Connecting, rules: Partial<DeliveryRules> = {}) {
    this.parts = parts.news ? { ...parts, news: quietNews(parts.news) } : parts
    this.rules = { ...defaultDeliveryRules, ...rules }
    const { clock, news, queue } = this.parts
    const failed = (what: string, error: unknown): void => news?.failed?.(what, error)
    this.traits = { durability: queue.traits.durability }
    this.stopped = parts.stopping ?? new AbortController()
    this.leases = new Leases(queue, clock, this.rules.lease, failed, this.stopped.signal)
    this.pool = new Pool(clock, this.rules.idle, this.rules.connections)
    this.sites = new Sites(this.rules, this.rules.connections)
    this.settling = new Settling(this.parts, this.rules, this.leases)
    this.bustle = new Bustle(clock, () => this.looking !== undefined || this.busy.size > 0 || this.here.under > 0)
    this.here = new Here({
      bring: (work) => this.settling.here(work),
      release: (work) => this.settling.release(work),
      late: () => {
        this.look()
        this.bustle.end()
      },
      stopped: this.stopped.signal,
      clock,
    })
    this.round = (site) => ({
      parts: this.parts,
      rules: this.rules,
      connecting: { ...connecting, clock, localAddress: site.source, failed: (error) => failed('send', error) },
      pool: this.pool,
      finish: (work) => this.settling.finish(work),
      release: (work, later) => this.settling.release(work, later),
      proven: () => this.givePlaces(),
      turned: (of, state) => this.turned(of, state),
      signal: this.stopped.signal,
    })
  }

  /** Takes a message into the queue, for all its recipients or none. Rejects with `misuse` where it has no recipients. */
  async enqueue(message: OutgoingMessage): Promise<{ readonly id: string }> {
    if (message.envelope.recipients.length === 0) throw new MailError('misuse', NOBODY)
    const queued = await this.parts.queue.enqueue(message, await this.jobsFor(message))
    this.look()
    return queued
  }

  /** The jobs of a message: one for each destination. */
  private async jobsFor(message: OutgoingMessage): Promise<NewJob[]> {
    const { envelope, received } = message
    const due = releaseTime(envelope, received)
    const byDestination = new Map<string, number[]>()
    const destinations = await Promise.all(envelope.recipients.map((recipient) => this.parts.destination(recipient, message)))
    destinations.forEach((destination, number) => {
      const numbers = byDestination.get(destination)
      if (numbers) numbers.push(number)
      else byDestination.set(destination, [number])
    })
    const { priority = 0 } = envelope
    return [...byDestination].map(([destination, recipients]) => ({ destination, recipients, due, priority }))
  }

  /** Begins to work. */
  start(): void {
    if (this.isRunning || this.stopped.signal.aborted) return
    this.isRunning = true
    this.unwatch = this.parts.queue.watch?.(() => this.look())
    this.look()
  }

  /**
   * Takes on nothing more, lets what is on its way come to its end for so many milliseconds, then breaks it off. Resolves when
   * all is settled or given back; or, where a queue or a mailbox never answers, a little later: what they have not settled is due
   * again when its lease runs out. May be called again.
   */
  async stop({ within }: { readonly within: number }): Promise<void> {
    this.isRunning = false
    for (const wake of this.resting) wake()
    this.unwatch?.()
    this.alarm?.cancel()
    const { clock } = this.parts
    const sleep = clock.stayAwake?.()
    const limit = clock.alarm(clock.ticks() + within, () => this.stopped.abort(new Error('The delivery was stopped')))
    await inTime(this.quiet(), within + AFTER_STOP, clock).catch((error: unknown) => this.parts.news?.failed?.('stop', error))
    limit.cancel()
    sleep?.()
    this.pool.close()
    this.stopped.abort(new Error('The delivery was stopped'))
    this.leases.end()
  }

  /** Resolves when nobody is at work and nothing is due now. */
  async quiet(): Promise<void> {
    await this.bustle.over()
  }

  /** Looks into the queue, now or as soon as the look that is under way is over. */
  look(): void {
    if (!this.isRunning) return
    if (this.looking) {
      this.lookAgain = true
      return
    }
    this.bustle.begin()
    this.looking = this.lookInto().finally(() => {
      this.looking = undefined
      if (this.lookAgain) {
        this.lookAgain = false
        this.look()
      }
      this.bustle.end()
    })
  }

  private async lookInto(): Promise<void> {
    const { queue, clock } = this.parts
    try {
      if (this.found.length === 0) this.found = await queue.due({ now: clock.now(), limit: FOUND, except: this.except })
      this.beginFound()
      // Where there is more to begin, whoever comes to an end looks again.
      if (this.found.length > 0) return
      this.wakeAt(await queue.nextDue(this.except))
      // A look goes past all that are busy: of many that come to an end one after the other not each is to cause one.
      if (this.busy.size > MANY_BUSY) await pause(this.busy.size / PER_MILLISECOND, clock, this.stopped.signal)
    } catch (error) {
      this.parts.news?.failed?.('look into the queue', error)
      this.wakeAt(clock.now() + AFTER_FAULT)
    }
  }

  private get except(): ReadonlySet<string> {
    return new Set(this.busy.keys())
  }

  private beginFound(): void {
    const { found } = this
    let at = 0
    while (this.isRunning && at < found.length && this.busy.size < MOST_BUSY && this.asked < MOST_ASKED) {
      const destination = found[at++]!
      if (!this.busy.has(destination)) this.begin(destination)
    }
    this.found = found.slice(at)
  }

  /** Looks again at that time, and once in a while. */
  private wakeAt(at: number | undefined): void {
    const { clock } = this.parts
    this.alarm?.cancel()
    if (!this.isRunning) return
    const wait = Math.min(this.rules.poll, Math.max(0, (at ?? Infinity) - clock.now()))
    this.alarm = clock.alarm(clock.ticks() + wait, () => this.look())
  }

  private begin(destination: string): void {
    this.busy.set(destination, (this.busy.get(destination) ?? 0) + 1)
    void this.findWay(destination)
  }

  private done(destination: string): void {
    const left = this.busy.get(destination)! - 1
    if (left > 0) this.busy.set(destination, left)
    else this.busy.delete(destination)
    this.look()
    this.bustle.end()
  }

  private async findWay(destination: string): Promise<void> {
    if (destination === REPORT) return this.work(destination, (works) => this.report(works))
    const { clock } = this.parts
    let isAsking = true
    const goOn = (): void => {
      if (isAsking && this.asked-- === MOST_ASKED) this.look()
      isAsking = false
    }
    this.asked++
    const slow = clock.alarm(clock.ticks() + SLOW, goOn)
    const target = await this.target(destination, false)
    slow.cancel()
    goOn()
    if (target.kind === 'here') return this.work(destination, (works) => this.here.carry(works))
    if (target.kind === 'nowhere') return this.work(destination, (works) => this.settling.nowhere(works, target))
    this.sites.ask(destination, target)
    this.givePlaces()
  }

  private async target(destination: string, strictly: boolean): Promise<Target> {
    const { directions, news, clock } = this.parts
    try {
      const { signal } = this.stopped
      return await inTime(directions(destination, { strictly, signal }), PATIENCE, clock, signal)
    } catch (error) {
      news?.failed?.('directions', error)
      const failure = { result: 'temporary', phase: 'route', reason: 'ours', code: 451, status: '4.3.0' } as const
      return { kind: 'nowhere', failure, text: 'The way to this destination cannot be found out now' }
    }
  }

  /** Works on a destination until nothing is due for it. */
  private async work(
    destination: string, carry: (works: readonly Work[]) => Promise<void>, place?: Place,
  ): Promise<void> {
    const { rules, leases } = this
    const { clock } = this.parts
    let works: readonly Work[] = []
    try {
      while (this.isRunning) {
        if (place && place.site.wait(clock.ticks()) > REST) break
        const limit = place && rules.rate ? 1 : rules.batch
        const taken = await leases.take(destination, limit)
        if (taken.length === 0) break
        if (place && taken.length === limit && this.sites.mayGrow(place)) this.grow(place)
        works = taken.map((lease) => new Work(lease, clock.ticks()))
        await carry(await this.settling.before(works))
        // What is still on its way into mailboxes here is settled when it is there: nobody gives it back meanwhile.
        works = []
        // Others have their turn; what is left is due as before.
        if (place && this.sites.isWanted(place)) break
      }
    } catch (error) {
      this.parts.news?.failed?.(`deliver to ${destination}`, error)
      await Promise.all(works.map((work) => this.settling.release(work, AFTER_FAULT)))
      await pause(AFTER_FAULT, clock, this.stopped.signal)
    } finally {
      if (!place) this.done(destination)
    }
  }

  /** One more connection for the same destination. */
  private grow({ destination, target }: Place): void {
    this.busy.set(destination, this.busy.get(destination)! + 1)
    this.sites.ask(destination, target)
    this.givePlaces()
  }

  private givePlaces(): void {
    const { clock } = this.parts
    for (let place = this.sites.give(clock.ticks()); place; place = this.sites.give(clock.ticks())) void this.atPlace(place)
  }

  private async atPlace(place: Place): Promise<void> {
    const { destination, site, target } = place
    const round = new Round(site, target, this.round(site))
    await this.work(destination, async (works) => {
      // RFC 8689 §5: what comes from nobody is not given up for it.
      const isStrict = ({ lease }: Work): boolean => lease.message.envelope.requireTls && lease.message.envelope.sender !== null
      const strict = target.verified ? [] : works.filter(isStrict)
      await round.carry(works.filter((work) => !strict.includes(work)))
      if (strict.length > 0) await this.strictly(destination, strict, site)
    }, place)
    round.end()
    const { clock } = this.parts
    this.sites.back(place, clock.ticks())
    this.givePlaces()
    // Others have the place while it is not this site's time yet.
    const rest = site.wait(clock.ticks())
    if (rest > REST && this.isRunning) await this.rest(rest)
    this.done(destination)
  }

  private rest(milliseconds: number): Promise<void> {
    const { clock } = this.parts
    return new Promise((resolve) => {
      const wake = (): void => {
        alarm.cancel()
        this.resting.delete(wake)
        resolve()
      }
      const alarm = clock.alarm(clock.ticks() + milliseconds, wake)
      this.resting.add(wake)
    })
  }

  /** RFC 8689: by a connection of their own, to servers that have proven who they are. */
  private async strictly(destination: string, works: readonly Work[], near: Site): Promise<void> {
    const target = await this.target(destination, true)
    if (target.kind === 'here') return this.here.carry(works)
    if (target.kind === 'nowhere') return this.settling.nowhere(works, target)
    // RFC 8689 §4.2.1: of servers that somebody has named, too, one has to know who they are.
    if (!target.verified) return this.settling.nowhere(works, NOT_VERIFIED)
    const round = new Round(near.likeness(target.key), target, this.round(near))
    await round.carry(works)
    round.end()
  }

  private async report(works: readonly Work[]): Promise<void> {
    await Promise.all(works.map((work) => this.reportOn(work)))
  }

  private async reportOn(work: Work): Promise<void> {
    const { lease } = work
    const { compose, clock, news } = this.parts
    const { signal } = this.stopped
    work.isSettled = true
    const now = clock.now()
    const { reports, outcomes, due } = reportingTurn(lease, now, this.rules.delayAfter)
    try {
      const enqueue = await inTime(Promise.all(reports.map(async (report) => {
        const message = await compose(report, lease.message)
        return { message, jobs: await this.jobsFor(message) }
      })), PATIENCE, clock, signal)
      const again = due === undefined ? {} : { due }
      const settled = await this.leases.settle(lease, { now, outcomes, enqueue, counts: true, ...again })
      if (!settled) return
      for (const { report } of reports) {
        const recipients = report.recipients.map(({ recipient }) => encodeMailbox(recipient))
        news?.reported?.({ message: lease.message.id, report: report.kind, to: encodeMailbox(report.to), recipients })
      }
    } catch (error) {
      news?.failed?.('report', error)
      const isStopped = signal.aborted
      const wait = isStopped ? 0 : Math.min(LONGEST, 300_000 * 2 ** Math.min(lease.tries, 10))
      await this.leases.settle(lease, { now, outcomes: [], counts: !isStopped, due: now + wait })
    }
  }

  private turned(site: Site, state: 'open' | 'closed'): void {
    const { clock, news } = this.parts
    const opensAt = site.opensAt
    const until = opensAt === undefined ? undefined : clock.now() + opensAt - clock.ticks()
    news?.site?.({ site: site.key, state, text: site.trouble?.text ?? '', until })
  }
}

const NOBODY = 'enqueue: envelope.recipients is empty; a message has one recipient at the least.'

const NOT_VERIFIED = {
  kind: 'nowhere',
  failure: { result: 'permanent', phase: 'route', reason: 'tls-policy', code: 550, status: '5.7.10' },
  text: 'REQUIRETLS: nothing proves who the servers are that mail for this destination goes to',
} as const
