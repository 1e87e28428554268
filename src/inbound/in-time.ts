import type { Stage } from '../contracts/policy.ts'

/**
 * What comes of `run` within so many milliseconds on the server's clock, otherwise `late`. The signal that `run` gets aborts when
 * nobody waits for it any more. Rejects when the stage's own signal aborts.
 */
export async function inTime<T>(
  stage: Stage,
  milliseconds: number,
  run: (signal: AbortSignal) => Promise<T>,
  late: () => T,
): Promise<T> {
  const over = new AbortController()
  const stop = (): void => over.abort()
  const { signal } = stage
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([run(over.signal), stage.wait(milliseconds, over.signal).then(late)])
  } finally {
    // No alarm is left behind that nobody waits for.
    stop()
    signal.removeEventListener('abort', stop)
  }
}
