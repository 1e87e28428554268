import { ok } from '../../run.ts'
import { ANY, type Command, SELECTED } from '../context.ts'

/** NOOP (RFC 9051 §6.1.2): a moment at which the client may hear what is new. */
export const noop: Command = {
  name: 'NOOP',
  states: ANY,
  *run(context, reader) {
    reader.end()
    // Also where nobody told of a change: hints may be lost.
    if (context.selected) context.selected.changed = true
    context.accountChanged = true
    return ok('Nothing done')
  },
}

/** CHECK (RFC 3501 §6.4.1): all is on disk always. */
export const check: Command = { ...noop, name: 'CHECK', states: SELECTED }

/** LOGOUT (RFC 9051 §6.1.3). */
export const logout: Command = {
  name: 'LOGOUT',
  states: ANY,
  *run(context, reader, { tag }) {
    reader.end()
    context.say('* BYE Logging out')
    context.say(`${tag} OK Good bye`)
    context.close('logout', '')
    return undefined
  },
}
