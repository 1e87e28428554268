import { type Address, splitTag } from '../../message/address.ts'
import { parseDate } from '../../message/date.ts'
import { formatAddress } from '../../message/format-address.ts'
import { datePart } from './dates.ts'
import type { EditedField } from './edited-headers.ts'
import { Matcher } from './matcher.ts'
import { type AddressPart, type Condition, type FieldIndex, specialUses, type Text } from './program.ts'
import type { Frame, RunState } from './state.ts'
import { SieveFailure, type Steps, waitFor } from './steps.ts'
import { isFieldName, readFlags, readMailboxName, readZone } from './values.ts'

type ConditionOf<Kind extends Condition['kind']> = Extract<Condition, { kind: Kind }>
type Keyed = Extract<Condition, { match: unknown }>

/** Whether a condition holds. Tests of a list are asked from left to right, no more of them than it takes (RFC 5229 §3.2). */
export function* evaluate(condition: Condition, frame: Frame, state: RunState): Steps<boolean> {
  state.at = frame.prefix + condition.at
  state.budget.spend(1)
  switch (condition.kind) {
    case 'not':
      return !(yield* evaluate(condition.of, frame, state))
    case 'all':
    case 'any': {
      const wanted = condition.kind === 'any'
      for (const test of condition.of) if ((yield* evaluate(test, frame, state)) === wanted) return wanted
      return !wanted
    }
    default: {
      const seen: string[] | undefined = state.environment.explain ? [] : undefined
      const result = yield* evaluateOne(condition, frame, state, seen)
      if (seen) state.note(explained(condition.kind, result, seen))
      return result
    }
  }
}

/** Values that a trace shows of a test, and characters of each. */
const MOST_SHOWN = 3
const MOST_CHARACTERS = 80

function explained(kind: string, result: boolean, seen: readonly string[]): string {
  const shown = seen.slice(0, MOST_SHOWN).map((value) => JSON.stringify(value.slice(0, MOST_CHARACTERS)))
  return `${kind}: ${result}${shown.length === 0 ? '' : `, for ${shown.join(', ')}${seen.length > MOST_SHOWN ? ', …' : ''}`}`
}

function* evaluateOne(
  condition: Exclude<Condition, { kind: 'not' | 'all' | 'any' }>,
  frame: Frame,
  state: RunState,
  seen: string[] | undefined,
): Steps<boolean> {
  switch (condition.kind) {
    case 'true':
    case 'false':
      return condition.kind === 'true'
    case 'exists':
      return condition.names.every((name) => fieldsOf([state.text(name, frame)], undefined, state).length > 0)
    case 'size': {
      const { octets } = state.message
      // RFC 5228 §5.9: exactly as large is neither over nor under.
      return condition.over ? octets > condition.octets : octets < condition.octets
    }
    case 'body':
      return matches(condition, yield* bodyValues(condition, frame, state), frame, state, seen)
    case 'mailboxexists':
      return yield* mailboxesExist(state.texts(condition.names, frame), state)
    case 'specialuse_exists':
      return yield* usesExist(condition, frame, state)
    case 'duplicate':
      return yield* isDuplicate(condition, frame, state)
    case 'ask':
      return yield* waitFor(condition.ask(state.message))
    default:
      return matches(condition, valuesOf(condition, frame, state), frame, state, seen)
  }
}

/** Holds values against the keys of a condition. */
function matches(
  condition: Keyed,
  values: readonly string[],
  frame: Frame,
  state: RunState,
  seen: string[] | undefined,
): boolean {
  const { match, kind } = condition
  const keys = state.texts(condition.keys, frame)
  const isOfFlags = kind === 'hasflag' && match.type !== 'count'
  const matcher = new Matcher(match, isOfFlags ? readFlags(keys) : keys, state.budget)
  for (const value of seen ? values.slice(0, MOST_SHOWN + 1) : []) seen?.push(value)
  if (match.type === 'count') {
    // RFC 5231 §4.2 counts things; of strings (RFC 5229 §5), items (RFC 5183 §4) and senders those that are not empty.
    const isOfTexts = kind === 'string' || kind === 'environment' || kind === 'envelope'
    return matcher.count(isOfTexts ? values.filter((value) => value !== '').length : values.length)
  }
  for (const value of values) {
    const found = matcher.test(value)
    if (found === false) continue
    // RFC 5173 §6: body sets no match variables.
    if (found !== true && frame.variables && kind !== 'body') frame.matches = found
    return true
  }
  return false
}

/** What a condition looks at. */
function valuesOf(condition: Exclude<Keyed, { kind: 'body' }>, frame: Frame, state: RunState): readonly string[] {
  switch (condition.kind) {
    case 'header':
      return fieldsOf(state.texts(condition.names, frame), condition.index, state).map(({ text }) => text)
    case 'address':
      return fieldsOf(state.texts(condition.names, frame), condition.index, state)
        .flatMap(({ value }) => state.addresses(value))
        .flatMap((address) => partOf(address, condition.part))
    case 'envelope':
      return state.texts(condition.parts, frame).flatMap((part) => envelopeValues(part, condition.part, state))
    case 'string':
      return state.texts(condition.values, frame)
    case 'hasflag':
      return flagsOf(condition.variables, frame, state)
    case 'date':
      return dateValues(condition, frame, state)
    case 'environment':
      return environmentValues(state.text(condition.name, frame), state)
  }
}

/** The fields of these names, one name after the other (RFC 5260 §6), or the one that is meant. */
export function fieldsOf(names: readonly string[], index: FieldIndex | undefined, state: RunState): readonly EditedField[] {
  const fields = names.flatMap((name) => {
    const found = state.headers.all(name)
    state.budget.spend(1 + found.length)
    return found
  })
  if (!index) return fields
  const field = fields[index.last ? fields.length - index.nth : index.nth - 1]
  return field ? [field] : []
}

