import { nearest } from '../../protocol/session/nearest.ts'
import type { Given } from './arguments.ts'
import { type Findings, shown } from './lexer.ts'
import type { ComparatorName, FieldIndex, Matching, Relation, Text, VariableName } from './program.ts'
import type { SieveNode, SievePosition, SieveString } from './syntax.ts'
import { decodeCharacters, type NamedVariable, type Read, readVariableName, readVariables } from './text.ts'
import { missingExtensions, sieveExtensions } from './words.ts'

const comparators: readonly ComparatorName[] = ['i;octet', 'i;ascii-casemap', 'i;ascii-numeric', 'i;unicode-casemap']
const relations: readonly Relation[] = ['gt', 'ge', 'lt', 'le', 'eq', 'ne']

/** Match variables that are kept (RFC 5229 §6 asks for nine at least). */
const MOST_MATCHES = 99

/** What is known of a script while it is checked: what it requires, what names mean. */
export class Scope {
  readonly #findings: Findings
  readonly #required = new Set<string>()
  /** Extensions whose lack has been told: once is enough. */
  readonly #lacking = new Set<string>()
  /** Variables that `global` has named. */
  readonly #globals = new Set<string>()

  constructor(findings: Findings) {
    this.#findings = findings
  }

  /** Notes an error. */
  tell(at: SievePosition, text: string): void {
    this.#findings.tell(at, text)
  }

  /** So much is wrong that no more need be looked for. */
  get isHopeless(): boolean {
    return this.#findings.isFull
  }

  /** Takes what a `require` says. */
  require({ value, at }: SieveString): void {
    if (this.isHopeless) return
    if (sieveExtensions.includes(value)) {
      this.#required.add(value)
      return
    }
    const meant = nearest(value, sieveExtensions)
    const hint = missingExtensions.get(value) ?? (meant === undefined ? '' : `did you mean ${meant}?`)
    this.tell(at, `there is no extension ${shown(value)} here${hint === '' ? '' : `: ${hint}`}`)
  }

  /** Whether an extension is required. */
  requires(extension: string): boolean {
    return this.#required.has(extension)
  }

