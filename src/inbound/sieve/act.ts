import { evaluateField } from './match-fields.ts'
import { specialUses, type Statement, type Text, type VariableChange } from './program.ts'
import type { Frame, RunState } from './state.ts'
import { SieveFailure, type Steps } from './steps.ts'
import { isFieldName, readFlags, readMailbox, readMailboxName } from './values.ts'
import { answerTo } from './vacation.ts'

/** Characters of a field that a script adds (RFC 5293 §4 asks for 998 at least). */
const MOST_FIELD = 8192

type Action = Exclude<Statement, { kind: 'if' | 'stop' | 'return' | 'include' }>

/** Does what a command says: notes what is to be done with the message, changes variables and header. */
export function* act(action: Action, frame: Frame, state: RunState): Steps<void> {
  const { outcome } = state
  switch (action.kind) {
    case 'keep': {
      const flags = flagsOf(action.flags, frame, state)
      outcome.deliver(undefined, { flags, edits: state.headers.edits })
      outcome.cancelKeep()
      return state.note(`keep${shownFlags(flags)}`)
    }
    case 'discard':
      outcome.cancelKeep()
      return state.note('discard')
    case 'fileinto':
      return fileInto(action, frame, state)
    case 'redirect': {
      const text = state.text(action.to, frame)
      const to = readMailbox(text)?.address
      if (!to) throw new SieveFailure(`${JSON.stringify(text.slice(0, 80))} is no address to send to`)
      outcome.redirect(to, state.headers.edits)
      if (!action.copy) outcome.cancelKeep()
      return state.note(`redirect ${JSON.stringify(`${to.local}@${to.domain}`)}`)
    }
    case 'reject':
      outcome.reject(state.text(action.reason, frame))
      return state.note('reject')
    case 'vacation': {
      outcome.vacation()
      const answer = yield* answerTo(action, frame, state)
      if ('why' in answer) return state.note(`vacation: no answer, ${answer.why}`)
      outcome.act(answer)
      return state.note(`vacation: answers ${answer.to.local}@${answer.to.domain}`)
    }
    case 'act':
      outcome.count()
      outcome.act(action.action)
      if (!action.keeps) outcome.cancelKeep()
      return state.note(action.action.kind)
    default:
      return change(action, frame, state)
  }
}

function fileInto(action: Extract<Statement, { kind: 'fileinto' }>, frame: Frame, state: RunState): void {
  const name = state.text(action.mailbox, frame)
  const path = readMailboxName(name)
  if (!path) throw new SieveFailure(`${JSON.stringify(name.slice(0, 80))} is no name of a mailbox`)
  const named = action.use === undefined ? undefined : state.text(action.use, frame)
  const use = named === undefined ? undefined : specialUses.get(named.toLowerCase())
  if (named !== undefined && !use) throw new SieveFailure(`${JSON.stringify(named.slice(0, 80))} is no use of a mailbox`)
  const flags = flagsOf(action.flags, frame, state)
  state.outcome.deliver({ path, use, create: action.create }, { flags, edits: state.headers.edits })
  if (!action.copy) state.outcome.cancelKeep()
  state.note(`fileinto ${JSON.stringify(name)}${shownFlags(flags)}`)
}

function flagsOf(flags: readonly Text[] | undefined, frame: Frame, state: RunState): readonly string[] {
  return flags ? readFlags(state.texts(flags, frame)) : state.flags
}

function shownFlags(flags: readonly string[]): string {
  return flags.length === 0 ? '' : ` with ${flags.join(' ')}`
}

type Change = Extract<Action, { kind: 'set' | 'setflag' | 'addflag' | 'removeflag' | 'addheader' | 'deleteheader' }>

/** Changes of variables, flags and the header: what is done with the message stays as it is. */
function change(action: Change, frame: Frame, state: RunState): void {
  switch (action.kind) {
    case 'set': {
      const value = action.changes.reduce(changed, state.text(action.value, frame).slice(0, state.limits.variableSize))
      return state.set(action.variable, value, frame)
    }
    case 'setflag':
    case 'addflag':
    case 'removeflag':
      return changeFlags(action, frame, state)
    case 'addheader': {
      const name = state.text(action.name, frame)
      if (!isFieldName(name)) throw new SieveFailure(`${JSON.stringify(name.slice(0, 80))} is no name of a header field`)
      const value = state.text(action.value, frame)
      if (value.length > MOST_FIELD) throw new SieveFailure(`a field may have ${MOST_FIELD} characters`)
      state.outcome.count()
      // RFC 5322 §2.2: one line; it is folded when it is written.
      state.headers.add(name, value.replace(/[\p{Cc}]+/gu, ' '), action.last)
      return state.note(`addheader ${name}`)
    }
    case 'deleteheader': {
      const name = state.text(action.name, frame)
      if (!isFieldName(name)) throw new SieveFailure(`${JSON.stringify(name.slice(0, 80))} is no name of a header field`)
      const fields = evaluateField(name, action, frame, state)
      if (fields.length === 0) return
      state.outcome.count()
      const isDone = state.headers.remove(name, fields)
      return state.note(isDone ? `deleteheader ${name}` : `deleteheader ${name}: it may not be taken out`)
    }
  }
}

function changeFlags(
  { kind, variable, flags }: Extract<Action, { kind: 'setflag' | 'addflag' | 'removeflag' }>,
  frame: Frame,
  state: RunState,
): void {
  const given = readFlags(state.texts(flags, frame))
  const held = variable && state.variable(variable, frame)
  state.budget.spend(given.length + (held === undefined ? state.flags.length : held.length >>> 3))
  const before = held === undefined ? state.flags : readFlags([held])
  const gone = new Set(given.map((flag) => flag.toLowerCase()))
  const after = kind === 'setflag'
    ? given
    : kind === 'addflag'
      ? readFlags([...before, ...given])
      : before.filter((flag) => !gone.has(flag.toLowerCase()))
  if (variable) state.set(variable, after.join(' '), frame)
  else if (after.join(' ').length <= state.limits.variableSize) state.flags = after
  else throw new SieveFailure('a message may not have so many flags')
}

/** RFC 5229 §4.1. */
function changed(text: string, change: VariableChange): string {
  switch (change) {
    case 'lower':
      return text.toLowerCase()
    case 'upper':
      return text.toUpperCase()
    case 'lowerfirst':
    case 'upperfirst': {
      const [first = ''] = text
      return (change === 'lowerfirst' ? first.toLowerCase() : first.toUpperCase()) + text.slice(first.length)
    }
    case 'quotewildcard':
      return text.replace(/[*?\\]/g, '\\$&')
    case 'length':
      return String([...text].length)
  }
}
