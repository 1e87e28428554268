import type { Clock } from '../protocol/session/clock.ts'

/** What a promise gives; until then the process does not end for want of anything to do. */
export async function awake<T>(clock: Clock, work: Promise<T>): Promise<T> {
  const rest = clock.stayAwake?.()
  try {
    return await work
  } finally {
    rest?.()
  }
}