  /** Tells where none of the extensions is required. */
  needs(extensions: string | readonly string[], at: SievePosition, what: string): void {
    const several = typeof extensions === 'string' ? [extensions] : extensions
    const [first = ''] = several
    if (several.some((extension) => this.#required.has(extension)) || this.#lacking.has(first)) return
    this.#lacking.add(first)
    this.tell(at, `${what} needs require "${first}" at the top of the script`)
  }

  /** Variables that are those of all scripts from here on (RFC 6609 §3.4). */
  makeGlobal({ value, at }: SieveString): void {
    const name = readVariableName(value, 0)
    if (name?.kind !== 'own' || name.end !== value.length) this.tell(at, `${shown(value)} is no name of a variable`)
    else this.#globals.add(name.name)
  }

  /** A string as the interpreter puts it together. */
  text({ value, at }: SieveString): Text {
    const read = this.#decoded(value)
    const found = 'value' in read && this.requires('variables') ? readVariables(read.value, (name) => this.#meaning(name)) : read
    if ('value' in found) return found.value
    this.tell(at, found.error)
    return ''
  }

  /** Several of them. */
  texts(strings: readonly SieveString[]): readonly Text[] {
    return strings.map((string) => this.text(string))
  }

  /** A string that must not hold variables; `undefined`, and told, where it does. */
  constant(string: SieveString, what: string): string | undefined {
    const text = this.text(string)
    if (typeof text === 'string') return text
    this.tell(string.at, `${what} cannot hold variables: write it out`)
    return undefined
  }

  /** A text that is looked at now where it holds no variables, and when the script runs where it does. */
  checked(string: SieveString, isSound: (text: string) => boolean, what: string): Text {
    const text = this.text(string)
    if (typeof text === 'string' && !isSound(text)) this.tell(string.at, `${shown(text)} is no ${what}`)
    return text
  }

  /** The variable that a command changes. */
  variable(string: SieveString): VariableName | undefined {
    const text = this.constant(string, 'the name of a variable')
    if (text === undefined) return undefined
    const name = readVariableName(text, 0)
    if (name === undefined || name.end !== text.length || name.kind === 'match') {
      this.tell(string.at, `${shown(text)} is no name of a variable that can be set`)
      return undefined
    }
    const meant = this.#meaning(name)
    if ('value' in meant) return meant.value
    this.tell(string.at, meant.error)
    return undefined
  }

  /** Match type and comparator of a test (RFC 5228 §2.7). */
  match(given: Given, node: SieveNode): Matching {
    const type = (['contains', 'matches', 'count', 'value'] as const).find((name) => given.has(name)) ?? 'is'
    const named = given.string('comparator')
    const comparator = (named && this.#comparator(named)) ?? 'i;ascii-casemap'
    if (comparator === 'i;ascii-numeric' && (type === 'contains' || type === 'matches')) {
      // RFC 4790 §9.1.1: it has no substring operation.
      this.tell(node.at, `i;ascii-numeric compares numbers: it goes with :is, :value and :count, not with :${type}`)
    }
    if (type !== 'count' && type !== 'value') return { type, comparator }
    return { type, comparator, relation: this.#relation(given.string(type), type) }
  }

  /** Which field is meant (RFC 5260 §6). */
  index(given: Given, node: SieveNode): FieldIndex | undefined {
    const nth = given.number('index')
    if (nth === undefined) {
      if (given.has('last')) this.tell(node.at, ':last counts from the end: it needs :index beside it')
      return undefined
    }
    if (nth < 1) this.tell(node.at, ':index counts from 1')
    return { nth, last: given.has('last') }
  }

  #comparator(string: SieveString): ComparatorName | undefined {
    const name = this.constant(string, 'the name of a comparator')
    if (name === undefined) return undefined
    const found = comparators.find((known) => known === name)
    if (found === undefined) {
      const meant = nearest(name, comparators)
      const hint = meant === undefined ? `there are ${comparators.join(', ')}` : `did you mean ${meant}?`
      this.tell(string.at, `there is no comparator ${shown(name)}: ${hint}`)
    } else if (found === 'i;ascii-numeric' || found === 'i;unicode-casemap') {
      // RFC 5228 §2.7.3: the other two need not be required.
      this.needs(`comparator-${found}`, string.at, found)
    }
    return found
  }

  #relation(string: SieveString | undefined, type: string): Relation {
    const text = string && this.constant(string, 'a relation')?.toLowerCase()
    const found = relations.find((relation) => relation === text)
    if (string && text !== undefined && found === undefined) {
      this.tell(string.at, `:${type} has to be followed by one of ${relations.map((relation) => `"${relation}"`).join(', ')}`)
    }
    return found ?? 'eq'
  }

  #decoded(value: string): Read<string> {
    return this.requires('encoded-character') ? decodeCharacters(value) : { value }
  }

  #meaning({ kind, space, name }: NamedVariable): Read<VariableName> {
    if (kind === 'match') {
      const index = Number(name)
      if (index > MOST_MATCHES) return { error: `there is no match variable beyond ${MOST_MATCHES}` }
      return { value: { kind: 'match', index } }
    }
    if (kind === 'own') return { value: { kind: this.#globals.has(name) ? 'global' : 'own', name } }
    // RFC 6609 §3.4.2.
    if (space === 'global' && this.requires('include')) return { value: { kind: 'global', name } }
    const hint = space === 'global' ? ' without require "include"' : ''
    return { error: `there is no variable ${shown(`${space}.${name}`)} here${hint}` }
  }
}

/** Line and column, as traces have them. */
export function shownPosition({ line, column }: SievePosition): string {
  return `${line}:${column}`
}
