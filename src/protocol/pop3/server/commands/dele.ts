import { ok, type Result } from '../../run.ts'
import { message, none, words } from '../arguments.ts'
import { type Command, type Pop3Context, TRANSACTION } from '../context.ts'

/** DELE (RFC 1939 §5): marks a message, to be deleted by QUIT and by nothing else. */
export const dele: Command = {
  name: 'DELE',
  states: TRANSACTION,
  *run(context, argument): Generator<never, Result> {
    const [word, ...rest] = words(argument)
    none(rest.join(' '))
    context.maildrop!.mark(message(context, word))
    return ok('Marked')
  },
}

/** RSET (RFC 1939 §5): marks none any more. */
export const rset: Command = {
  name: 'RSET',
  states: TRANSACTION,
  *run(context, argument): Generator<never, Result> {
    none(argument)
    context.maildrop!.reset()
    return ok(contents(context))
  },
}

/** What people are told of a maildrop. */
export function contents({ maildrop }: Pop3Context): string {
  return `${maildrop!.messages} messages (${maildrop!.octets} octets)`
}
