import { MailError } from '../../protocol/session/errors.ts'
import {
  anObject, aSwitch, aText, checkOptions, type OptionKinds, required, shownValue,
} from '../../protocol/session/options.ts'
import type { SieveProgram, Statement } from '../sieve/program.ts'
import { readMailbox, readMailboxName } from '../sieve/values.ts'
import { conditionOf, counted } from './conditions.ts'
import type { Rule, RuleAction } from './rule.ts'
import { oneOfMembers, textsOf, wrong } from './terms.ts'

/** Rules of one account, and actions of one rule. */
const MOST_RULES = 1000
const MOST_ACTIONS = 20

const anything = { takes: 'a condition', is: () => true }
const kinds: OptionKinds<Rule> = {
  name: required({ takes: 'a text of 1 to 200 characters', is: (value) => aText.is(value) && isNamed(value as string) }),
  enabled: aSwitch,
  priority: { takes: 'a number', is: (value) => Number.isFinite(value) },
  when: anything,
  then: required({ ...anything, takes: 'an action, or a list of them' }),
  stop: aSwitch,
}

const isNamed = (name: string): boolean => name.trim() !== '' && name.length <= 200

/**
 * Makes a program of the Sieve engine out of rules: those that are enabled, by priority.
 *
 * @throws MailError `config` that names the rule and the field
 */
export function compileRules(rules: readonly Rule[]): SieveProgram {
  if (!Array.isArray(rules)) throw new MailError('config', `rules take a list of rules, not ${shownValue(rules)}.`)
  if (rules.length > MOST_RULES) throw new MailError('config', `${rules.length} rules are too many: there may be ${MOST_RULES}.`)
  const compiled = rules.map((rule: Rule, at) => ({ rule, statement: statementOf(rule, at) }))
  const statements = compiled
    .filter(({ rule: { enabled = true } }) => enabled)
    .toSorted((a, b) => (b.rule.priority ?? 0) - (a.rule.priority ?? 0))
    .map(({ statement }) => statement)
  return { statements, variables: false }
}

function statementOf(rule: Rule, index: number): Statement {
  const named = anObject.is(rule) && typeof rule.name === 'string' ? ` ${JSON.stringify(rule.name.slice(0, 60))}` : ''
  const where = `rules[${index}]${named}`
  checkOptions(where, rule, kinds)
  const { name: at, when, then, stop } = rule
  const actions: readonly RuleAction[] = Array.isArray(then) ? then : [then as RuleAction]
  if (actions.length === 0 || actions.length > MOST_ACTIONS) throw wrong(`${where}: then`, then, `1 to ${MOST_ACTIONS} actions`)
  const of = actions.map((action, number) => actionOf(action, at, `${where}: then[${number}]`))
  const isLast = stop ?? of.some(({ ends }) => ends)
  const test = when === undefined ? { kind: 'true', at } as const : conditionOf(when, at, `${where}: when`, counted())
  const block = [...of.map(({ statement }) => statement), ...(isLast ? [{ kind: 'stop', at } as const] : [])]
  return { kind: 'if', at, branches: [{ test, then: block }] }
}

const actions = ['accept', 'reject', 'discard', 'forward', 'move', 'tag', 'webhook'] as const

/** What an action does, and whether it says where the message goes. */
interface ActionOf {
  readonly statement: Statement
  readonly ends: boolean
}

function actionOf(given: RuleAction, at: string, where: string): ActionOf {
  const kind = oneOfMembers(where, given, actions)
  const here = `${where}.${kind}`
  const value: unknown = given[kind]
  switch (kind) {
    case 'accept':
    case 'discard':
      if (value !== true) throw wrong(here, value, 'true')
      return { statement: kind === 'accept' ? { kind: 'keep', at } : { kind: 'discard', at }, ends: true }
    case 'reject':
      return { statement: { kind: 'reject', at, reason: textOf(here, value) }, ends: true }
    case 'forward':
      return forward(value, at, here)
    case 'move': {
      const mailbox = textOf(here, value)
      if (!readMailboxName(mailbox)) throw wrong(here, value, "the name of a mailbox, such as 'Lists/Posthorn'")
      return { statement: { kind: 'fileinto', at, mailbox, create: true, copy: false }, ends: true }
    }
    case 'tag':
      return { statement: { kind: 'act', at, action: { kind: 'tag', tag: textOf(here, value) }, keeps: true }, ends: false }
    case 'webhook':
      if (!isUrl(value)) throw wrong(here, value, "a URL, such as 'https://hooks.example.org/mail'")
      return { statement: { kind: 'act', at, action: { kind: 'webhook', url: value }, keeps: true }, ends: false }
  }
}

function forward(given: unknown, at: string, where: string): ActionOf {
  const isText = typeof given === 'string'
  if (!isText) checkOptions(where, given, { to: required(aText), keep: aSwitch })
  const { to, keep = false } = isText ? { to: given } : (given as { to: string; keep?: boolean })
  if (!readMailbox(to)) throw wrong(isText ? where : `${where}.to`, to, "an address, such as 'anna@example.org'")
  return { statement: { kind: 'redirect', at, to, copy: keep }, ends: !keep }
}

const textOf = (where: string, value: unknown): string => {
  if (typeof value !== 'string') throw wrong(where, value, 'a text')
  return textsOf(where, value)[0]!
}

function isUrl(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 2000 && /^https?:\/\/[^\s/]/.test(value)
}
