import { type Logger, type LogLevel, logLevels, type LogMethod } from '../observe/logger.ts'

/**
 * A log of JSON lines: `{"time":"…","level":"info","msg":"…",…}`, an error in words. `now` in milliseconds since the Unix epoch.
 */
export function jsonLog(least: LogLevel, now: () => number, write: (line: string) => void): Logger {
  const from = logLevels.indexOf(least)
  const at = (level: LogLevel): LogMethod => {
    if (logLevels.indexOf(level) < from) return () => undefined
    return (facts, msg) => {
      const { err, ...rest } = facts as { readonly err?: unknown }
      const error = err === undefined ? {} : { error: reason(err) }
      write(JSON.stringify({ time: new Date(now()).toISOString(), level, msg, ...rest, ...error }))
    }
  }
  return { trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** An error in words, and what caused it. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const because = error.cause instanceof Error && !error.message.includes(error.cause.message) ? ` (${error.cause.message})` : ''
  return `${error.message}${because}`
}
