import type { Account } from '../../contracts/directory.ts'
import type { MailFilter } from '../../contracts/filter.ts'
import type { Awaitable } from '../../contracts/policy.ts'
import { aFunction, checkOptions, required } from '../../protocol/session/options.ts'
import type { SieveProgram } from '../sieve/program.ts'
import { runSieve } from '../sieve/run.ts'
import { compileRules } from './compile.ts'
import type { Rule } from './rule.ts'

/** Whose rules are looked at. */
export interface RuleFilterOptions {
  /** The rules of an account; nothing where it has none. The same list is read once. */
  readonly rulesOf: (account: Account) => Awaitable<readonly Rule[] | undefined>
}

/**
 * Rules as a filter for `mailServer({ filter })`: the same for all, or of each account. They run in the engine that runs Sieve,
 * within its bounds; what fails keeps the message in INBOX.
 *
 * ```ts
 * import { mailServer, ruleFilter } from 'posthorn'
 *
 * const filter = ruleFilter([
 *   { name: 'Shops', when: { from: { endsWith: ['@shop.example', '@mail.shop.example'] } }, then: { move: 'Shops' } },
 *   { name: 'Large', when: { all: [{ size: { over: 5_000_000 } }, { not: { dkim: 'pass' } }] }, then: [{ tag: 'large' }] },
 * ])
 * ```
 *
 * Throws a `config` MailError that names the rule and the field; rejects with it where the rules are those of an account.
 */
export function ruleFilter(rules: readonly Rule[] | RuleFilterOptions): MailFilter {
  const rulesOf = rulesOfAccount(rules)
  const compiled = new WeakMap<readonly Rule[], SieveProgram>()
  const programOf = (list: readonly Rule[]): SieveProgram => {
    const program = compiled.get(list) ?? compileRules(list)
    compiled.set(list, program)
    return program
  }
  if (Array.isArray(rules)) programOf(rules as readonly Rule[])
  return {
    async filter(message, { account, recipient, now, hasMailbox, hasUse }) {
      const list = await rulesOf(account)
      if (!list || list.length === 0) return undefined
      return runSieve(programOf(list), message, { recipient, now, hasMailbox, hasUse })
    },
  }
}

function rulesOfAccount(rules: readonly Rule[] | RuleFilterOptions): RuleFilterOptions['rulesOf'] {
  if (Array.isArray(rules)) return () => rules as readonly Rule[]
  checkOptions('ruleFilter', rules, { rulesOf: required(aFunction) })
  return (rules as RuleFilterOptions).rulesOf
}
