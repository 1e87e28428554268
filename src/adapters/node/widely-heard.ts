import { setMaxListeners } from 'node:events'

/** What many things at a time are broken off by: Node would warn of more than ten that listen to one signal. */
export function widelyHeard(): AbortController {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  return controller
}
