import { type Given, readArguments } from './arguments.ts'
import { specialUses, type Statement, type Text, type VariableChange } from './program.ts'
import { type Scope, shownPosition } from './scope.ts'
import type { SieveCommand } from './syntax.ts'
import { isFieldName, isScriptName, readMailbox, readMailboxName } from './values.ts'
import { commandRules } from './words.ts'

type WithoutPlace<T> = T extends unknown ? Omit<T, 'at'> : never
type Compiled = WithoutPlace<Statement>

/** In the order of their precedence (RFC 5229 §4.1): what is to be done first comes first. */
const CHANGES: readonly VariableChange[] = ['lower', 'upper', 'lowerfirst', 'upperfirst', 'quotewildcard', 'length']

const DAY = 86_400

/** What a command means that is no control structure; `undefined` where it is none of the interpreter's, or an error was told. */
export function compileCommand(command: SieveCommand, scope: Scope): Statement | undefined {
  const rule = commandRules.get(command.name)!
  if (rule.extensions) scope.needs(rule.extensions, command.at, command.name)
  const given = readArguments(command, rule, scope)
  if (!given) return undefined
  const compiled = meaningOf(command, given, scope)
  return compiled && ({ ...compiled, at: shownPosition(command.at) } as Statement)
}

function meaningOf(command: SieveCommand, given: Given, scope: Scope): Compiled | undefined {
  const { name } = command
  switch (name) {
    case 'stop':
    case 'return':
    case 'discard':
      return { kind: name }
    case 'keep':
      return { kind: 'keep', flags: flagsOf(given, scope) }
    case 'fileinto':
      return fileInto(given, scope)
    case 'redirect': {
      const isSound = (text: string): boolean => readMailbox(text) !== undefined
      return { kind: 'redirect', to: scope.checked(given.string(0)!, isSound, 'address to send to'), copy: given.has('copy') }
    }
    case 'reject':
    case 'ereject':
      return { kind: 'reject', reason: scope.text(given.string(0)!) }
    case 'vacation':
      return vacation(given, scope)
    case 'addheader':
      return {
        kind: 'addheader',
        name: scope.checked(given.string(0)!, isFieldName, 'name of a header field'),
        value: scope.text(given.string(1)!),
        last: given.has('last'),
      }
    case 'deleteheader':
      return {
        kind: 'deleteheader',
        name: scope.checked(given.string(0)!, isFieldName, 'name of a header field'),
        index: scope.index(given, command),
        match: scope.match(given, command),
        keys: given.hasAt(1) ? scope.texts(given.strings(1)) : undefined,
      }
    case 'include':
      return include(given, scope)
    default:
      return changeVariable(command, given, scope)
  }
}

/** Commands that change variables. */
function changeVariable({ name, at }: SieveCommand, given: Given, scope: Scope): Compiled | undefined {
  switch (name) {
    case 'global':
      for (const variable of given.strings(0)) scope.makeGlobal(variable)
      return undefined
    case 'set': {
      const variable = scope.variable(given.string(0)!)
      const changes = CHANGES.filter((change) => given.has(change))
      return variable && { kind: 'set', variable, value: scope.text(given.string(1)!), changes }
    }
    case 'setflag':
    case 'addflag':
    case 'removeflag': {
      const first = given.string(0)
      if (first) scope.needs('variables', at, 'a variable of flags')
      return { kind: name, variable: first && scope.variable(first), flags: scope.texts(given.strings(1)) }
    }
    default:
      return undefined
  }
}

function flagsOf(given: Given, scope: Scope): readonly Text[] | undefined {
  return given.has('flags') ? scope.texts(given.strings('flags')) : undefined
}

function fileInto(given: Given, scope: Scope): Compiled {
  const use = given.string('specialuse')
  const isUse = (text: string): boolean => specialUses.has(text.toLowerCase())
  return {
    kind: 'fileinto',
    mailbox: scope.checked(given.string(0)!, (text) => readMailboxName(text) !== undefined, 'name of a mailbox'),
    use: use && scope.checked(use, isUse, 'use of a mailbox: \\Sent is one'),
    create: given.has('create'),
    copy: given.has('copy'),
    flags: flagsOf(given, scope),
  }
}

function vacation(given: Given, scope: Scope): Compiled {
  const reason = given.string(0)!
  const text = scope.text(reason)
  // RFC 5230 §5: 8-bit text has no place in a MIME entity that goes out as it stands.
  if (given.has('mime') && /[^\0-\x7f]/.test(reason.value)) scope.tell(reason.at, 'what :mime sends has to be ASCII: encode it')
  const optional = (tag: string): Text | undefined => {
    const string = given.string(tag)
    return string && scope.text(string)
  }
  const from = given.string('from')
  const days = given.number('days')
  const isSound = (address: string): boolean => readMailbox(address) !== undefined
  return {
    kind: 'vacation',
    reason: text,
    subject: optional('subject'),
    from: from && scope.checked(from, isSound, 'address to send from'),
    addresses: given.strings('addresses').map((address) => scope.checked(address, isSound, 'address')),
    mime: given.has('mime'),
    handle: optional('handle'),
    seconds: given.number('seconds') ?? (days === undefined ? undefined : days * DAY),
  }
}

function include(given: Given, scope: Scope): Compiled | undefined {
  // RFC 6609 §3.2: a constant, so that it is known what a script is made of.
  const name = scope.constant(given.string(0)!, 'the name of a script')
  if (name === undefined) return undefined
  if (!isScriptName(name)) scope.tell(given.string(0)!.at, 'this is no name of a script')
  const location = given.has('global') ? 'global' : 'personal'
  return { kind: 'include', location, name, once: given.has('once'), optional: given.has('optional') }
}
