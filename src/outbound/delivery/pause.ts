import type { Clock } from '../../protocol/session/clock.ts'

/** Resolves after so many milliseconds, or as soon as the signal aborts. */
export function pause(milliseconds: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const end = (): void => {
      alarm.cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const alarm = clock.alarm(clock.ticks() + milliseconds, end)
    signal.addEventListener('abort', end)
  })
}
