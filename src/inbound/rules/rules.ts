import type { Filtered } from '../../contracts/filter.ts'
import type { Policy, Stage, Verdict } from '../../contracts/policy.ts'
import type { ReceivedMessage } from '../../contracts/received.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { runSieve } from '../sieve/run.ts'
import { accept, discard, reject } from '../verdict.ts'
import { refusalText } from '../refusal-text.ts'
import { compileRules } from './compile.ts'
import type { Rule, RuleAction } from './rule.ts'

/** What a policy can do of what rules can. */
const possible: readonly (keyof RuleAction)[] = ['accept', 'reject', 'discard', 'tag']

/**
 * Rules as a policy, for all mail that comes in, before it is known whose it is: they accept, reject, discard and tag. What goes
 * somewhere is an account's: see `ruleFilter`.
 *
 * Throws a `config` MailError that names the rule and the field.
 */
export function rules(list: readonly Rule[]): Policy {
  const program = compileRules(list)
  for (const [at, { name, then }] of list.entries()) {
    for (const action of [then].flat()) {
      const [odd] = Object.keys(action).filter((kind) => !(possible as readonly string[]).includes(kind))
      if (odd === undefined) continue
      const which = `rules[${at}] ${JSON.stringify(name)}: then.${odd}`
      throw new MailError('config', `${which}: a policy has no mailboxes; give the rule to ruleFilter() instead.`)
    }
  }
  return {
    name: 'rules',
    async message(message: ReceivedMessage, { now, notes }: Stage): Promise<Verdict | undefined> {
      const [recipient] = message.envelope.recipients
      if (!recipient) return undefined
      const filtered = await runSieve(program, message, { recipient, now, hasMailbox: () => false, hasUse: () => false })
      // What cannot be judged is not let through, nor bounced: the client comes again.
      if (filtered.error) throw new MailError('temporary', `Rule ${JSON.stringify(filtered.error.at)}: ${filtered.error.text}`)
      for (const action of filtered.actions) if (action.kind === 'tag') notes.tag(action.tag)
      return verdictOf(filtered)
    },
  }
}

function verdictOf({ actions, steps }: Filtered): Verdict | undefined {
  const rejection = actions.find(({ kind }) => kind === 'reject')
  if (rejection?.kind === 'reject') return reject(550, '5.7.1', refusalText(rejection.reason))
  const last = steps.findLast(({ what }) => what === 'discard' || what.startsWith('keep'))
  if (!actions.some(({ kind }) => kind === 'keep')) return discard(`rule ${last?.at ?? ''}`)
  return last?.what.startsWith('keep') ? accept(`rule ${last.at}`) : undefined
}
