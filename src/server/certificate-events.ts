import type { CertificateEvent } from '../adapters/node/index.ts'
import type { Observer } from '../observe/events.ts'
import type { Clock } from '../protocol/session/clock.ts'

/** Tells an observer what happens to certificates: for `onEvent` of `certificates()`. */
export function certificateObserver(observe: Observer, clock: Clock): (event: CertificateEvent) => void {
  return (event) => {
    const at = clock.now()
    if (event.kind === 'expiry') observe({ ...event, kind: 'certificate', at })
    else observe({ kind: 'certificatesReloaded', at, error: event.kind === 'refused' ? event.error : undefined })
  }
}
