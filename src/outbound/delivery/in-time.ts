import type { Clock } from '../../protocol/session/clock.ts'
import { MailError } from '../../protocol/session/errors.ts'

/**
 * What a promise gives, or a rejection with `temporary` if it is not there after so many milliseconds; or, with the signal's
 * reason, as soon as that aborts. For questions alone, whose answer nobody misses.
 */
export async function inTime<T>(asked: Promise<T>, milliseconds: number, clock: Clock, signal?: AbortSignal): Promise<T> {
  let end: (() => void) | undefined
  const over = new Promise<never>((_, reject) => {
    const late = (): void => reject(new MailError('temporary', `There was no answer within ${milliseconds / 1000} s`))
    const stop = (): void => reject(signal!.reason as Error)
    const alarm = clock.alarm(clock.ticks() + milliseconds, late)
    signal?.addEventListener('abort', stop)
    end = () => {
      alarm.cancel()
      signal?.removeEventListener('abort', stop)
    }
    if (signal?.aborted) stop()
  })
  try {
    return await Promise.race([asked, over])
  } finally {
    end?.()
  }
}
