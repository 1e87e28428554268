import type { LastTry } from '../../contracts/queue.ts'
import type { Address } from '../../message/address.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import type { DoneEvent, OutcomeEvent } from '../../protocol/smtp/index.ts'
import { classify } from './classify.ts'
import { connect, type ConnectTerms, type Line, textOf, type Trouble } from './connect.ts'
import type { ErrandEnd } from './courier.ts'
import { errandOf } from './errand.ts'
import type { DeliveryParts, DeliveryRules } from './options.ts'
import { pause } from './pause.ts'
import type { Pool } from './pool.ts'
import { REST } from './rate.ts'
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
  /** A job is given back as it was, but for what was tried of it; due `later`, in milliseconds. Never rejects. */
  readonly release: (work: Work, later?: number) => Promise<void>
  /** A site answers of which that was not known. */
  readonly proven: () => void
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
  private letGo: (() => void) | undefined
  /** A new connection, until its first message has shown whether it works; `hasMail`: that is on its way. */
  private trial: { readonly line: Line; hasMail: boolean } | undefined
  /** Work with recipients that the server had no room for in one transaction. */
  private readonly again: Work[] = []
  /** What is on its way, and is settled when it has ended. */
  private pending: Promise<void>[] = []

  constructor(site: Site, target: SiteTarget, terms: RoundTerms) {
    this.site = site
    this.target = target
    this.terms = terms
  }

  /** Does all of it; resolves when everything is settled. Why there is no connection for one is why there is none for others. */
  async carry(works: readonly Work[]): Promise<void> {
    // What somebody has ordered goes where nothing else may go yet, and may open the way for the rest.
    const waiting = [...works].sort((a, b) => Number(b.lease.ordered) - Number(a.lease.ordered))
    let trouble: Trouble | undefined
    while (waiting.length > 0 || this.again.length > 0 || this.pending.length > 0) {
      const work = this.again.shift() ?? waiting.shift()
      if (!work) await this.allHeard()
      else if (this.terms.signal.aborted) await this.terms.release(work)
      else if (trouble) await this.missedAll(work, trouble)
      else trouble = await this.oneOf(work)
    }
  }

  /** A fault of ours with one message is no reason to leave the others lying. */
  private async oneOf(work: Work): Promise<Trouble | undefined> {
    try {
      return await this.one(work)
    } catch (error) {
      this.terms.connecting.failed(error)
      await this.missedAll(work, this.ours())
      return undefined
    }
  }

  private ours(): Trouble {
    const last = { at: this.clock.now(), code: 451, enhanced: '4.3.0', text: OURS, host: undefined, address: undefined }
    return { failure: { result: 'temporary', phase: 'dial', reason: 'ours', code: 451, status: '4.3.0' }, last }
  }

  /** The connection is not needed any more, for now. */
  end(): void {
    const { line, terms, site } = this
    this.line = undefined
    if (this.trial) site.gaveUp(this.clock.ticks())
    this.trial = undefined
    this.letGo?.()
    if (!line) return
    if (line.courier.isFree && !terms.signal.aborted) terms.pool.put(site.key, line)
    else line.courier.quit()
  }

  private get clock(): Clock {
    return this.terms.parts.clock
  }

  private async one(work: Work): Promise<Trouble | undefined> {
    const { site, clock, terms } = this
    const rest = site.wait(clock.ticks())
    if (rest > REST && work.tried.length === 0) {
      await terms.release(work, rest)
      return undefined
    }
    for (let wait = rest; wait > 0 && !terms.signal.aborted; wait = site.wait(clock.ticks())) {
      await pause(wait, clock, terms.signal)
    }
    const { ordered } = work.lease
    let line = await this.ready(ordered)
    // It may go the moment that it is there.
    while ('courier' in line && !line.courier.isFree && !terms.signal.aborted) line = await this.ready(ordered)
    if ('failure' in line || !line.courier.isFree) {
      await (terms.signal.aborted || 'courier' in line ? terms.release(work) : this.missedAll(work, line))
      return 'courier' in line ? undefined : line
    }
    site.count(clock.ticks())
    const { courier } = line
    work.tls = courier.tls?.protocol
    const { parts } = terms
    const sender = this.returnPath(work)
    const numbers = work.left.slice(0, sender ? 1 : courier.offer!.recipients)
    if (this.trial?.line === line) this.trial.hasMail = true
    this.pending.push(this.hear(work, numbers, courier.send(errandOf(work.lease, numbers, sender, clock.now(), parts)), line))
    // The next one may go out behind it, before the answer is there.
    await courier.free()
    return undefined
  }

  /** The sender that tells of the next recipient. Where there is none to be had, its own does. */
  private returnPath({ lease, left }: Work): Address | undefined {
    const { parts, connecting } = this.terms
    try {
      return parts.returnPath?.(lease.message, left[0]!)
    } catch (error) {
      connecting.failed(error)
      return undefined
    }
  }

  /** A connection that is free, or why there is none. */
  private async ready(isOrdered: boolean): Promise<Line | Trouble> {
    const { site, terms, clock } = this
    if (this.line && (await this.line.courier.free())) return this.line
    if (this.trial && !this.trial.hasMail) this.failed(this.trial.line, this.lostBy(this.trial.line))
    this.line = terms.pool.take(site.key)
    if (this.line) return this.takenUp(this.line)
    if (!(await this.mayConnect(isOrdered))) return shut(site) ?? this.ours()
    const made = await this.connected()
    const now = clock.ticks()
    if ('courier' in made) {
      this.line = this.takenUp(made)
      this.trial = { line: made, hasMail: false }
    } else if (terms.signal.aborted) site.gaveUp(now)
    else this.failed(undefined, made.last)
    return made
  }

  /** Whether a connection may be tried: not while none is to be, but for an order that somebody has given. */
  private async mayConnect(isOrdered: boolean): Promise<boolean> {
    const { site, terms, clock } = this
    // One that is under way will tell, and one is enough.
    const isTried = isOrdered && site.isTrying
    if (isTried) await site.decided()
    const wasShut = site.isShut(clock.ticks())
    if (!site.tries(clock.ticks(), isOrdered && !isTried)) return false
    if (wasShut) terms.turned(site, 'open')
    return true
  }

  /** A connection came to nothing, or the one that was made shows that nothing is taken there. */
  private failed(line: Line | undefined, last: LastTry): void {
    const { site, terms, clock } = this
    const now = clock.ticks()
    if (line && this.trial?.line === line) this.trial = undefined
    site.pushedBack(now, now)
    if (site.failed(last, now) === 'opened') terms.turned(site, 'open')
  }

  private lostBy({ hop, address }: Line): LastTry {
    const text = `The connection to ${hop.host} was lost`
    return { at: this.clock.now(), code: 451, enhanced: '4.4.2', text, host: undefined, address }
  }

  /** Never rejects: whoever was allowed to try tells how it went. */
  private async connected(): Promise<Line | Trouble> {
    const { target, terms } = this
    try {
      return await connect(target, terms.connecting, terms.signal)
    } catch (error) {
      terms.connecting.failed(error)
      return this.ours()
    }
  }

  /** While we are at work on it, it is broken off when all is. */
  private takenUp(line: Line): Line {
    const { signal } = this.terms
    const stop = (): void => line.courier.reset()
    this.letGo?.()
    this.letGo = () => signal.removeEventListener('abort', stop)
    signal.addEventListener('abort', stop)
    return line
  }

  private async missedAll(work: Work, { failure, last }: Trouble): Promise<void> {
    work.noteLeft((number) => missed(number, failure, last))
    await this.terms.finish(work)
  }

  private async allHeard(): Promise<void> {
    const { pending } = this
    this.pending = []
    await Promise.all(pending)
  }

  /** Waits for how an errand ends. Never rejects. */
  private async hear(work: Work, numbers: readonly number[], end: Promise<ErrandEnd>, line: Line): Promise<void> {
    try {
      await this.heard(work, numbers, await end, line)
    } catch (error) {
      this.terms.connecting.failed(error)
      await this.missedAll(work, this.ours())
    }
  }

  /** A server has answered to a message, for some of its recipients. */
  private async heard(work: Work, numbers: readonly number[], { outcomes, done }: ErrandEnd, line: Line): Promise<void> {
    const { site, clock, terms } = this
    if (this.isWornOut(work, outcomes, done, line)) {
      // It goes again on a connection of its own, once: it is the connection that was at its end, and not the server.
      work.isSecond = true
      line.courier.quit()
      this.again.push(work)
      return
    }
    // RFC 5321 §4.5.3.1.10: what did not fit goes in another transaction, as long as that leads anywhere.
    const isCrowded = (outcome: OutcomeEvent): boolean => done.accepted > 0 && hadNoRoom(outcome)
    const tried = outcomes
      .filter((outcome) => !isCrowded(outcome))
      .map((outcome) => this.triedOf(numbers[outcome.recipient]!, outcome, done.dsn, line))
    this.learn(outcomes, tried, line)
    if (outcomes.some(({ reason }) => reason === 'timeout')) site.stalled()
    if (done.accepted > 0) site.took()
    if (this.isPushedBack(outcomes)) site.pushedBack(line.began, clock.ticks())
    work.note(tried)
    if (work.left.length > 0) this.again.push(work)
    else await terms.finish(work)
  }

  /** Our own rules may be nonsense: then nobody is slowed down for. */
  private isPushedBack(outcomes: readonly OutcomeEvent[]): boolean {
    try {
      return outcomes.some((outcome) => asksToSlowDown(outcome, this.terms.rules))
    } catch (error) {
      this.terms.connecting.failed(error)
      return false
    }
  }

  /** What the first message of a connection says of the site. */
  private learn(outcomes: readonly OutcomeEvent[], tried: readonly Tried[], line: Line): void {
    if (this.trial?.line !== line) return
    const closing = outcomes.find(isClosing)
    if (closing) return this.failed(line, tried.find(({ failure }) => failure?.phase === 'sender')!.last)
    this.trial = undefined
    const { site, terms } = this
    const wasProven = site.isProven
    if (site.worked() === 'closed') terms.turned(site, 'closed')
    if (!wasProven) terms.proven()
  }

  /**
   * A connection that has taken messages takes no more: the server has closed it meanwhile, or has had enough of it (RFC 9422
   * lets it count domains too). Nothing is said by that of the message.
   */
  private isWornOut(work: Work, outcomes: readonly OutcomeEvent[], { accepted }: DoneEvent, line: Line): boolean {
    if (this.trial?.line === line || work.isSecond || accepted > 0) return false
    const isUnsaid = ({ reason, reply }: OutcomeEvent): boolean => reason === 'recipients' && reply === undefined
    return outcomes.some((outcome) => isClosing(outcome) && outcome.reason !== 'timeout') || outcomes.every(isUnsaid)
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
function shut({ trouble: last }: Site): Trouble | undefined {
  if (!last) return undefined
  const status = last.enhanced ?? '4.4.1'
  return { failure: { result: 'temporary', phase: 'dial', reason: 'closed-site', code: last.code, status }, last }
}

const OURS = 'This server could not try it'

/** A server takes leave instead of answering to MAIL, or says that it takes no mail now (RFC 3463, X.3.2). */
const isClosing = ({ phase, code, status, reason }: OutcomeEvent): boolean => {
  if (phase !== 'sender') return false
  return code === 421 || status === '4.3.2' || reason === 'lost' || reason === 'timeout' || reason === 'protocol'
}

const hadNoRoom = ({ reason, phase, code, status }: OutcomeEvent): boolean => {
  return reason === 'recipients' || (phase === 'recipient' && code === 452 && (status === '4.5.3' || status === '4.0.0'))
}

function asksToSlowDown({ result, phase, reason, code, status }: OutcomeEvent, { failures }: DeliveryRules): boolean {
  if (result === 'accepted') return false
  const { cause } = classify({ result, phase, reason: reason ?? 'refused', code, status }, failures)
  if (cause === 'busy' || cause === 'timeout' || cause === 'network') return true
  // RFC 5321 §4.2.2: whoever closes the channel has had enough, whatever the enhanced code says of policies.
  return code === 421 || (code === 451 && (cause === 'temporary' || cause === 'policy'))
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
