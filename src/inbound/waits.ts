import type { Policy, PolicyStage } from '../contracts/policy.ts'
import { MailError } from '../protocol/session/errors.ts'

/** All of them, in order. */
export const policyStages: readonly PolicyStage[] = ['connect', 'hello', 'auth', 'sender', 'recipient', 'message']

type Waits = NonNullable<Policy['waits']>

/** How long several policies wait as one: `together` makes of two waits the wait of both. */
export function waitsOf(policies: readonly Policy[], together: (one: number, other: number) => number): Pick<Policy, 'waits'> {
  const waits: { -readonly [Stage in keyof Waits]: Waits[Stage] } = {}
  for (const { waits: own = {} } of policies) {
    for (const stage of policyStages) {
      const wait = own[stage]
      if (wait !== undefined) waits[stage] = together(waits[stage] ?? 0, wait)
    }
  }
  return Object.keys(waits).length === 0 ? {} : { waits }
}

/**
 * Looks whether policies may wait as long as they mean to. Time-outs in milliseconds: `answer` for all stages but the last.
 *
 * @throws MailError `config` that names the policy
 */
export function checkWaits(policies: readonly Policy[], timeouts: { readonly answer: number; readonly message: number }): void {
  for (const { name, waits = {} } of policies) {
    for (const stage of policyStages) {
      const option = stage === 'message' ? 'message' : 'answer'
      const most = timeouts[option]
      if ((waits[stage] ?? 0) < most) continue
      const why = `waits up to ${waits[stage]} milliseconds at ${stage}, where the server answers 451 after ${most}`
      throw new MailError('config', `policy ${name}: ${why}. Let it wait for less, or set timeouts.${option} of smtp higher.`)
    }
  }
}
