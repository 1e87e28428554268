import type { Run } from '../run.ts'
import type { ImapContext } from './context.ts'

/** Milliseconds between two signs of life (RFC 9585 §4: 10 to 15 seconds). */
const EVERY = 10_000

/** Runs what may take long, and says now and then that it is still at work. How much is left nobody knows. */
export function* tellingProgress<Value>(context: ImapContext, tag: string, run: Run<Value>): Run<Value> {
  let next = context.now + EVERY
  for (let step = run.next(); ;) {
    if (step.done === true) return step.value
    const value = yield step.value
    if (context.now >= next) {
      context.say(`* OK [INPROGRESS ("${tag}" NIL NIL)] Still at work`)
      next = context.now + EVERY
    }
    step = run.next(value)
  }
}
