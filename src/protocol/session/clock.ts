/** An alarm that has been set. */
export interface Alarm {
  /** It will not ring any more. Harmless when it has rung. */
  cancel(): void
}

/** Time as an argument: the platform's, or a virtual one in tests. */
export interface Clock {
  /** Milliseconds since the Unix epoch, for dates. May jump. */
  now(): number
  /** Milliseconds on a scale that never goes back, for deadlines. */
  ticks(): number
  /** Calls `ring` once, when `ticks()` has reached `at`. */
  alarm(at: number, ring: () => void): Alarm
  /** Keeps the process from ending, which alarms do not, until the function is called that it gives. */
  stayAwake?(): () => void
}
