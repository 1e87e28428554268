import type { Tell } from '../protocol/session/told.ts'
import type { Observer, ServerEvent } from './events.ts'

/** An observer that cannot break what it watches: what it throws or rejects with is dropped. */
export function quietly(observer: Observer): Observer {
  const quiet = (event: ServerEvent): void => {
    try {
      // An async function is one that returns nothing, too; what it rejects with must not end the process.
      const done: unknown = observer(event)
      if (done instanceof Promise) done.catch(() => undefined)
    } catch {
      // It watches at its own risk.
    }
  }
  return observer.commands === true ? Object.assign(quiet, { commands: true }) : quiet
}

/** What sessions are to tell so that the observer hears all that it wants to. */
export function wantedOf(observer: Observer | undefined): { readonly tell?: Tell } {
  return observer === undefined ? {} : { tell: observer.commands === true ? 'commands' : 'refusals' }
}

/** Several observers as one. Each is told, whatever the others make of it; who is absent is left out. */
export function observers(...list: readonly (Observer | undefined)[]): Observer {
  const all = list.filter((one) => one !== undefined).map((one) => ({ tell: quietly(one), commands: one.commands === true }))
  const tell = (event: ServerEvent): void => {
    for (const one of all) if (event.kind !== 'command' || one.commands) one.tell(event)
  }
  return all.some(({ commands }) => commands) ? Object.assign(tell, { commands: true }) : tell
}
