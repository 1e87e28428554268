import { replyLine } from '../../reply.ts'
import { mistake, ok, wait } from '../../run.ts'
import { none } from '../arguments.ts'
import { AUTHORIZATION, type Command } from '../context.ts'

/** STLS (RFC 2595 §4). */
export const stls: Command = {
  name: 'STLS',
  states: AUTHORIZATION,
  *run(context, argument) {
    none(argument)
    if (context.channel.secure) return mistake('TLS is there already')
    if (!context.config.startTls) return mistake('There is no TLS here')
    context.write(replyLine(ok('Begin TLS')))
    context.emit({ kind: 'startTls' })
    yield* wait<undefined>({ kind: 'tls' })
    return undefined
  },
}
