import type { LoginGuard } from '../accounts/authenticate.ts'
import { type GuardEvent, loginGuard } from '../accounts/guard.ts'
import { memoryKeyValue } from '../adapters/memory/index.ts'
import { passwordMarks } from '../adapters/node/index.ts'
import type { KeyValue } from '../contracts/key-value.ts'
import type { Observer } from '../observe/events.ts'

/** The guard of a server that is given none; it counts in memory where there is no other place. */
export function guardOver(keyValue: KeyValue | undefined, observe: Observer): LoginGuard {
  return loginGuard({
    keyValue: keyValue ?? memoryKeyValue(),
    mark: passwordMarks(),
    observe: (event) => tell(observe, event),
  })
}

/** What an observer hears of a guard. Each single failure it hears of with its connection. */
function tell(observe: Observer, event: GuardEvent): void {
  if (event.kind === 'guessing') observe(event)
  else if (event.kind === 'guardFailed') observe({ kind: 'failed', at: event.at, what: 'login guard', error: event.error })
}
