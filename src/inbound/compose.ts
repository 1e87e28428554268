import type { Decision, Policy, PolicyStage, Stage, Verdict } from '../contracts/policy.ts'
import { MailError } from '../protocol/session/errors.ts'
import { shownValue } from '../protocol/session/options.ts'
import { checkPolicy } from './policy-check.ts'
import { combine, ourFault, pass, verdictOf } from './verdict.ts'
import { policyStages as stages, waitsOf } from './waits.ts'

type Method = (subject: never, stage: Stage) => Decision
/** A policy's say in one stage. */
interface Say {
  readonly name: string
  readonly ask: Method
}

type Draft = { name: string } & Partial<Record<PolicyStage, Method>> & Pick<Policy, 'judged' | 'closed' | 'waits'>

/** A policy whose methods are those of `inner`, each wrapped. */
function wrap(
  name: string,
  inner: Policy,
  around: (ask: (stage?: Stage) => Decision, stage: Stage) => Decision,
): Policy {
  const draft: Draft = { name, ...waitsOf([inner], Math.max) }
  for (const stageName of stages) {
    const method = inner[stageName] as Method | undefined
    if (!method) continue
    draft[stageName] = (subject, stage) => around((seen = stage) => method.call(inner, subject, seen), stage)
  }
  if (inner.judged) draft.judged = (...facts) => inner.judged!(...facts)
  if (inner.closed) draft.closed = (connection) => inner.closed!(connection)
  return draft as Policy
}

const isPromise = <T>(value: T | Promise<T>): value is Promise<T> =>
  typeof value === 'object' && value !== null && 'then' in value

/** Those of the policies that have a say in a stage. */
const sayIn = (policies: readonly Policy[], stageName: PolicyStage): Say[] =>
  policies
    .filter((policy) => policy[stageName])
    .map((policy) => ({ name: policy.name, ask: (policy[stageName] as Method).bind(policy) as Method }))

/** A policy of several: its name, and that all of them hear of judgement and end, whatever one of them makes of it. */
function several(name: string, policies: readonly Policy[], together: (one: number, other: number) => number): Draft {
  policies.forEach(checkPolicy)
  return {
    ...waitsOf(policies, together),
    name: `${name}(${policies.map((policy) => policy.name).join(', ')})`,
    closed: (connection): unknown =>
      Promise.all(policies.map(async (policy): Promise<unknown> => policy.closed?.(connection))),
    judged: (...facts): unknown => Promise.all(policies.map(async (policy): Promise<unknown> => policy.judged?.(...facts))),
  }
}

const after = (who: string, decision: Decision, then: (verdict: Verdict) => Decision): Decision =>
  isPromise(decision)
    ? decision.then((verdict) => then(verdictOf(verdict, who)))
    : then(verdictOf(decision, who))

/** Asks `policy` only where `match` says so. */
export function when(match: (stage: Stage) => boolean | Promise<boolean>, policy: Policy): Policy {
  if (typeof match !== 'function') throw new MailError('config', `when: give a function first, not ${shownValue(match)}.`)
  checkPolicy(policy)
  return wrap(`when(${policy.name})`, policy, (ask, stage) => {
    const matches = match(stage)
    return isPromise(matches) ? matches.then((sure) => (sure ? ask() : undefined)) : matches ? ask() : undefined
  })
}

/**
 * Asks one after the other, and stops at the first that decides anything but `pass`: an `accept` keeps the rest from being asked,
 * which is how an allow-list goes before a block-list.
 */
export function inOrder(...policies: readonly Policy[]): Policy {
  const draft = several('inOrder', policies, (one, other) => one + other)
  for (const stageName of stages) {
    const says = sayIn(policies, stageName)
    if (says.length === 0) continue
    const from = (at: number, subject: never, stage: Stage): Decision => {
      if (at === says.length) return pass()
      const { name, ask } = says[at]!
      const next = (verdict: Verdict): Decision => (verdict.kind === 'pass' ? from(at + 1, subject, stage) : verdict)
      return after(name, ask(subject, stage), next)
    }
    draft[stageName] = (subject, stage) => from(0, subject, stage)
  }
  return draft as Policy
}

/** How a tag begins that says what a policy would have decided. */
export const WOULD = 'would '

/**
 * Lets a policy speak without consequences: what it would have done becomes a tag, `would reject: 550 5.7.1 …`. It writes
 * nothing into the header (what others have forged there is still taken out), and where it breaks, those who watch the server
 * are told, and the message goes its way. What it notes otherwise is noted, points too.
 */
