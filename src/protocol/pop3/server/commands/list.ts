import type { Maildrop } from '../../maildrop.ts'
import { ok } from '../../run.ts'
import { message, none, words } from '../arguments.ts'
import { type Command, TRANSACTION } from '../context.ts'
import { multiLine } from '../multi-line.ts'
import { contents } from './dele.ts'

/** STAT (RFC 1939 §5): messages that are not marked, and their octets. */
export const stat: Command = {
  name: 'STAT',
  states: TRANSACTION,
  *run({ maildrop }, argument) {
    none(argument)
    return ok(`${maildrop!.messages} ${maildrop!.octets}`)
  },
}

/** LIST (RFC 1939 §5): sizes. */
export const list = listing('LIST', (maildrop, number) => `${number} ${maildrop.sizeOf(number)}`)

/** UIDL (RFC 1939 §7): unique ids. */
export const uidl = listing('UIDL', (maildrop, number) => `${number} ${maildrop.uniqueId(number)}`)

/** Of one message on one line, of all that are not marked on a line each. */
function listing(name: string, lineOf: (maildrop: Maildrop, number: number) => string): Command {
  return {
    name,
    states: TRANSACTION,
    *run(context, argument) {
      const maildrop = context.maildrop!
      const [word, ...rest] = words(argument)
      none(rest.join(' '))
      if (word !== undefined) return ok(lineOf(maildrop, message(context, word)))
      return yield* multiLine(context, contents(context), lines(maildrop, lineOf))
    },
  }
}

function* lines(maildrop: Maildrop, lineOf: (maildrop: Maildrop, number: number) => string): Generator<string> {
  for (const number of maildrop.numbers()) yield lineOf(maildrop, number)
}
