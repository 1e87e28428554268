/** How many connections a site gets at a time. */
export interface WindowRules {
  /** At first. */
  readonly initial: number
  /** At the most. */
  readonly most: number
}

/** The rules where none are given: as Postfix has them. */
export const defaultWindow: WindowRules = { initial: 5, most: 20 }

/**
 * A window grows by one for as many messages as it is wide, and halves when the site asks us to slow down; once for all the
 * connections that were open then.
 */
export interface Window {
  /** At least 1; whole connections fit in. */
  readonly size: number
  /** Connections that began before that do not halve it again. */
  readonly halved: number
}

/** The window of a site of which nothing is known. */
export const newWindow = ({ initial }: WindowRules): Window => ({ size: initial, halved: -Infinity })

/** A message was taken. */
export function widened(window: Window, { most }: WindowRules): Window {
  return window.size >= most ? window : { ...window, size: Math.min(most, window.size + 1 / window.size) }
}

/** The site has asked to come later, or took too long, on a connection that began at `began`. */
export function halved(window: Window, began: number, now: number): Window {
  return began <= window.halved ? window : { size: Math.max(1, window.size / 2), halved: now }
}
