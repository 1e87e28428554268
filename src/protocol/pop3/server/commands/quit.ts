import { ask, err, ok } from '../../run.ts'
import { Refused } from '../../../session/refusal.ts'
import { none } from '../arguments.ts'
import { ANY, type Command } from '../context.ts'

/** QUIT (RFC 1939 §4, §6): deletes what is marked, then says good bye. */
export const quit: Command = {
  name: 'QUIT',
  states: ANY,
  *run(context, argument) {
    none(argument)
    const uids = context.maildrop?.markedUids() ?? []
    try {
      if (uids.length > 0) yield* ask({ kind: 'expunge', uids })
      context.close('quit', ok('Good bye'))
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      // RFC 1939 §6: the client must not believe that they are gone.
      context.close('quit', err(`Marked messages were not deleted: ${error.message}`, error.code))
    }
    return undefined
  },
}
