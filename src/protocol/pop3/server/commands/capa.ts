import { capabilitiesOf } from '../../capabilities.ts'
import { none } from '../arguments.ts'
import { ANY, type Command } from '../context.ts'
import { multiLine } from '../multi-line.ts'

/** CAPA (RFC 2449 §5). */
export const capa: Command = {
  name: 'CAPA',
  states: ANY,
  *run(context, argument) {
    none(argument)
    return yield* multiLine(context, 'Capabilities follow', capabilitiesOf(context.config, context.channel))
  },
}