export function observeOnly(policy: Policy): Policy {
  checkPolicy(policy)
  return wrap(`observeOnly(${policy.name})`, policy, (ask, stage) => {
    const note = (verdict: Verdict): undefined => {
      if (verdict.kind !== 'pass') stage.notes.tag(WOULD + describe(verdict))
    }
    const broke = (error: unknown): undefined => {
      // A question that was withdrawn is nobody's fault.
      if (stage.signal.aborted) throw error
      stage.trouble(error)
      note({ kind: 'defer', reply: ourFault })
    }
    try {
      const decision = after(policy.name, ask(new ObservedStage(stage)), note)
      return isPromise(decision) ? decision.then(undefined, broke) : decision
    } catch (error) {
      return broke(error)
    }
  })
}

function describe(verdict: Verdict): string {
  if (verdict.kind === 'reject' || verdict.kind === 'defer') {
    return `${verdict.kind}: ${verdict.reply.code} ${verdict.reply.enhanced ?? ''} ${verdict.reply.text}`
  }
  return 'why' in verdict ? `${verdict.kind}: ${verdict.why}` : verdict.kind
}

/** Gives a policy so many milliseconds; then `otherwise` counts. */
export function within(milliseconds: number, policy: Policy, otherwise: 'defer' | 'pass'): Policy {
  checkPolicy(policy)
  if (otherwise !== 'defer' && otherwise !== 'pass') {
    throw new MailError('config', `within: what counts otherwise is 'defer' or 'pass', not ${shownValue(otherwise)}.`)
  }
  if (!(milliseconds > 0)) throw new MailError('config', `within: ${milliseconds} milliseconds leave no time for ${policy.name}.`)
  const wrapped = wrap(`within(${policy.name})`, policy, (ask, stage) => {
    const bounded = new BoundedStage(stage)
    const decision = ask(bounded)
    if (!isPromise(decision)) return decision
    const late: Verdict = otherwise === 'pass' ? pass() : { kind: 'defer', reply: ourFault }
    const answered = new AbortController()
    const inTime = Promise.race([decision, stage.wait(milliseconds, answered.signal).then(() => late)])
    // Neither an alarm that nobody waits for is left behind, nor a policy that nobody listens to.
    return inTime.finally(() => {
      answered.abort()
      bounded.end()
    })
  })
  const waits = Object.fromEntries(stages.filter((stage) => policy[stage]).map((stage) => [stage, milliseconds]))
  return { ...wrapped, waits }
}

/** A stage, seen through another object. */
class StageView implements Stage {
  protected readonly whole: Stage

  constructor(whole: Stage) {
    this.whole = whole
  }

  get now(): number {
    return this.whole.now
  }

  get hostname(): string {
    return this.whole.hostname
  }

  get resolver(): Stage['resolver'] {
    return this.whole.resolver
  }

  get connection(): Stage['connection'] {
    return this.whole.connection
  }

  get envelope(): Stage['envelope'] {
    return this.whole.envelope
  }

  get notes(): Stage['notes'] {
    return this.whole.notes
  }

  get noted(): Stage['noted'] {
    return this.whole.noted
  }

  get signal(): AbortSignal {
    return this.whole.signal
  }

  wait(milliseconds: number, until?: AbortSignal): Promise<void> {
    return this.whole.wait(milliseconds, until)
  }

  trouble(error: unknown): void {
    this.whole.trouble(error)
  }
}

/** A stage at which nobody writes into the header. */
class ObservedStage extends StageView {
  override get notes(): Stage['notes'] {
    const { notes } = this.whole
    return {
      tag: (tag) => notes.tag(tag),
      score: (score, why) => notes.score(score, why),
      authentication: (found) => notes.authentication(found),
      remove: (field) => notes.remove(field),
      header: () => undefined,
    }
  }
}

/** A stage that may be over before its question is. */
class BoundedStage extends StageView {
  private controller: AbortController | undefined

  override get signal(): AbortSignal {
    return (this.controller ??= follower(this.whole.signal)).signal
  }

  override wait(milliseconds: number, until?: AbortSignal): Promise<void> {
    return this.whole.wait(milliseconds, until === undefined ? this.signal : follower(this.signal, until).signal)
  }

  /** It is over. */
  end(): void {
    this.controller?.abort()
  }
}

/** Aborts when one of them does. */
function follower(...signals: readonly AbortSignal[]): AbortController {
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  if (signals.some(({ aborted }) => aborted)) abort()
  else for (const signal of signals) signal.addEventListener('abort', abort, { once: true })
  return controller
}

/** Several policies as one: all are asked side by side, the strongest verdict counts. */
export function allOf(...policies: readonly Policy[]): Policy {
  const draft = several('allOf', policies, Math.max)
  for (const stageName of stages) {
    const says = sayIn(policies, stageName)
    if (says.length === 0) continue
    draft[stageName] = async (subject, stage) => {
      const one = async ({ name, ask }: Say): Promise<Verdict> => verdictOf(await ask(subject, stage), name)
      return combine(await Promise.all(says.map(one)))
    }
  }
  return draft as Policy
}
