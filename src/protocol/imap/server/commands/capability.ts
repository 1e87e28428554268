import { ok } from '../../run.ts'
import { ANY, type Command } from '../context.ts'

/** CAPABILITY (RFC 9051 §6.1.1). */
export const capability: Command = {
  name: 'CAPABILITY',
  states: ANY,
  *run(context, reader) {
    reader.end()
    context.say(`* CAPABILITY ${context.capabilities()}`)
    return ok('That is what there is')
  },
}