/** A part of an address; none where it has no such part (RFC 5233 §4). */
function partOf(address: Address, part: AddressPart): readonly string[] {
  switch (part) {
    case 'all':
      return [formatAddress(address)]
    case 'localpart':
      return [address.local]
    case 'domain':
      return [address.domain]
    case 'user':
      return [splitTag(address.local).local]
    case 'detail': {
      const { tag } = splitTag(address.local)
      return tag === undefined ? [] : [tag]
    }
  }
}

function envelopeValues(name: string, part: AddressPart, { message, environment }: RunState): readonly string[] {
  const which = name.toLowerCase()
  if (which === 'to') return partOf(environment.recipient, part)
  if (which !== 'from') throw new SieveFailure(`the envelope has no ${JSON.stringify(name)}: there are "from" and "to"`)
  // RFC 5228 §5.4: the null sender is the empty string, whatever part is asked for.
  return message.envelope.sender === null ? [''] : partOf(message.envelope.sender, part)
}

function flagsOf(variables: readonly Text[] | undefined, frame: Frame, state: RunState): readonly string[] {
  if (!variables) return state.flags
  return variables.flatMap((variable) => {
    const name = state.text(variable, frame).toLowerCase()
    const isGlobal = name.startsWith('global.') || (!frame.own.has(name) && state.globals.has(name))
    const value = state.variable({ kind: isGlobal ? 'global' : 'own', name: name.replace(/^global\./, '') }, frame)
    state.budget.spend(value.length >>> 3)
    return readFlags([value])
  })
}

function dateValues(condition: ConditionOf<'date'>, frame: Frame, state: RunState): readonly string[] {
  const { now, zone: local = 0 } = state.environment
  const part = state.text(condition.part, frame)
  const named = condition.zone === undefined ? undefined : readZone(state.text(condition.zone, frame))
  if (condition.zone !== undefined && named === undefined) throw new SieveFailure('a time zone has to be like +0100')
  let at = { epochMs: now, zoneMinutes: local }
  if (condition.header !== undefined) {
    const [field] = fieldsOf([state.text(condition.header, frame)], condition.index ?? { nth: 1, last: false }, state)
    // RFC 5260 §4: the field as a whole, or what stands behind its last semicolon.
    const found = field && parseDate(field.value.slice(field.value.lastIndexOf(';') + 1))
    if (!found) return []
    at = found
  }
  const value = datePart(part, at.epochMs, named ?? (condition.original ? at.zoneMinutes : local))
  if (value === undefined) throw new SieveFailure(`a date has no part ${JSON.stringify(part)}`)
  return [value]
}

/** RFC 5183 §4.1. Items that are not known have no value at all. */
function environmentValues(name: string, { message, environment }: RunState): readonly string[] {
  const { hostname } = environment
  switch (name.toLowerCase()) {
    case 'name':
      return ['posthorn']
    case 'location':
      return ['MDA']
    case 'phase':
      return ['during']
    case 'host':
      return hostname === undefined ? [] : [hostname]
    case 'domain':
      return hostname === undefined ? [] : [hostname.slice(hostname.indexOf('.') + 1)]
    case 'remote-ip':
      return [message.connection?.peer.address ?? '']
    case 'remote-host':
      return ['']
    default:
      return []
  }
}

function* bodyValues({ transform }: ConditionOf<'body'>, frame: Frame, state: RunState): Steps<readonly string[]> {
  const body = yield* state.body()
  if (transform.kind === 'content') return body.content(state.texts(transform.types, frame))
  return transform.kind === 'raw' ? body.raw() : body.text()
}

function* mailboxesExist(names: readonly string[], state: RunState): Steps<boolean> {
  for (const name of names) {
    state.budget.spend(10)
    const path = readMailboxName(name)
    // A name that no mailbox can have is that of none.
    if (!path || !(yield* waitFor(state.environment.hasMailbox(path)))) return false
  }
  return true
}

function* usesExist({ mailbox, uses }: ConditionOf<'specialuse_exists'>, frame: Frame, state: RunState): Steps<boolean> {
  if (mailbox !== undefined && !(yield* mailboxesExist([state.text(mailbox, frame)], state))) return false
  for (const name of state.texts(uses, frame)) {
    state.budget.spend(10)
    const use = specialUses.get(name.toLowerCase())
    if (!use || !(yield* waitFor(state.environment.hasUse(use)))) return false
  }
  return true
}

/** Seconds for which a message is remembered where the script does not say (RFC 7352 §3.3). */
const WEEK = 7 * 86_400

function* isDuplicate(condition: ConditionOf<'duplicate'>, frame: Frame, state: RunState): Steps<boolean> {
  const { seconds = WEEK, last } = condition
  const id = uniqueId(condition, frame, state)
  // RFC 7352 §3.1, §3.3: without an id, or remembered for no time, nothing is a duplicate.
  if (id === undefined || seconds === 0) return false
  const handle = condition.handle === undefined ? '' : state.text(condition.handle, frame)
  state.budget.spend(10)
  return yield* waitFor(state.memory.seen(handle, id, Math.min(seconds, state.limits.duplicateMost), last))
}

function uniqueId({ uniqueId: given, header }: ConditionOf<'duplicate'>, frame: Frame, state: RunState): string | undefined {
  if (given !== undefined) return state.text(given, frame)
  const name = header === undefined ? 'message-id' : state.text(header, frame)
  return isFieldName(name) ? state.headers.all(name)[0]?.text.trim() : undefined
}
