import { bad, type Run, wait } from '../../run.ts'
import type { Command } from '../context.ts'

/** STARTTLS (RFC 9051 §6.2.1). */
export const startTls: Command = {
  name: 'STARTTLS',
  states: ['not authenticated'],
  *run(context, reader, { tag }): Run<undefined | ReturnType<typeof bad>> {
    reader.end()
    if (!context.config.startTls) return bad('There is no TLS here')
    if (context.channel.secure) return bad('TLS is there already')
    context.say(`${tag} OK Begin TLS`)
    context.emit({ kind: 'startTls' })
    yield* wait<undefined>({ kind: 'tls' })
    return undefined
  },
}
