import { replyLine } from '../reply.ts'
import { ok, type Run, wait } from '../run.ts'
import type { Pop3Context } from './context.ts'

/** Lines that are said before it is looked whether anybody takes them. */
const AT_A_TIME = 256

/** Says a response of several lines (RFC 1939 §3). None of them may begin with a dot. */
export function* multiLine(context: Pop3Context, first: string, lines: Iterable<string>): Run<undefined> {
  context.write(replyLine(ok(first)))
  let said = 0
  for (const line of lines) {
    context.write(`${line}\r\n`)
    if (++said % AT_A_TIME === 0) yield* wait<undefined>({ kind: 'room' })
  }
  context.write('.\r\n')
  return undefined
}
