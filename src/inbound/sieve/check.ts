import { compileCommand } from './check-commands.ts'
import { compileTests } from './check-tests.ts'
import { readArguments } from './arguments.ts'
import { Findings } from './lexer.ts'
import { parseSieve, type SieveBounds } from './parse.ts'
import type { Branch, SieveProgram, Statement } from './program.ts'
import { Scope, shownPosition } from './scope.ts'
import type { SieveCommand, SieveError } from './syntax.ts'
import { unknownName } from './unknown.ts'
import { commandRules } from './words.ts'

/** A script, looked at: a program where nothing is wrong with it, else what is. */
export type CompiledSieve =
  | { readonly program: SieveProgram; readonly errors: readonly [] }
  | { readonly program: undefined; readonly errors: readonly [SieveError, ...SieveError[]] }

/**
 * Reads a script and checks it: its grammar, what it requires, every command, test and argument. Never throws; tells all errors
 * that can be told, by line and column.
 */
export function compileSieve(source: string | Uint8Array, bounds?: SieveBounds): CompiledSieve {
  const { commands, errors } = parseSieve(source, bounds)
  const findings = new Findings('')
  const program = checkSieve(commands, findings)
  const all = [...errors, ...findings.errors].toSorted((a, b) => a.line - b.line || a.column - b.column)
  const [first, ...rest] = all
  return first ? { program: undefined, errors: [first, ...rest] } : { program, errors: [] }
}

/** What commands mean, without those that mean nothing, which are told. */
function checkSieve(commands: readonly SieveCommand[], findings: Findings): SieveProgram {
  const scope = new Scope(findings)
  let at = 0
  // RFC 5228 §3.2: require stands before all else.
  for (; commands[at]?.name === 'require'; at++) takeRequire(commands[at]!, scope)
  const statements = compileBlock(commands.slice(at), scope)
  return { statements, variables: scope.requires('variables') }
}

function takeRequire(command: SieveCommand, scope: Scope): void {
  const given = readArguments(command, commandRules.get('require')!, scope)
  checkShape(command, scope)
  for (const extension of given?.strings(0) ?? []) scope.require(extension)
}

/** Braces and tests where there are to be some, and nowhere else. */
function checkShape(command: SieveCommand, scope: Scope): void {
  const { block = false, tests } = commandRules.get(command.name)!
  if (!block && command.block) scope.tell(command.at, `${command.name} takes no block: end it with a semicolon`)
  if (block && !command.block) scope.tell(command.at, `${command.name} takes a block in braces`)
  if (tests === undefined) compileTests(command, scope, tests)
}

function compileBlock(commands: readonly SieveCommand[], scope: Scope): Statement[] {
  const statements: Statement[] = []
  for (let at = 0; at < commands.length && !scope.isHopeless; at++) {
    const command = commands[at]!
    const { name } = command
    if (!commandRules.has(name)) {
      scope.tell(command.at, unknownName('command', name, commandRules))
      if (command.block) compileBlock(command.block, scope)
      continue
    }
    if (name === 'if') {
      let end = at + 1
      while (commands[end]?.name === 'elsif') end++
      if (commands[end]?.name === 'else') end++
      statements.push(...compileIf(commands.slice(at, end), scope))
      at = end - 1
    } else if (name === 'elsif' || name === 'else') {
      scope.tell(command.at, `${name} has to follow the block of an if or an elsif`)
      compileIf([command], scope)
    } else if (name === 'require') {
      scope.tell(command.at, 'require has to stand at the top of the script, before all other commands')
      takeRequire(command, scope)
    } else {
      checkShape(command, scope)
      if (command.block) compileBlock(command.block, scope)
      const statement = compileCommand(command, scope)
      if (statement) statements.push(statement)
    }
  }
  return statements
}

function compileIf(commands: readonly SieveCommand[], scope: Scope): Statement[] {
  const branches: Branch[] = []
  let otherwise: Statement[] | undefined
  for (const command of commands) {
    checkShape(command, scope)
    const isElse = command.name === 'else'
    readArguments(command, commandRules.get(command.name)!, scope)
    const [test] = isElse ? [] : (compileTests(command, scope, 'one') ?? [])
    const then = compileBlock(command.block ?? [], scope)
    if (isElse) otherwise = then
    else if (test) branches.push({ test, then })
  }
  const [first] = commands
  return branches.length === 0 ? [] : [{ kind: 'if', at: shownPosition(first!.at), branches, otherwise }]
}
