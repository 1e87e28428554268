import type { Connection, Envelope } from '../contracts/received.ts'
import type { StageFacts } from '../inbound/pipeline.ts'
import { MailError } from '../protocol/session/errors.ts'
import type { Clock } from '../protocol/session/clock.ts'

/** What a stage is about. The signal is made when somebody asks for it. */
export function stageFacts(clock: Clock, connection: Connection, envelope: Envelope | undefined, signalOf: () => AbortSignal): StageFacts {
  return {
    now: clock.now(),
    connection,
    envelope,
    get signal() {
      return signalOf()
    },
    wait: (milliseconds) => wait(clock, milliseconds, signalOf()),
  }
}

/** Resolves after a while on the clock; rejects when nobody waits for it any more. */
function wait(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (): void => {
      alarm.cancel()
      reject(new MailError('closed', 'The question was withdrawn while a policy waited.'))
    }
    const alarm = clock.alarm(clock.ticks() + milliseconds, () => {
      signal.removeEventListener('abort', gone)
      resolve()
    })
    if (signal.aborted) gone()
    else signal.addEventListener('abort', gone, { once: true })
  })
}
