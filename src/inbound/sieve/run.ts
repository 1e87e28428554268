import type { Filtered } from '../../contracts/filter.ts'
import type { Awaitable } from '../../contracts/policy.ts'
import type { SieveEnvironment } from './environment.ts'
import { evaluate } from './evaluate.ts'
import type { SieveMessage } from './message.ts'
import type { SieveProgram, Statement } from './program.ts'
import { type Frame, RunState } from './state.ts'
import { act } from './act.ts'
import { drive, SieveFailure, type Steps, waitFor } from './steps.ts'

/** Scripts in one another. */
const MOST_DEPTH = 10

/**
 * Runs a script on a message, at once where nothing has to be waited for (bodies, mailboxes, what is remembered). Never throws:
 * what goes wrong is in the result, whose action is then to keep the message, unchanged, in INBOX. Nothing is done yet, and
 * nothing remembered before `done` is called.
 */
export function runSieve(program: SieveProgram, message: SieveMessage, environment: SieveEnvironment): Awaitable<Filtered> {
  const state = new RunState(message, environment)
  return drive(filtered(program, state))
}

function* filtered(program: SieveProgram, state: RunState): Steps<Filtered> {
  const { headers, memory, steps } = state
  try {
    yield* runScript(program, '', [], state)
    const { edits } = headers
    const { done } = memory
    return { actions: state.outcome.finish({ flags: state.flags, edits }), edits, steps, ...(done && { done }) }
  } catch (error) {
    // A fault of ours or of what was asked is no reason to lose mail either.
    const text = error instanceof SieveFailure ? error.message : `the script could not be run to its end: ${shownError(error)}`
    return { actions: [{ kind: 'keep' }], edits: [], steps, error: { at: state.at, text } }
  }
}

function shownError(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** How a block ended: at its end, by `stop`, by `return`. */
type End = 'end' | 'stop' | 'return'

function* runScript(program: SieveProgram, prefix: string, within: readonly string[], state: RunState): Steps<End> {
  const frame: Frame = { prefix, own: new Map(), variables: program.variables, matches: [] }
  return yield* runBlock(program.statements, frame, within, state)
}

function* runBlock(statements: readonly Statement[], frame: Frame, within: readonly string[], state: RunState): Steps<End> {
  for (const statement of statements) {
    const end = yield* runStatement(statement, frame, within, state)
    if (end !== 'end') return end
  }
  return 'end'
}

function* runStatement(statement: Statement, frame: Frame, within: readonly string[], state: RunState): Steps<End> {
  state.at = frame.prefix + statement.at
  state.budget.spend(1)
  switch (statement.kind) {
    case 'stop':
    case 'return':
      state.note(statement.kind)
      return statement.kind
    case 'if':
      return yield* runIf(statement, frame, within, state)
    case 'include':
      return yield* include(statement, within, state)
    default:
      yield* act(statement, frame, state)
      return 'end'
  }
}

function* runIf(
  { at, branches, otherwise }: Extract<Statement, { kind: 'if' }>,
  frame: Frame,
  within: readonly string[],
  state: RunState,
): Steps<End> {
  for (const { test, then } of branches) {
    const holds = yield* evaluate(test, frame, state)
    state.at = frame.prefix + test.at
    state.note(`if: ${holds}`)
    if (holds) return yield* runBlock(then, frame, within, state)
  }
  if (!otherwise) return 'end'
  state.at = frame.prefix + at
  state.note('else')
  return yield* runBlock(otherwise, frame, within, state)
}

/** RFC 6609 §3.2. `stop` in an included script ends all of them, `return` that one alone. */
function* include(
  { location, name, once, optional }: Extract<Statement, { kind: 'include' }>,
  within: readonly string[],
  state: RunState,
): Steps<End> {
  const key = `${location}:${name}`
  if (once && state.included.has(key)) return 'end'
  if (within.includes(key)) throw new SieveFailure(`${JSON.stringify(name)} includes itself`)
  if (within.length >= MOST_DEPTH) throw new SieveFailure(`scripts may stand in ${MOST_DEPTH} others, and no more`)
  if (++state.includes > state.limits.includes) throw new SieveFailure(`a script may include ${state.limits.includes} others`)
  const found = yield* waitFor(state.environment.script?.(location, name))
  if (!found) {
    if (!optional) throw new SieveFailure(`there is no script ${JSON.stringify(name)} to be included`)
    state.note(`include ${JSON.stringify(name)}: there is none`)
    return 'end'
  }
  if (!found.program) {
    const { line, column, text } = found.errors[0]
    throw new SieveFailure(`${JSON.stringify(name)} has an error at ${line}:${column}: ${text}`)
  }
  state.included.add(key)
  state.note(`include ${JSON.stringify(name)}`)
  const end = yield* runScript(found.program, `${name}:`, [...within, key], state)
  return end === 'stop' ? end : 'end'
}
