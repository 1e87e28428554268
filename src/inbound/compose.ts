import type { Decision, Policy, Stage, Verdict } from '../contracts/policy.ts'
import { MailError } from '../protocol/session/errors.ts'
import type { StageName } from './pipeline.ts'
import { combine, ourFault, pass } from './verdict.ts'

const stages: readonly StageName[] = ['connect', 'hello', 'auth', 'sender', 'recipient', 'message']

type Method = (subject: never, stage: Stage) => Decision
type Draft = { name: string } & Partial<Record<StageName, Method>> & Pick<Policy, 'closed'>

/** A policy whose methods are those of `inner`, each wrapped. */
function wrap(
  name: string,
  inner: Policy,
  around: (ask: () => Decision, stage: Stage, stageName: StageName) => Decision,
): Policy {
  const draft: Draft = { name }
  for (const stageName of stages) {
    const method = inner[stageName] as Method | undefined
    if (method) draft[stageName] = (subject, stage) => around(() => method.call(inner, subject, stage), stage, stageName)
  }
  if (inner.closed) draft.closed = (connection) => inner.closed!(connection)
  return draft as Policy
}

const isPromise = (decision: Decision): decision is Promise<Verdict | undefined | void> =>
  typeof decision === 'object' && decision !== null && 'then' in decision

const after = (decision: Decision, then: (verdict: Verdict) => Decision): Decision =>
  isPromise(decision) ? decision.then((verdict) => then(verdict ?? pass())) : then(decision ?? pass())

/** Asks `policy` only where `match` says so. */
export function when(match: (stage: Stage) => boolean | Promise<boolean>, policy: Policy): Policy {
  return wrap(`when(${policy.name})`, policy, (ask, stage) => {
    const matches = match(stage)
    return typeof matches === 'boolean' ? (matches ? ask() : undefined) : matches.then((sure) => (sure ? ask() : undefined))
  })
}

/**
 * Asks one after the other, and stops at the first that decides anything but `pass`: an `accept` keeps the rest from being asked,
 * which is how an allow-list goes before a block-list.
 */
export function inOrder(...policies: readonly Policy[]): Policy {
  const name = `inOrder(${policies.map((policy) => policy.name).join(', ')})`
  const draft: Draft = { name, closed: (connection) => policies.forEach((policy) => policy.closed?.(connection)) }
  for (const stageName of stages) {
    const methods = policies
      .filter((policy) => policy[stageName])
      .map((policy) => (policy[stageName] as Method).bind(policy) as Method)
    if (methods.length === 0) continue
    const from = (at: number, subject: never, stage: Stage): Decision =>
      at === methods.length
        ? pass()
        : after(methods[at]!(subject, stage), (verdict) => (verdict.kind === 'pass' ? from(at + 1, subject, stage) : verdict))
    draft[stageName] = (subject, stage) => from(0, subject, stage)
  }
  return draft as Policy
}

/** Lets a policy speak without consequences: what it would have done becomes a tag, `would reject: 550 5.7.1 …`. */
export function observeOnly(policy: Policy): Policy {
  return wrap(`observeOnly(${policy.name})`, policy, (ask, stage) =>
    after(ask(), (verdict) => {
      if (verdict.kind !== 'pass') stage.notes.tag(`would ${describe(verdict)}`)
      return undefined
    }),
  )
}

function describe(verdict: Verdict): string {
  if (verdict.kind === 'reject' || verdict.kind === 'defer') {
    return `${verdict.kind}: ${verdict.reply.code} ${verdict.reply.enhanced ?? ''} ${verdict.reply.text}`
  }
  return 'why' in verdict ? `${verdict.kind}: ${verdict.why}` : verdict.kind
}

/** Gives a policy so many milliseconds; then `otherwise` counts. */
export function within(milliseconds: number, policy: Policy, otherwise: 'defer' | 'pass'): Policy {
  if (!(milliseconds > 0)) throw new MailError('config', `within: ${milliseconds} milliseconds leave no time for ${policy.name}.`)
  return wrap(`within(${policy.name})`, policy, (ask, stage) => {
    const decision = ask()
    if (!isPromise(decision)) return decision
    const late: Verdict = otherwise === 'pass' ? pass() : { kind: 'defer', reply: ourFault }
    return Promise.race([decision, stage.wait(milliseconds).then(() => late)])
  })
}

/** Several policies as one: all are asked side by side, the strongest verdict counts. */
export function allOf(...policies: readonly Policy[]): Policy {
  const draft: Draft = {
    name: `allOf(${policies.map((policy) => policy.name).join(', ')})`,
    closed: (connection) => policies.forEach((policy) => policy.closed?.(connection)),
  }
  for (const stageName of stages) {
    const methods = policies
      .filter((policy) => policy[stageName])
      .map((policy) => (policy[stageName] as Method).bind(policy) as Method)
    if (methods.length > 0) {
      draft[stageName] = async (subject, stage) =>
        combine((await Promise.all(methods.map((ask) => ask(subject, stage)))).map((verdict) => verdict ?? pass()))
    }
  }
  return draft as Policy
}
