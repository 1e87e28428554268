import type { Run } from '../run.ts'
import type { Steps } from '../steps.ts'

/** Octets that are looked through before others have their turn. */
const TURN = 2 * 1024 * 1024

/** Counts what a command has looked through. */
export interface Looked {
  looked: number
}

/** Notes so many octets as looked through, and lets others have their turn where it was much (I65). */
export function* look(so: Looked, octets: number): Run<void> {
  so.looked += octets
  if (so.looked < TURN) return
  so.looked = 0
  yield { kind: 'pause', until: 0 }
}

/** Octets that a message is worth which is only put in its place: for 130,000 of them others wait, 10 to 30 ms. */
const PLACED = 16

/** Does work step by step, with turns of others in between. */
export function* inTurns<Value>(so: Looked, steps: Steps<Value>): Run<Value> {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    yield* look(so, step.value * PLACED)
  }
}
