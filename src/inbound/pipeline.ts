import type { Authentication } from '../contracts/authentication.ts'
import type { Note } from '../contracts/note.ts'
import type { Decision, Notebook, Policy, PolicyStage, Stage, Verdict } from '../contracts/policy.ts'
import type { Connection, Envelope, ReceivedMessage, Recipient } from '../contracts/received.ts'
import type { Resolver } from '../contracts/resolver.ts'
import type { Address } from '../message/address.ts'
import { MailError } from '../protocol/session/errors.ts'
import { checkPolicy } from './policy-check.ts'
import { combine, type Judged, ourFault, verdictOf } from './verdict.ts'

/** What a policy threw, for the one who watches; or, `isTrouble`, what it told of and got over. */
export type PolicyFailure = (
  policy: string, stage: PolicyStage | 'judged' | 'closed', error: unknown, isTrouble?: boolean,
) => void

/** What a stage is about; everything but the notebook, which is each policy's own. */
export type StageFacts = Omit<Stage, 'notes' | 'noted' | 'trouble'>

type Ask = (policy: Policy, stage: Stage) => Decision

/**
 * Policies in the order they were given, asked stage by stage. Those of one stage run side by side; a throw is `defer 451
 * 4.3.0` and an event, never a refusal for good and never a silent pass.
 */
export class Pipeline {
  private readonly byStage: Record<PolicyStage, readonly Policy[]>
  private readonly hearing: readonly Policy[]
  private readonly watching: readonly Policy[]
  private readonly failed: PolicyFailure
  private readonly ticks: (() => number) | undefined

  /**
   * `ticks`: a clock that never goes back, in milliseconds; with it, every decision is noted.
   *
   * @throws MailError `config` for what is no policy
   */
  constructor(policies: readonly Policy[], failed: PolicyFailure, ticks?: () => number) {
    policies.forEach(checkPolicy)
    const having = (name: PolicyStage): Policy[] => policies.filter((policy) => policy[name] !== undefined)
    this.byStage = {
      connect: having('connect'),
      hello: having('hello'),
      auth: having('auth'),
      sender: having('sender'),
      recipient: having('recipient'),
      message: having('message'),
    }
    this.hearing = policies.filter((policy) => policy.judged !== undefined)
    this.watching = policies.filter((policy) => policy.closed !== undefined)
    this.failed = failed
    this.ticks = ticks
  }

  /** Whether any policy has a say at that stage, or hears what came of it. */
  has(stage: PolicyStage): boolean {
    return this.byStage[stage].length > 0 || (stage === 'message' && this.hearing.length > 0)
  }

  connect(facts: StageFacts, notes: Note[]): Decision {
    return this.run('connect', facts, notes, (policy, stage) => policy.connect!(facts.connection, stage))
  }

  hello(name: string, facts: StageFacts, notes: Note[]): Decision {
    return this.run('hello', facts, notes, (policy, stage) => policy.hello!(name, stage))
  }

  auth(
    attempt: { username: string; mechanism: string; account: string | undefined },
    facts: StageFacts,
    notes: Note[],
  ): Decision {
    return this.run('auth', facts, notes, (policy, stage) => policy.auth!(attempt, stage))
  }

  sender(sender: Address | null, facts: StageFacts, notes: Note[]): Decision {
    return this.run('sender', facts, notes, (policy, stage) => policy.sender!(sender, stage))
  }

  recipient(to: Recipient, facts: StageFacts, notes: Note[]): Decision {
    return this.run('recipient', facts, notes, (policy, stage) => policy.recipient!(to, stage))
  }

  message(message: ReceivedMessage, facts: StageFacts, notes: Note[]): Decision {
    const decision = this.run('message', facts, notes, (policy, stage) => policy.message!(message, stage))
    if (this.hearing.length === 0) return decision
    const told = (verdict: Verdict | undefined | void): Verdict | undefined | void => {
      this.tell(this.hearing, 'judged', (policy) =>
        policy.judged!(message, verdict ?? combine([]), new StageOfPolicy(facts, policy.name, notes, 'message', this.failed)))
      return verdict
    }
    return isPromise(decision) ? decision.then(told) : told(decision)
  }

  /** The connection is over. */
  closed(connection: Connection): void {
    this.tell(this.watching, 'closed', (policy) => policy.closed!(connection))
  }

  private tell(policies: readonly Policy[], what: 'judged' | 'closed', call: (policy: Policy) => unknown): void {
    for (const policy of policies) {
      const broke = (error: unknown): void => this.failed(policy.name, what, error)
      try {
        // An async function is one that returns nothing, too; what it rejects with must not end the process.
        const done = call(policy)
        if (isPromise(done)) done.then(undefined, broke)
      } catch (error) {
        broke(error)
      }
    }
  }

