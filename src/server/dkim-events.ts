import type { DkimEvent } from '../adapters/mailauth/index.ts'
import type { Observer } from '../observe/events.ts'
import type { Clock } from '../protocol/session/clock.ts'

/** Tells an observer what happens to the keys of DKIM, and what goes out unsigned: for `onEvent` of `dkim()`. */
export function dkimObserver(observe: Observer, clock: Clock): (event: DkimEvent) => void {
  return (event) => {
    const at = clock.now()
    if (event.kind === 'unsigned') observe({ kind: 'unsigned', at, reason: event.reason, messageId: event.messageId })
    else observe({ kind: 'keysReloaded', at, error: event.kind === 'refused' ? event.error : undefined })
  }
}
