import type { Authentication, AuthenticationResult } from '../../contracts/authentication.ts'
import type { Note } from '../../contracts/note.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { checkOptions } from '../../protocol/session/options.ts'
import { namedParts } from '../parts.ts'
import type { SieveMessage } from '../sieve/message.ts'
import { Matcher } from '../sieve/matcher.ts'
import type { Condition } from '../sieve/program.ts'
import { Budget } from '../sieve/steps.ts'
import { isFieldName } from '../sieve/values.ts'
import type { AttachmentTest, HeaderTest, NumberTest, RuleCondition } from './rule.ts'
import { oneOfMembers, textMatch, type TextMatch, textsOf, wrong } from './terms.ts'

const subjects = [
  'all', 'any', 'not', 'from', 'to', 'cc', 'subject', 'header', 'body', 'size', 'attachment', 'spf', 'dkim', 'dmarc', 'score',
] as const

/** Conditions in one another, and conditions of a rule. */
const MOST_DEPTH = 10
const MOST_CONDITIONS = 200
/** Work of one look at attachments: see `SieveLimits.work`. */
const MOST_WORK = 200_000

/** Counts the conditions of a rule. */
export interface Counted {
  left: number
}

/** A counter for one rule. */
export const counted = (): Counted => ({ left: MOST_CONDITIONS })

/** Makes a condition of the Sieve engine out of one of a rule. `at`: the rule's name; `where`: for errors. */
export function conditionOf(given: RuleCondition, at: string, where: string, left: Counted, depth = 0): Condition {
  const subject = oneOfMembers(where, given, subjects)
  const here = `${where}.${subject}`
  if (depth >= MOST_DEPTH) throw new MailError('config', `${where}: conditions are ${MOST_DEPTH} deep at the most.`)
  if (--left.left < 0) throw new MailError('config', `${where}: a rule has ${MOST_CONDITIONS} conditions at the most.`)
  const value: unknown = given[subject]
  switch (subject) {
    case 'all':
    case 'any': {
      if (!Array.isArray(value)) throw wrong(here, value, 'a list of conditions')
      const of = value.map((one: RuleCondition, index) => conditionOf(one, at, `${here}[${index}]`, left, depth + 1))
      return { kind: subject, at, of }
    }
    case 'not':
      return { kind: 'not', at, of: conditionOf(value as RuleCondition, at, here, left, depth + 1) }
    case 'from':
    case 'to':
    case 'cc':
      return ofAddresses(subject, textMatch(here, value), at)
    case 'subject':
      return ofField('subject', textMatch(here, value), at)
    case 'header':
      return ofHeader(value, at, here)
    case 'body':
      return ofBody(textMatch(here, value), at, here)
    case 'size':
      return ofSize(bounds(here, value), at)
    case 'attachment':
      return ofAttachment(value, at, here)
    case 'score':
      return ofScore(bounds(here, value), at)
    default:
      return ofResult(subject, value, at, here)
  }
}

function ofField(name: string, match: TextMatch, at: string): Condition {
  if (!('exists' in match)) return { kind: 'header', at, names: [name], ...match }
  return unless(match.exists, { kind: 'exists', at, names: [name] })
}

function ofAddresses(name: 'from' | 'to' | 'cc', match: TextMatch, at: string): Condition {
  if ('exists' in match) return ofField(name, match, at)
  const address: Condition = { kind: 'address', at, part: 'all', names: [name], ...match }
  return match.match.type === 'contains' ? { kind: 'any', at, of: [address, ofField(name, match, at)] } : address
}

function ofHeader(given: unknown, at: string, where: string): Condition {
  const { name, ...test } = (typeof given === 'object' && given !== null ? given : {}) as Partial<HeaderTest>
  const isName = typeof name === 'string' && isFieldName(name)
  if (!isName) throw wrong(`${where}.name`, name, "the name of a field, such as 'List-Id'")
  return ofField(name, textMatch(where, test), at)
}

function ofBody(match: TextMatch, at: string, where: string): Condition {
  if ('exists' in match) throw new MailError('config', `${where}: a body is always there; exists is for fields.`)
  return { kind: 'body', at, transform: { kind: 'text' }, ...match }
}

