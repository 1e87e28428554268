import { nearest } from '../../protocol/session/nearest.ts'
import { shown } from './lexer.ts'
import { commandRules, type NodeRule, testRules } from './words.ts'

/** What to say of a name that is none of the rules'. */
export function unknownName(what: 'command' | 'test', name: string, rules: ReadonlyMap<string, NodeRule>): string {
  if (what === 'test' && commandRules.has(name)) return `${name} is a command: a test has to stand here`
  if (what === 'command' && testRules.has(name)) return `${name} is a test: put if before it`
  const meant = nearest(name, [...rules.keys()])
  return `there is no ${what} ${shown(name)}${meant === undefined ? '' : `: did you mean ${meant}?`}`
}
