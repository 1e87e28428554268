import { withoutClocks } from '../../adapters/node/clock-trap.ts'
import { patience, turn } from '../../adapters/node/event-loop.ts'
import type { Note } from '../../contracts/note.ts'
import type { Decision, Policy, PolicyStage, Verdict } from '../../contracts/policy.ts'
import type { Connection, Envelope } from '../../contracts/received.ts'
import { Pipeline, type StageFacts } from '../../inbound/pipeline.ts'
import { encodeReply } from '../../protocol/smtp/index.ts'
import { QuestionStage, type StageSurroundings } from '../../server/stage.ts'
import { fakeDns } from '../fake-dns.ts'
import { virtualClock, type VirtualClock } from '../virtual-clock.ts'
import { equal, holds } from './checks.ts'

/** What a policy is asked, with what is known then. */
export interface Asked {
  readonly connection: Connection
  readonly envelope?: Envelope
  readonly ask: (pipeline: Pipeline, facts: StageFacts, notes: Note[]) => Decision
}

/** What it came to. */
export interface Answered {
  readonly verdict: Verdict
  /** Milliseconds of virtual time. */
  readonly took: number
}

/** A question that is open. */
export interface Open {
  /** The answer is not wanted any more. */
  abort(): void
  /** Rejects where the policy broke. */
  readonly answer: Promise<Verdict>
}

/** A policy in a server of its own, asked by hand. */
export class PolicyUnderTest {
  readonly clock: VirtualClock = virtualClock()
  readonly policy: Policy
  readonly #surroundings: StageSurroundings
  readonly #pipeline: Pipeline
  readonly #patience: number
  readonly #trapped: boolean
  #failure: { readonly error: unknown } | undefined
  #questions = 0

  /** `within`: milliseconds of real time for an answer. `trapped`: the machine's clock is out of bounds. */
  constructor(policy: Policy, within: number, trapped = false) {
    this.policy = policy
    this.#surroundings = { hostname: 'mx.test', clock: this.clock, resolver: fakeDns({}, { clock: this.clock }) }
    this.#patience = within
    this.#trapped = trapped
    this.#pipeline = new Pipeline([policy], (_policy, _stage, error, isTrouble) => {
      if (isTrouble !== true) this.#failure ??= { error }
    })
  }

  has(stage: PolicyStage): boolean {
    return this.#pipeline.has(stage)
  }

  /** Asks, lets as much virtual time pass as that takes, and looks at the answer. */
  async ask(asked: Asked): Promise<Answered> {
    const [alarms, began] = [this.clock.pending, this.clock.ticks()]
    const verdict = await this.inTime(this.clock.until(this.open(asked).answer))
    this.#rethrow()
    equal(this.clock.pending, alarms, 'alarms that are left behind an answer')
    looksSound(verdict)
    return { verdict, took: this.clock.ticks() - began }
  }

  /** Asks, and does not wait. */
  open({ connection, envelope, ask }: Asked, controller = new AbortController()): Open {
    const conversation = { signal: () => controller.signal, drain() {}, reset() {}, touch() {} }
    const facts = new QuestionStage(this.#surroundings, connection, envelope, { id: ++this.#questions }, conversation)
    const decide = (): Decision => ask(this.#pipeline, facts, [])
    const decision = this.#trapped ? withoutClocks(decide) : decide()
    return { abort: () => controller.abort(), answer: Promise.resolve(decision).then((verdict) => verdict ?? { kind: 'pass' }) }
  }

  /** The connection is over. Rejects where the policy broke. */
  async closed(connection: Connection): Promise<void> {
    this.#pipeline.closed(connection)
    await turn()
    this.#rethrow()
  }

  /** Rejects where the promise has not settled in time. */
  async inTime<T>(promise: Promise<T>): Promise<T> {
    const late = { cancel() {} }
    const waiting = new Promise<never>((_, reject) => {
      const alarm = patience(this.#patience, () => reject(new Error(`no answer within ${this.#patience} ms of real time`)))
      late.cancel = () => alarm.cancel()
    })
    return Promise.race([promise, waiting]).finally(() => late.cancel())
  }

  #rethrow(): void {
    const failure = this.#failure
    this.#failure = undefined
    if (failure === undefined) return
    const { error } = failure
    throw new Error(`it threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, { cause: error })
  }
}

/** Throws for a refusal that could not be said. */
function looksSound(verdict: Verdict): void {
  if (verdict.kind !== 'reject' && verdict.kind !== 'defer') return
  const { code } = verdict.reply
  const least = verdict.kind === 'reject' ? 500 : 400
  holds(code >= least && code < least + 100, `${verdict.kind} with ${code}`)
  // Throws for control characters, and for an enhanced code of another class.
  encodeReply(verdict.reply)
}
