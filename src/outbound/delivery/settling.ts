import type { LastTry } from '../../contracts/queue.ts'
import type { Recipient } from '../../contracts/received.ts'
import type { Failure } from './failure.ts'
import { inTime } from './in-time.ts'
import { judge, type Judgement } from './judgement.ts'
import type { Leases } from './leases.ts'
import type { DeliveryParts, DeliveryRules } from './options.ts'
import { REPORT } from './reporting.ts'
import { deliverByTime } from './release.ts'
import { defaultSchedule } from './schedule.ts'
import type { Target } from './target.ts'
import { missed, type Tried } from './tried.ts'
import { attemptsOf, type Work } from './work.ts'

/** Milliseconds that a look into the list of those who get no mail may take. */
const PATIENCE = 60_000

/** Settles what was tried, and what needs no trying. */
export class Settling {
  private readonly parts: DeliveryParts
  private readonly rules: DeliveryRules
  private readonly leases: Leases

  constructor(parts: DeliveryParts, rules: DeliveryRules, leases: Leases) {
    this.parts = parts
    this.rules = rules
    this.leases = leases
  }

  /** Settles those that are not to be tried, and gives the others. */
  async before(works: readonly Work[]): Promise<readonly Work[]> {
    const verdicts = works.map((work) => this.verdictBefore(work))
    const rest = works.filter((_, at) => !verdicts[at])
    if (rest.length < works.length) await Promise.all(verdicts.map((settle) => settle?.()))
    if (this.parts.suppressed) await Promise.all(rest.map((work) => this.suppress(work)))
    // Nothing is left to try of those whose recipients were all given up, now or before.
    const isOver = ({ left, lease }: Work): boolean => left.length === 0 && lease.destination !== REPORT
    const over = rest.filter(isOver)
    if (over.length === 0) return rest
    await Promise.all(over.map((work) => this.finish(work)))
    return rest.filter((work) => !over.includes(work))
  }

  /** Gives up those recipients that no mail is to go to. */
  private async suppress(work: Work): Promise<void> {
    if (work.lease.destination === REPORT) return
    const { recipients } = work.lease.message.envelope
    const reasons = await Promise.all(work.left.map((number) => this.reasonAgainst(recipients[number]!)))
    work.note(work.left.flatMap((number, at) => {
      const reason = reasons[at]
      return reason === undefined ? [] : [this.failing(number, SUPPRESSED, reason)]
    }))
  }

  private async reasonAgainst(recipient: Recipient): Promise<string | undefined> {
    const { suppressed, clock, news } = this.parts
    try {
      return await inTime(suppressed!(recipient), PATIENCE, clock)
    } catch (error) {
      news?.failed?.('suppressed', error)
      return undefined
    }
  }

  /** Everything was tried for a job: says what follows. Never rejects; a second time nothing happens. */
  async finish(work: Work): Promise<void> {
    if (work.isSettled) return
    work.isSettled = true
    // Whoever forgets a recipient must not make it disappear.
    work.noteLeft((number) => this.failing(number, OURS, 'This server could not try it'))
    const { clock, news } = this.parts
    const judgement = this.judged(work)
    const settled = await this.leases.settle(work.lease, judgement.settlement)
    if (settled) for (const facts of attemptsOf(work, judgement, clock.ticks())) news?.attempt?.(facts)
  }

  /** Our own rules may be nonsense: then those that everybody has count. */
  private judged({ lease, tried }: Work): Judgement {
    const { clock, chance, news } = this.parts
    const now = clock.now()
    try {
      return judge(lease, tried, { ...this.rules, rules: this.rules.failures }, now, chance())
    } catch (error) {
      news?.failed?.('judge a failure', error)
      return judge(lease, tried, { ...this.rules, schedule: defaultSchedule, rules: [] }, now, 0)
    }
  }

  /** Gives a job back: what was tried of it counts, what was not is due as before, or later. Never rejects. */
  async release(work: Work, later = 0): Promise<void> {
    if (work.isSettled) return
    if (work.tried.length > 0) {
      work.noteLeft((number) => this.failing(number, STOPPED, 'The server was stopped'))
      return this.finish(work)
    }
    work.isSettled = true
    const now = this.parts.clock.now()
    await this.leases.settle(work.lease, { now, outcomes: [], counts: false, due: now + later })
  }

  /** Puts a message into mailboxes here. Never rejects. */
  async here(work: Work): Promise<void> {
    try {
      work.note(await this.parts.here(work.lease))
    } catch (error) {
      this.parts.news?.failed?.('deliver', error)
    }
    await this.finish(work)
  }

  /** There is no way for messages. */
  async nowhere(works: readonly Work[], { failure, text }: Extract<Target, { kind: 'nowhere' }>): Promise<void> {
    await Promise.all(works.map((work) => this.giveUp(work, failure, text)))
  }

  private verdictBefore(work: Work): (() => Promise<void>) | undefined {
    const { lease } = work
    const { envelope, received } = lease.message
    const now = this.parts.clock.now()
    if (lease.crashes >= this.rules.crashes) return () => this.poisoned(work)
    if (lease.destination === REPORT) return undefined
    const { doomed } = lease
    if (doomed !== undefined) return () => this.giveUp(work, { ...GIVEN_UP, reason: 'doomed' }, doomed)
    const by = deliverByTime(envelope, received)
    // RFC 2852 §4.1; no server may be told that there are 0 seconds left (§4).
    const isLate = by !== undefined && envelope.deliverBy!.mode === 'return' && by - now < 1000
    return isLate ? () => this.giveUp(work, LATE, 'The time for delivery is over') : undefined
  }

  private async giveUp(work: Work, failure: Failure, text: string): Promise<void> {
    work.noteLeft((number) => this.failing(number, failure, text))
    await this.finish(work)
  }

  /** What it was that killed its workers may be the message: somebody has to look at it. */
  private async poisoned(work: Work): Promise<void> {
    const { lease } = work
    const { clock, news } = this.parts
    work.isSettled = true
    const now = clock.now()
    const hold = `${lease.crashes} workers in a row did not come to an end with it`
    const settled = await this.leases.settle(lease, { now, outcomes: [], counts: false, due: now, hold })
    if (settled) news?.failed?.('deliver', new Error(`Message ${lease.message.id} is held: ${hold}`))
  }

  private failing(number: number, failure: Failure, text: string): Tried {
    const { code, status } = failure
    const last: LastTry = { at: this.parts.clock.now(), code, enhanced: status, text, host: undefined, address: undefined }
    return missed(number, failure, last)
  }
}

const SUPPRESSED = { result: 'permanent', phase: 'route', reason: 'suppressed', code: 550, status: '5.7.1' } as const
const OURS = { result: 'temporary', phase: 'route', reason: 'ours', code: 451, status: '4.3.0' } as const
const STOPPED = { result: 'temporary', phase: 'dial', reason: 'lost', code: 451, status: '4.3.2' } as const
const GIVEN_UP = { result: 'permanent', phase: 'route', code: 554, status: '5.3.0' } as const
const LATE = { result: 'permanent', phase: 'route', reason: 'late', code: 554, status: '5.4.7' } as const
