import type { Clock } from '../../protocol/session/clock.ts'
import type { OutcomeEvent } from '../../protocol/smtp/index.ts'
import { classify } from './classify.ts'
import { connect, type ConnectTerms, type Line, textOf, type Trouble } from './connect.ts'
import type { ErrandEnd } from './courier.ts'
import { errandOf } from './errand.ts'
import type { DeliveryParts, DeliveryRules } from './options.ts'
import { pause } from './pause.ts'
import type { Pool } from './pool.ts'
import type { Site } from './site.ts'
import type { SiteTarget } from './target.ts'
import { missed, took, type Tried } from './tried.ts'
import type { Work } from './work.ts'

/** What a round works with. */
export interface RoundTerms {
  readonly parts: DeliveryParts
  readonly rules: DeliveryRules
  readonly connecting: ConnectTerms
  readonly pool: Pool
  /** Everything was tried for a job. Never rejects. */
  readonly finish: (work: Work) => Promise<void>
  /** A job is given back as it was, but for what was tried of it. Never rejects. */
  readonly release: (work: Work) => Promise<void>
  /** A site's breaker has turned. */
  readonly turned: (site: Site, state: 'open' | 'closed') => void
  readonly signal: AbortSignal
}

/**
 * Brings leased messages to a site, one after the other on one connection; a new one where that breaks. Each of them gets one
 * try, and what has no connection gets to hear why.
 */
export class Round {
  private readonly site: Site
  private readonly target: SiteTarget
  private readonly terms: RoundTerms
  private line: Line | undefined
  /** Work with recipients that the server had no room for in one transaction. */
  private readonly again: Work[] = []
  private readonly pending = new Set<Promise<void>>()

  constructor(site: Site, target: SiteTarget, terms: RoundTerms) {
    this.site = site
    this.target = target
    this.terms = terms
  }

  /** Does all of it; resolves when everything is settled. Why there is no connection for one is why there is none for others. */
  async carry(works: readonly Work[]): Promise<void> {
    const waiting = [...works]
    let trouble: Trouble | undefined
    while (waiting.length > 0 || this.again.length > 0 || this.pending.size > 0) {
      const work = this.again.shift() ?? waiting.shift()
      if (!work) await Promise.race(this.pending)
      else if (this.terms.signal.aborted) await this.terms.release(work)
      else if (trouble) await this.missedAll(work, trouble)
      else trouble = await this.one(work)
    }
  }

  /** The connection is not needed any more, for now. */
  end(): void {
    const { line, terms, site } = this
    this.line = undefined
    if (!line) return
    if (line.courier.isFree && !terms.signal.aborted) terms.pool.put(site.key, line)
    else line.courier.quit()
  }

  private get clock(): Clock {
    return this.terms.parts.clock
  }

  private async one(work: Work): Promise<Trouble | undefined> {
    const { site, clock, terms } = this
    for (let wait = site.wait(clock.ticks()); wait > 0 && !terms.signal.aborted; wait = site.wait(clock.ticks())) {
      await pause(wait, clock, terms.signal)
    }
    const line = await this.ready()
    if ('failure' in line) {
      await (terms.signal.aborted ? terms.release(work) : this.missedAll(work, line))
      return line
    }
    site.count(clock.ticks())
    const { courier } = line
    work.tls = courier.tls?.protocol
    const { parts } = terms
    const isAlone = parts.returnPath?.(work.lease.message, work.left[0]!) !== undefined
    const numbers = work.left.slice(0, isAlone ? 1 : courier.offer!.recipients)
    const end = courier.send(errandOf(work.lease, numbers, clock.now(), parts))
    const heard = end.then((ended) => this.heard(work, numbers, ended, line))
    this.pending.add(heard)
    void heard.finally(() => this.pending.delete(heard))
    // The next one may go out behind it, before the answer is there.
    await courier.free()
    return undefined
  }

