// Taken once: test runners that replace the platform's timers do not stop what waits here.
const later = setImmediate
const timer = setTimeout
const stop = clearTimeout

/** Resolves in the next turn of the event loop: whatever promises could settle without the machine have by then. */
export function turn(): Promise<void> {
  return new Promise((resolve) => later(resolve))
}

/** Calls `ring` once after so many milliseconds, and keeps the process alive until then or until it is cancelled. */
export function patience(milliseconds: number, ring: () => void): { cancel(): void } {
  const waiting = timer(ring, milliseconds)
  return { cancel: () => stop(waiting) }
}
