import type { ScannerEvent } from '../adapters/scanners/index.ts'
import type { Observer } from '../observe/events.ts'
import type { Clock } from '../protocol/session/clock.ts'

/** Tells an observer when scanners do not answer, and when they do again: for `onEvent` of `clamd()`, `spamd()`, `rspamd()`. */
export function scannerObserver(observe: Observer, clock: Clock): (event: ScannerEvent) => void {
  return (event) => {
    const error = event.kind === 'opened' ? event.error : undefined
    observe({ kind: 'scanner', at: clock.now(), scanner: event.scanner, error })
  }
}
