import { ok } from '../../run.ts'
import { none } from '../arguments.ts'
import { AUTHORIZATION, type Command } from '../context.ts'

/** UTF8 (RFC 6856 §2.1): the client can take headers in UTF-8. */
export const utf8: Command = {
  name: 'UTF8',
  states: AUTHORIZATION,
  *run(context, argument) {
    none(argument)
    context.utf8 = true
    return ok('UTF-8 enabled')
  },
}
