import { ok } from '../../run.ts'
import { none } from '../arguments.ts'
import { type Command, TRANSACTION } from '../context.ts'

/** NOOP (RFC 1939 §5). */
export const noop: Command = {
  name: 'NOOP',
  states: TRANSACTION,
  *run(_context, argument) {
    none(argument)
    return ok('Nothing done')
  },
}