/** Reads bounds of a number: none, below or at which it is not; above or at which it is not. */
function bounds(where: string, given: unknown): { readonly over: number; readonly under: number } {
  const aBound = { takes: 'a number', is: (value: unknown) => typeof value === 'number' && !Number.isNaN(value) }
  checkOptions(where, given, { over: aBound, under: aBound })
  const { over, under } = given as NumberTest
  if (over === undefined && under === undefined) throw wrong(where, given, 'over, under, or both')
  return { over: over ?? -Infinity, under: under ?? Infinity }
}

function ofSize({ over, under }: ReturnType<typeof bounds>, at: string): Condition {
  const of: Condition[] = []
  if (over > -Infinity) of.push({ kind: 'size', at, over: true, octets: over })
  if (under < Infinity) of.push({ kind: 'size', at, over: false, octets: under })
  return { kind: 'all', at, of }
}

function ofScore({ over, under }: ReturnType<typeof bounds>, at: string): Condition {
  const ask = (message: SieveMessage): boolean => {
    const sum = notesOf(message).reduce((all, note) => (note.kind === 'score' ? all + note.score : all), 0)
    return sum > over && sum < under
  }
  return { kind: 'ask', at, what: 'score', ask }
}

function ofAttachment(given: unknown, at: string, where: string): Condition {
  const anything = { takes: 'a test', is: () => true }
  checkOptions(where, given, { name: anything, type: anything, exists: anything })
  const { name, type, exists } = given as AttachmentTest
  const tests = { name: name && textMatch(`${where}.name`, name), type: type && textMatch(`${where}.type`, type) }
  if (exists !== undefined) {
    if (typeof exists !== 'boolean' || name || type) throw wrong(where, given, 'exists alone, or name, type, or both')
    const any: Condition = { kind: 'ask', at, what: 'attachment', ask: async (message) => (await attached(message)).length > 0 }
    return unless(exists, any)
  }
  if (!name && !type) throw wrong(where, given, 'exists, name or type')
  const ask = async (message: SieveMessage): Promise<boolean> => {
    const budget = new Budget(MOST_WORK)
    const byName = tester(tests.name, budget)
    const byType = tester(tests.type, budget)
    return (await attached(message)).some(({ names, media }) => byName(names) && byType([media]))
  }
  return { kind: 'ask', at, what: 'attachment', ask }
}

const attached = async (message: SieveMessage) => (await namedParts(message)).filter((part) => part.attached)

function tester(test: TextMatch | undefined, budget: Budget): (values: readonly string[]) => boolean {
  if (!test) return () => true
  if ('exists' in test) return ({ length }) => length > 0 === test.exists
  const matcher = new Matcher(test.match, test.keys as readonly string[], budget)
  return (values) => values.some((value) => matcher.test(value) !== false)
}

const results: readonly AuthenticationResult[] = [
  'none', 'neutral', 'pass', 'fail', 'softfail', 'policy', 'temperror', 'permerror',
]

function ofResult(kind: 'spf' | 'dkim' | 'dmarc', given: unknown, at: string, where: string): Condition {
  const wanted = textsOf(where, given)
  const odd = wanted.find((one) => !(results as readonly string[]).includes(one))
  if (odd !== undefined) throw wrong(where, odd, `one or several of ${results.join(', ')}`)
  const ask = (message: SieveMessage): boolean => {
    const found = notesOf(message).findLast((note) => note.kind === 'authentication')
    return wanted.includes(resultOf(kind, found?.authentication))
  }
  return { kind: 'ask', at, what: kind, ask }
}

/** The result that counts: of several signatures one that passes, else the first. */
function resultOf(kind: 'spf' | 'dkim' | 'dmarc', found: Authentication | undefined): AuthenticationResult {
  if (kind !== 'dkim') return found?.[kind]?.result ?? 'none'
  const signatures = found?.dkim ?? []
  return (signatures.find(({ result }) => result === 'pass') ?? signatures[0])?.result ?? 'none'
}

/** A message that has arrived has notes; what is tried out has none. */
function notesOf(message: SieveMessage & { readonly notes?: readonly Note[] }): readonly Note[] {
  return message.notes ?? []
}

function unless(wanted: boolean, condition: Condition): Condition {
  return wanted ? condition : { kind: 'not', at: condition.at, of: condition }
}
