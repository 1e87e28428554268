import { nearest } from '../../protocol/session/nearest.ts'
import type { SieveArgument, SieveNode, SievePosition, SieveString } from './syntax.ts'
import type { ArgumentKind, NodeRule } from './words.ts'

/** The arguments of a command or test, sorted. What its rule says of them is so. */
export class Given {
  readonly #tags: ReadonlyMap<string, SieveArgument | undefined>
  readonly #positional: readonly (SieveArgument | undefined)[]

  constructor(tags: ReadonlyMap<string, SieveArgument | undefined>, positional: readonly (SieveArgument | undefined)[]) {
    this.#tags = tags
    this.#positional = positional
  }

  /** Whether the tag is there. */
  has(tag: string): boolean {
    return this.#tags.has(tag)
  }

  /** The string behind a tag, or at a place. */
  string(where: string | number): SieveString | undefined {
    const argument = this.#at(where)
    return argument?.kind === 'string' ? argument : undefined
  }

  /** The strings behind a tag, or at a place; none where there is no such argument. */
  strings(where: string | number): readonly SieveString[] {
    const argument = this.#at(where)
    if (argument?.kind === 'list') return argument.values
    return argument?.kind === 'string' ? [argument] : []
  }

  /** The number behind a tag, or at a place. */
  number(where: string | number): number | undefined {
    const argument = this.#at(where)
    return argument?.kind === 'number' ? argument.value : undefined
  }

  /** Whether there is an argument at the place. */
  hasAt(place: number): boolean {
    return this.#positional[place] !== undefined
  }

  #at(where: string | number): SieveArgument | undefined {
    return typeof where === 'number' ? this.#positional[where] : this.#tags.get(where)
  }
}

/** Where what is found is told. */
export interface ArgumentFindings {
  tell(at: SievePosition, text: string): void
  /** Whether the extension is required; tells where it is not. */
  needs(extension: string, at: SievePosition, what: string): void
}

const inWords: Record<ArgumentKind, string> = { string: 'a string', strings: 'a string or a list of strings', number: 'a number' }

/** Sorts the arguments of a node by its rule; `undefined`, and an error told, where they do not fit. */
export function readArguments(node: SieveNode, rule: NodeRule, findings: ArgumentFindings): Given | undefined {
  const tags = new Map<string, SieveArgument | undefined>()
  const groups = new Map<string, string>()
  const positional: SieveArgument[] = []
  let isSound = true
  const tell = (at: SievePosition, text: string): void => {
    isSound = false
    findings.tell(at, text)
  }
  for (let index = 0; index < node.arguments.length; index++) {
    const argument = node.arguments[index]!
    if (argument.kind !== 'tag') {
      positional.push(argument)
      continue
    }
    const tagRule = rule.tags?.get(argument.name)
    if (!tagRule) {
      tell(argument.at, unknownTag(node.name, argument.name, rule))
      continue
    }
    // RFC 5228 §2.6.2: tags stand before what goes by its place.
    if (positional.length > 0) tell(argument.at, `:${argument.name} has to stand before the other arguments of ${node.name}`)
    const { takes, extension, group = argument.name } = tagRule
    if (extension !== undefined) findings.needs(extension, argument.at, `:${argument.name}`)
    const other = groups.get(group)
    if (other === argument.name) tell(argument.at, `:${argument.name} stands here twice: remove one`)
    else if (other !== undefined) tell(argument.at, `:${argument.name} cannot stand beside :${other}: remove one`)
    groups.set(group, argument.name)
    const value = takes === undefined ? undefined : node.arguments[index + 1]
    if (takes !== undefined) {
      if (fits(value, takes)) index++
      else tell(argument.at, `:${argument.name} has to be followed by ${inWords[takes]}`)
    }
    tags.set(argument.name, value)
  }
  const placed = place(node, rule, positional, tell)
  return isSound ? new Given(tags, placed) : undefined
}

function place(
  node: SieveNode,
  { positional: kinds = [], optionalFirst = false, optionalLast = false }: NodeRule,
  found: readonly SieveArgument[],
  tell: (at: SievePosition, text: string) => void,
): readonly (SieveArgument | undefined)[] {
  const isShort = optionalFirst && found.length === kinds.length - 1
  const placed = isShort ? [undefined, ...found] : found
  for (let at = isShort ? 1 : 0; at < kinds.length; at++) {
    const argument = placed[at]
    const which = kinds.length === 1 ? '' : ` as its ${['first', 'second', 'third'][at]} argument`
    if (argument === undefined) {
      if (optionalLast && at === kinds.length - 1) break
      tell(node.at, `${node.name} takes ${inWords[kinds[at]!]}${which}, which is missing`)
      break
    }
    if (!fits(argument, kinds[at]!)) tell(argument.at, `${node.name} takes ${inWords[kinds[at]!]}${which}`)
  }
  const more = placed[kinds.length]
  if (more) tell(more.at, kinds.length === 0 ? `${node.name} takes no argument` : `an argument too many of ${node.name}`)
  return placed
}

function fits(argument: SieveArgument | undefined, kind: ArgumentKind): boolean {
  if (kind === 'strings') return argument?.kind === 'string' || argument?.kind === 'list'
  return argument?.kind === kind
}

function unknownTag(node: string, tag: string, rule: NodeRule): string {
  const known = [...(rule.tags?.keys() ?? [])]
  const meant = nearest(tag, known)
  if (meant !== undefined) return `${node} has no :${tag}: did you mean :${meant}?`
  if (known.length === 0) return `${node} takes no tags`
  return `${node} has no :${tag}: it has ${known.map((name) => `:${name}`).join(', ')}`
}
