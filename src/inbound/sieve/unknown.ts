import { nearest } from '../../protocol/session/nearest.ts'
import { shown } from './lexer.ts'
import { commandRules, type NodeRule, testRules } from './words.ts'

/** What to say of a name that is none of the rules'. */
export function unknownName(what: 'command' | 'test', name: string, rules: ReadonlyMap<string, NodeRule>): string {
  const meant = nearest(name, [...rules.keys()])
  if (meant !== undefined) return `there is no ${what} ${shown(name)}: did you mean ${meant}?`
  const other = what === 'test' ? commandRules : testRules
  return other.has(name)
    ? `${name} is a ${what === 'test' ? 'command' : 'test'}: a ${what} has to stand here`
    : `there is no ${what} ${shown(name)}`
}