  private run(name: PolicyStage, facts: StageFacts, notes: Note[], ask: Ask): Decision {
    const policies = this.byStage[name]
    if (policies.length === 0) return undefined
    const verdicts: (Verdict | Promise<Verdict>)[] = []
    let later = false
    for (const policy of policies) {
      const verdict = this.one(policy, name, facts, notes, ask)
      if (isPromise(verdict)) later = true
      verdicts.push(verdict)
    }
    return later ? Promise.all(verdicts).then(combine) : combine(verdicts as Verdict[])
  }

  private one(policy: Policy, name: PolicyStage, facts: StageFacts, notes: Note[], ask: Ask): Verdict | Promise<Verdict> {
    const began = this.ticks?.() ?? 0
    const decided = <T extends Verdict>(verdict: T): T => {
      if (this.ticks) notes.push({ kind: 'decision', policy: policy.name, stage: name, verdict, took: this.ticks() - began })
      return verdict
    }
    const settle = (verdict: Verdict | undefined | void): Judged => {
      const settled = decided(verdictOf(verdict, policy.name))
      noteFate(settled, policy.name, notes)
      return settled.kind === 'reject' || settled.kind === 'defer' ? { ...settled, policy: policy.name } : settled
    }
    const broke = (error: unknown): Judged => {
      // A question that was withdrawn is nobody's fault.
      if (!facts.signal.aborted) this.failed(policy.name, name, error)
      return { ...decided({ kind: 'defer', reply: ourFault }), policy: policy.name }
    }
    try {
      const decision = ask(policy, new StageOfPolicy(facts, policy.name, notes, name, this.failed))
      return isPromise(decision) ? decision.then(settle).catch(broke) : settle(decision)
    } catch (error) {
      return broke(error)
    }
  }
}

/** Takes down why a message is set apart or dropped: those who look after it, and whoever gets it, want to know. */
export function noteFate(verdict: Verdict, policy: string, notes: Note[]): void {
  const { kind } = verdict
  if (kind === 'quarantine' || kind === 'discard') notes.push({ kind, policy, why: verdict.why })
}

/** The stage as one policy sees it. The signal stays a getter, of a class: most policies never ask for it. */
class StageOfPolicy implements Stage {
  readonly notes: Notebook
  readonly noted: readonly Note[]
  private readonly facts: StageFacts
  private readonly policy: string
  private readonly stage: PolicyStage
  private readonly failed: PolicyFailure

  constructor(facts: StageFacts, policy: string, notes: Note[], stage: PolicyStage, failed: PolicyFailure) {
    this.facts = facts
    this.policy = policy
    this.stage = stage
    this.failed = failed
    this.notes = new PolicyNotebook(policy, notes)
    this.noted = notes
  }

  get now(): number {
    return this.facts.now
  }

  get hostname(): string {
    return this.facts.hostname
  }

  get resolver(): Resolver {
    return this.facts.resolver
  }

  get connection(): Connection {
    return this.facts.connection
  }

  get envelope(): Envelope | undefined {
    return this.facts.envelope
  }

  get signal(): AbortSignal {
    return this.facts.signal
  }

  wait(milliseconds: number, until?: AbortSignal): Promise<void> {
    return this.facts.wait(milliseconds, until)
  }

  trouble(error: unknown): void {
    this.failed(this.policy, this.stage, error, true)
  }
}

class PolicyNotebook implements Notebook {
  private readonly policy: string
  private readonly notes: Note[]

  constructor(policy: string, notes: Note[]) {
    this.policy = policy
    this.notes = notes
  }

  tag(tag: string): void {
    this.check('tag', typeof tag === 'string', 'a text')
    this.notes.push({ kind: 'tag', policy: this.policy, tag })
  }

  score(score: number, why: string): void {
    this.check('score', Number.isFinite(score) && typeof why === 'string', 'a number and a text')
    this.notes.push({ kind: 'score', policy: this.policy, score, why })
  }

  header(name: string, value: string): void {
    // Of a name, what cannot stand in one is left out when it is written: something must be left.
    const isField = typeof name === 'string' && /[!-9;-~]/.test(name) && typeof value === 'string'
    this.check('header', isField, 'the name of a header field and a text')
    this.notes.push({ kind: 'header', policy: this.policy, name, value })
  }

  remove({ start, end }: { readonly start: number; readonly end: number }): void {
    const isSpan = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start < end
    this.check('remove', isSpan, 'a field of the message, with its start and its end')
    this.notes.push({ kind: 'removal', policy: this.policy, start, end })
  }

  authentication(authentication: Authentication): void {
    this.check('authentication', typeof authentication === 'object' && authentication !== null, 'what was found')
    this.notes.push({ kind: 'authentication', policy: this.policy, authentication })
  }

  private check(method: string, isSound: boolean, takes: string): void {
    if (!isSound) throw new MailError('misuse', `${this.policy}: notes.${method}() takes ${takes}.`)
  }
}

const isPromise = <T>(value: T | Promise<T>): value is Promise<T> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
