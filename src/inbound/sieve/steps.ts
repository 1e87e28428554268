import type { Awaitable } from '../../contracts/policy.ts'

/**
 * Work that now and then waits for something outside: it yields promises and is given what they come to. What never waits costs
 * no promise at all.
 */
export type Steps<T> = Generator<Promise<unknown>, T, unknown>

/** What a promise comes to; anything else at once. */
export function* waitFor<T>(value: Awaitable<T>): Steps<T> {
  return value instanceof Promise ? ((yield value) as T) : value
}

/** Takes the steps: at once where none of them waits. */
export function drive<T>(steps: Steps<T>): Awaitable<T> {
  const first = steps.next()
  return first.done ? first.value : drivenOn(steps, first.value)
}

async function drivenOn<T>(steps: Steps<T>, first: Promise<unknown>): Promise<T> {
  let waiting = first
  for (;;) {
    const settled = await waiting.then((value) => ({ value }), (error: unknown) => ({ error }))
    const next = 'error' in settled ? steps.throw(settled.error) : steps.next(settled.value)
    if (next.done) return next.value
    waiting = next.value
  }
}

/** What ends a script that cannot go on; its text is for whoever wrote it. */
export class SieveFailure extends Error {
  override readonly name = 'SieveFailure'
}

/** What is left of the work that a script may make. */
export class Budget {
  #left: number

  constructor(units: number) {
    this.#left = units
  }

  /** @throws SieveFailure where there is no more */
  spend(units: number): void {
    this.#left -= units
    if (this.#left < 0) throw new SieveFailure('the script takes too much work: use fewer or shorter tests')
  }
}
