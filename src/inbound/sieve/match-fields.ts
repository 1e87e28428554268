import type { EditedField } from './edited-headers.ts'
import { fieldsOf } from './evaluate.ts'
import { Matcher } from './matcher.ts'
import type { Statement } from './program.ts'
import type { Frame, RunState } from './state.ts'

/** The fields that `deleteheader` means (RFC 5293 §5): counted first, then held against the values. */
export function evaluateField(
  name: string,
  { index, keys, match }: Extract<Statement, { kind: 'deleteheader' }>,
  frame: Frame,
  state: RunState,
): readonly EditedField[] {
  const fields = fieldsOf([name], index, state)
  if (!keys) return fields
  const matcher = new Matcher(match, state.texts(keys, frame), state.budget)
  // RFC 5231 §4.2: all of them, or none.
  if (match.type === 'count') return matcher.count(fields.length) ? fields : []
  return fields.filter(({ text }) => matcher.test(text) !== false)
}
