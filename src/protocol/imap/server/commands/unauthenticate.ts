import { bad, ok } from '../../run.ts'
import { AUTHENTICATED, type Command } from '../context.ts'
import { leave } from './close.ts'

/** UNAUTHENTICATE (RFC 8437): the connection is as it was before log-in, but for TLS and what the client said of itself. */
export const unauthenticate: Command = {
  name: 'UNAUTHENTICATE',
  states: AUTHENTICATED,
  *run(context, reader) {
    reader.end()
    // §4.1 has compression end in the midst of what the client sends. It is not offered there.
    if (context.compressed) return bad('Not on a connection that is compressed')
    leave(context, false)
    context.forgetAccount()
    context.emit({ kind: 'unauthenticated' })
    return ok('Who is it now?')
  },
}
