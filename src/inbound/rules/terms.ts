import { MailError } from '../../protocol/session/errors.ts'
import { anObject, shownValue } from '../../protocol/session/options.ts'
import type { Matching, Text } from '../sieve/program.ts'
import type { TextTest } from './rule.ts'

/** Texts of one test, and characters of each. */
const MOST_TEXTS = 1000
const MOST_CHARACTERS = 1000

/** Says what is wrong with a rule. */
export function wrong(where: string, value: unknown, takes: string): MailError {
  return new MailError('config', `${where} is ${shownValue(value)}; it takes ${takes}.`)
}

/**
 * The one member of an object that takes one of several. `members`: their names.
 *
 * @throws MailError `config` where there is none, there are several, or one that nobody knows
 */
export function oneOfMembers<Name extends string>(where: string, given: unknown, members: readonly Name[]): Name {
  const takes = `an object with one of ${members.join(', ')}`
  if (!anObject.is(given)) throw wrong(where, given, takes)
  const names = Object.entries(given as object).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  const odd = names.find((name) => !(members as readonly string[]).includes(name))
  if (odd !== undefined) throw new MailError('config', `${where}: there is no ${JSON.stringify(odd)}; it takes ${takes}.`)
  const [only, ...others] = names
  if (only !== undefined && others.length === 0) return only as Name
  const has = only === undefined ? 'none of them' : `${only} and ${others.join(' and ')}`
  throw new MailError('config', `${where} has ${has}; it takes ${takes}.`)
}

/** How a text is matched, and with what; or whether it has to be there. */
export type TextMatch = { readonly match: Matching; readonly keys: readonly Text[] } | { readonly exists: boolean }

const operators = ['is', 'contains', 'matches', 'startsWith', 'endsWith', 'exists'] as const

/** Reads a test of a text. */
export function textMatch(where: string, given: unknown): TextMatch {
  const operator = oneOfMembers(where, given, operators)
  const value: unknown = (given as TextTest)[operator]
  if (operator === 'exists') {
    if (typeof value !== 'boolean') throw wrong(`${where}.exists`, value, 'true or false')
    return { exists: value }
  }
  const texts = textsOf(`${where}.${operator}`, value)
  const type = operator === 'startsWith' || operator === 'endsWith' ? 'matches' : operator
  const match = { type, comparator: 'i;unicode-casemap' } as const
  if (operator === 'startsWith') return { match, keys: texts.map((text) => `${plain(text)}*`) }
  if (operator === 'endsWith') return { match, keys: texts.map((text) => `*${plain(text)}`) }
  return { match, keys: texts }
}

/** One text, or several. */
export function textsOf(where: string, value: unknown): readonly string[] {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value]
  const isText = (text: unknown): text is string => typeof text === 'string' && text !== '' && text.length <= MOST_CHARACTERS
  if (texts.length > 0 && texts.length <= MOST_TEXTS && texts.every(isText)) return texts
  throw wrong(where, value, `a text of 1 to ${MOST_CHARACTERS} characters, or a list of 1 to ${MOST_TEXTS} of them`)
}

/** Wildcards that stand for themselves. */
function plain(text: string): string {
  return text.replace(/[*?\\]/g, '\\$&')
}