  /** A connection that is free, or why there is none. */
  private async ready(): Promise<Line | Trouble> {
    const { site, target, terms, clock } = this
    if (this.line && (await this.line.courier.free())) return this.line
    this.line = terms.pool.take(site.key)
    if (this.line) return this.line
    if (!site.tries(clock.ticks())) return shut(site)
    const made = await connect(target, terms.connecting, terms.signal)
    const now = clock.ticks()
    if ('courier' in made) {
      this.line = made
      if (site.worked() === 'closed') terms.turned(site, 'closed')
    } else if (terms.signal.aborted) site.gaveUp(now)
    else {
      site.pushedBack(now, now)
      if (site.failed(made.last, now) === 'opened') terms.turned(site, 'open')
    }
    return made
  }

  private async missedAll(work: Work, { failure, last }: Trouble): Promise<void> {
    work.noteLeft((number) => missed(number, failure, last))
    await this.terms.finish(work)
  }

  /** A server has answered to a message, for some of its recipients. */
  private async heard(work: Work, numbers: readonly number[], { outcomes, done }: ErrandEnd, line: Line): Promise<void> {
    const { site, clock, terms } = this
    // RFC 5321 §4.5.3.1.10: what did not fit goes in another transaction, as long as that leads anywhere.
    const isCrowded = (outcome: OutcomeEvent): boolean => done.accepted > 0 && hadNoRoom(outcome)
    const tried = outcomes
      .filter((outcome) => !isCrowded(outcome))
      .map((outcome) => this.triedOf(numbers[outcome.recipient]!, outcome, done.dsn, line))
    if (done.accepted > 0) site.took()
    if (outcomes.some((outcome) => asksToSlowDown(outcome, terms.rules))) site.pushedBack(line.began, clock.ticks())
    work.note(tried)
    if (work.left.length > 0) this.again.push(work)
    else await terms.finish(work)
  }

  private triedOf(number: number, outcome: OutcomeEvent, reports: boolean, { hop, address }: Line): Tried {
    const { result, phase, reason, reply, code, status } = outcome
    const text = reply ? textOf(reply.text) : result === 'accepted' ? '' : wordsFor(outcome, hop.host)
    const host = reply || result === 'accepted' ? hop.host : undefined
    const last = { at: this.clock.now(), code, enhanced: status, text, host, address }
    if (result === 'accepted') return took(number, this.target.protocol === 'lmtp' ? 'delivered' : 'relayed', last, reports)
    return missed(number, { result, phase, reason: reason ?? 'refused', code, status }, last)
  }
}

/** Why a site is not tried: what it was that failed the last time. */
function shut({ trouble }: Site): Trouble {
  const last = trouble!
  const status = last.enhanced ?? '4.4.1'
  return { failure: { result: 'temporary', phase: 'dial', reason: 'closed-site', code: last.code, status }, last }
}

const hadNoRoom = ({ reason, phase, code, status }: OutcomeEvent): boolean => {
  return reason === 'recipients' || (phase === 'recipient' && code === 452 && (status === '4.5.3' || status === '4.0.0'))
}

function asksToSlowDown({ result, phase, reason, code, status }: OutcomeEvent, { failures }: DeliveryRules): boolean {
  if (result === 'accepted') return false
  const { cause } = classify({ result, phase, reason: reason ?? 'refused', code, status }, failures)
  return cause === 'busy' || cause === 'timeout' || cause === 'network' || (cause === 'temporary' && code === 451)
}

function wordsFor({ reason, phase }: OutcomeEvent, host: string): string {
  switch (reason) {
    case 'timeout':
      return `${host} took too long (${phase})`
    case 'lost':
      return `The connection to ${host} was lost (${phase})`
    case 'protocol':
      return `${host} does not speak the protocol (${phase})`
    case 'host':
      return 'The message could not be read'
    case 'recipients':
      return `${host} takes fewer recipients`
    case 'size':
      return `The message is larger than ${host} takes`
    default:
      return `${host} does not offer what the message needs (${reason ?? phase})`
  }
}
