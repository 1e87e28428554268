import { Site, type SiteRules } from './site.ts'
import type { SiteTarget } from './target.ts'

/** A place at a site, for a destination. */
export interface Place {
  readonly destination: string
  readonly target: SiteTarget
  readonly site: Site
}

/**
 * The share of all places that sites may have of which it is not known that they answer: those that are dead, or say nothing for
 * hours, keep nobody waiting whose site does.
 */
const UNPROVEN = 0.75

/** Ticks after which a site at rest is forgotten: an hour. */
const FORGET = 3_600_000

/**
 * All sites that are known, and who waits for a place at one. Places are given in turn: a site that bears little keeps nobody
 * else waiting.
 */
export class Sites {
  /** Places that are taken. */
  taken = 0
  private readonly known = new Map<string, Site>()
  private readonly rules: SiteRules
  private readonly most: number
  /** Sites that somebody waits for, each with those who do; the one that was served last comes last. */
  private readonly queues = new Map<Site, Place[]>()
  private readonly trials = new Set<Place>()
  private turn = 0

  /** `most`: places at all sites together. */
  constructor(rules: SiteRules, most: number) {
    this.rules = rules
    this.most = most
  }

  /** Waits for a place: `give` gives it. */
  ask(destination: string, target: SiteTarget): void {
    const site = this.siteOf(target)
    const place = { destination, target, site }
    const queue = this.queues.get(site)
    if (queue) queue.push(place)
    else this.queues.set(site, [place])
  }

  /** Gives the next place away, if there is one to give. */
  give(now: number): Place | undefined {
    if (this.taken >= this.most) return undefined
    const mayTry = this.mayTry()
    for (const [site, queue] of this.queues) {
      // Who waits for a site that is closed gets to know it at once.
      const isShut = site.isShut(now)
      const isTrial = !site.isProven && !isShut
      if ((!site.hasRoom && !isShut) || (isTrial && !mayTry)) continue
      const place = queue.shift()!
      if (isTrial) this.trials.add(place)
      this.queues.delete(site)
      if (queue.length > 0) this.queues.set(site, queue)
      site.begin(now)
      this.taken++
      return place
    }
    return undefined
  }

  /** A place that was given is free again. */
  back(place: Place, now: number): void {
    place.site.end(now)
    this.trials.delete(place)
    this.taken--
    if (this.known.size > 1000 && ++this.turn % 100 === 0) this.forget(now)
  }

  /** Whether one more place for the same destination may be asked for: the site answers, has room, and nobody else wants it. */
  mayGrow({ site }: Place): boolean {
    return site.isProven && site.hasRoom && !this.queues.has(site) && this.taken < this.most
  }

  /** Somebody else waits for this place. */
  isWanted({ site }: Place): boolean {
    return this.queues.has(site) || (this.taken >= this.most && this.queues.size > 0)
  }

  /** Whether one more place may go to a site that is not known to answer. */
  private mayTry(): boolean {
    const most = Math.ceil(this.most * UNPROVEN)
    if (this.trials.size < most) return true
    for (const place of this.trials) if (place.site.isProven) this.trials.delete(place)
    return this.trials.size < most
  }

  private siteOf(target: SiteTarget): Site {
    const { sources = [] } = target
    const source = sources.length === 0 ? '' : sources[this.turn++ % sources.length]!
    const key = `${target.key} ${source}`
    let site = this.known.get(key)
    if (!site) {
      const most = target.connections ?? this.rules.window.most
      const window = { initial: Math.min(this.rules.window.initial, most), most }
      site = new Site(key, source === '' ? undefined : source, { ...this.rules, window, rate: target.rate ?? this.rules.rate })
      this.known.set(key, site)
    }
    return site
  }

  private forget(now: number): void {
    for (const [key, site] of this.known) if (!this.queues.has(site) && site.isForgettable(now, FORGET)) this.known.delete(key)
  }
}
