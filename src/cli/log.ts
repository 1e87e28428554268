/** From the most to the least talkative. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const

/** How much a line matters. */
export type LogLevel = (typeof logLevels)[number]

/** Takes down what happens. */
export interface Log {
  /** Whether a line of that level would be written: for what costs something to say. */
  has(level: LogLevel): boolean
  write(level: LogLevel, message: string, facts?: Readonly<Record<string, unknown>>): void
}

/** A log of JSON lines: `{"time":"…","level":"info","msg":"…",…}`. `now` in milliseconds since the Unix epoch. */
export function jsonLog(least: LogLevel, now: () => number, write: (line: string) => void): Log {
  const from = logLevels.indexOf(least)
  const has = (level: LogLevel): boolean => logLevels.indexOf(level) >= from
  return {
    has,
    write(level, msg, facts) {
      if (has(level)) write(JSON.stringify({ time: new Date(now()).toISOString(), level, msg, ...facts }))
    },
  }
}
